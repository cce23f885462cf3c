"""How the mailbox is, in lines with what to do about them; and a test of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from huiyin.sdk import (
    N_,
    Check,
    Condition,
    Mail,
    Message,
    Retry,
    TenantContext,
    Undeliverable,
    arrivals_waiting,
    can_mail,
    last_arrival,
    local,
    mail_domain,
    send_mail,
    uuid7,
)
from huiyin_channel_email import listener, pulling
from huiyin_channel_email.intake import CHANNEL
from huiyin_channel_email.settings import ChannelEmailSettings

GOOD, WARN, BAD = Condition.GOOD, Condition.WARN, Condition.BAD
PULL: Final = N_("从邮箱收取")
SEND: Final = N_("发信")


def health(ctx: TenantContext) -> Sequence[Check]:
    """What the health card shows: how mail comes in, when it last did, what waits."""
    return tuple(_lines(ctx))


def _lines(ctx: TenantContext) -> Iterator[Check]:
    chosen = ctx.settings(ChannelEmailSettings)
    if address := own_address(ctx):
        yield Check(Message(N_("收信地址")), GOOD, Message("{address}", {"address": address}))
    elif not chosen.pull:
        detail = Message(N_("请开启从邮箱收取，或由平台运营设置收信域名"))
        yield Check(Message(N_("没有收信方式")), BAD, detail)
    if chosen.pull:
        yield _pulled(ctx)
    last = last_arrival(ctx, CHANNEL)
    if last is None:
        yield Check(Message(N_("还没有收到过来信")), WARN, Message(N_("可发送测试核对")))
    else:
        when = {"when": f"{local(last):%Y-%m-%d %H:%M}"}
        yield Check(Message(N_("最近来信")), GOOD, Message("{when}", when))
    if waiting := arrivals_waiting(ctx, CHANNEL):
        detail = Message(N_("共 {n} 封，请在「来件」中判定去向"), {"n": waiting})
        yield Check(Message(N_("来信待识别")), WARN, detail)
    yield _sending()


def own_address(ctx: TenantContext) -> str:
    """Where the firm's mail comes to this installation, if somebody listens there."""
    domain = mail_domain()
    return f"{ctx.tenant.slug}@{domain}" if domain and listener.address() else ""


def _pulled(ctx: TenantContext) -> Check:
    row = pulling.state_of(ctx)
    if row is None:
        return Check(Message(PULL), WARN, Message(N_("尚未开始，请稍后查看")))
    if row.error:
        return Check(Message(PULL), BAD, Message(pulling.ERRORS[row.error]))
    when = f"{local(row.good_at):%Y-%m-%d %H:%M}" if row.good_at else "--"
    said = Message(N_("{when} 查看过，共收取 {n} 封"), {"when": when, "n": row.taken})
    return Check(Message(PULL), GOOD, said)


def _sending() -> Check:
    if can_mail():
        return Check(Message(SEND), GOOD)
    return Check(Message(SEND), WARN, Message(N_("平台没有设置发信服务器，文书只在门户可查")))


def test(ctx: TenantContext) -> Sequence[Check]:
    """Look into the mailbox, and send a mail to it."""
    found = []
    chosen = ctx.settings(ChannelEmailSettings)
    if chosen.pull:
        found.append(_try_mailbox(chosen))
    found.append(_try_sending(ctx))
    return found


def _try_mailbox(chosen: ChannelEmailSettings) -> Check:
    try:
        with pulling.mailbox(chosen) as client:
            unseen = len(client.search(["UNSEEN"]))
    except pulling.Trouble as trouble:
        return Check(Message(PULL), BAD, Message(pulling.ERRORS[trouble.code]))
    return Check(Message(PULL), GOOD, Message(N_("登录成功，{n} 封未读"), {"n": unseen}))


def _try_sending(ctx: TenantContext) -> Check:
    to = own_address(ctx) or ctx.tenant.mailbox
    if not can_mail() or "@" not in to:
        return Check(Message(SEND), WARN, Message(N_("没有发信服务器或投诉邮箱，未发送测试邮件")))
    mail = Mail(
        id=uuid7(), to=to, subject=ctx.text(N_("渠道测试")),
        text=ctx.text(N_("这是一封测试邮件，用于核对投诉邮箱能否收到来信，不需要处理。")),
    )  # fmt: skip
    try:
        send_mail(ctx, mail)
    except Undeliverable as refused:
        code = {"code": refused.code}
        return Check(Message(SEND), BAD, Message(N_("服务器拒绝，代码 {code}"), code))
    except Retry:
        return Check(Message(SEND), BAD, Message(N_("发信服务器暂时无法连接")))
    said = Message(N_("已发往 {address}，收到后会列在来件的「未处理」中"), {"address": to})
    return Check(Message(SEND), GOOD, said)
