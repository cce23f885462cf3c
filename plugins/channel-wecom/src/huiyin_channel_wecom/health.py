"""How the roads and robots are, in lines with what to do about them; and a test of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Check,
    Condition,
    Message,
    TenantContext,
    arrivals_waiting,
    local,
    public_link,
)
from huiyin_channel_wecom import client, robots, tokens
from huiyin_channel_wecom.keeping import CHANNEL
from huiyin_channel_wecom.models import Desk, Incoming, Outgoing, Token
from huiyin_channel_wecom.roads import TITLES, account_of, keys_of, switched_on

GOOD, WARN, BAD = Condition.GOOD, Condition.WARN, Condition.BAD
_REFUSED: Final = N_("平台拒绝，错误码 {code}，请核对 Secret、可信 IP 和接口权限")


def health(ctx: TenantContext) -> Sequence[Check]:
    """What the health card shows: each road, what last came, what waits, each robot."""
    return tuple(_lines(ctx))


def callback(ctx: TenantContext, road: str) -> str:
    """The address to enter at the provider's."""
    return public_link(ctx.tenant, f"x/channel-wecom/{road}")


def _lines(ctx: TenantContext) -> Iterator[Check]:
    roads = list(switched_on(ctx))
    if not roads:
        detail = Message(N_("请在设置中开通企业微信或公众号"))
        yield Check(Message(N_("没有开通会话渠道")), WARN, detail)
    errors = {row.road: row.error for row in ctx.session.scalars(select(Token))}
    for road in roads:
        yield _road(ctx, road, errors.get(road, 0))
    for desk in ctx.session.scalars(select(Desk).where(Desk.error != 0).order_by(Desk.account)):
        detail = Message(_REFUSED, {"code": desk.error})
        yield Check(Message(N_("微信客服 {account}"), {"account": desk.account}), BAD, detail)
    if roads:
        yield _last(ctx)
    if waiting := arrivals_waiting(ctx, CHANNEL):
        detail = Message(N_("请在「来件」中判定去向"))
        yield Check(Message(N_("{n} 个会话待识别"), {"n": waiting}), WARN, detail)
    stuck = select(func.count()).select_from(Outgoing).where(
        Outgoing.state == "queued", Outgoing.code != 0
    )  # fmt: skip
    if late := ctx.session.scalars(stuck).one():
        detail = Message(N_("平台暂时不可用，会自动重试"))
        yield Check(Message(N_("{n} 条回复等待重发"), {"n": late}), WARN, detail)
    yield from _robots(ctx)


def _road(ctx: TenantContext, road: str, error: int) -> Check:
    title = Message(TITLES[road])
    if keys_of(ctx, road) is None:
        return Check(title, BAD, Message(N_("缺少回调 Token 或 EncodingAESKey，收不到消息")))
    if account_of(ctx, road) is None:
        return Check(title, BAD, Message(N_("缺少 Secret，取不到文件，也不能回复")))
    if error:
        return Check(title, BAD, Message(_REFUSED, {"code": error}))
    address = {"address": callback(ctx, road)}
    return Check(title, GOOD, Message(N_("回调地址 {address}"), address))


def _last(ctx: TenantContext) -> Check:
    last = ctx.session.scalar(
        select(Incoming.kept_at).order_by(Incoming.kept_at.desc()).limit(1)
    )  # fmt: skip
    if last is None:
        detail = Message(N_("请在平台后台保存回调地址，并发一条消息核对"))
        return Check(Message(N_("还没有收到过消息")), WARN, detail)
    when = {"when": f"{local(last):%Y-%m-%d %H:%M}"}
    return Check(Message(N_("最近消息")), GOOD, Message("{when}", when))


def _robots(ctx: TenantContext) -> Iterator[Check]:
    known = robots.state_of(ctx)
    for hook in robots.hooks(ctx):
        title, row = Message(robots.TITLES[hook.robot]), known.get(hook.robot)
        if row is None:
            yield Check(title, WARN, Message(N_("还没有发过通知，可发送测试核对")))
        elif row.error:
            yield Check(title, BAD, Message(robots.ERRORS[row.error]))
        else:
            when = f"{local(row.good_at):%Y-%m-%d %H:%M}" if row.good_at else "--"
            yield Check(title, GOOD, Message(N_("{when} 通知成功"), {"when": when}))


def test(ctx: TenantContext) -> Sequence[Check]:
    """Ask each road for a token, seal and open a callback, and let each robot say something."""
    found = [_try_road(ctx, road) for road in switched_on(ctx)]
    words = robots.words(ctx, {"what": "test"})
    for hook in robots.hooks(ctx):
        error = robots.say(ctx, hook, words)
        title = Message(robots.TITLES[hook.robot])
        said = Message(robots.ERRORS[error] if error else N_("已发出，请在群里查看"))
        found.append(Check(title, BAD if error else GOOD, said))
    if not found:
        first = Message(N_("请先开通渠道或填写群机器人"))
        found.append(Check(Message(N_("没有可以测试的")), WARN, first))
    return found


def _try_road(ctx: TenantContext, road: str) -> Check:
    title, keys, account = Message(TITLES[road]), keys_of(ctx, road), account_of(ctx, road)
    if keys is None or account is None:
        return _road(ctx, road, 0)
    try:
        tokens.of(ctx, account)
    except client.Trouble as trouble:
        if trouble.code:
            return Check(title, BAD, Message(_REFUSED, {"code": trouble.code}))
        return Check(title, BAD, Message(N_("无法连接平台，请检查网络")))
    return Check(title, GOOD, Message(N_("凭证有效，可以取文件和回复")))
