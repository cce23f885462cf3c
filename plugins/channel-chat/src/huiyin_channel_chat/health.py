"""How the chat is: hours, who is there, what waits, and whose pages show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from huiyin.sdk import N_, Check, Condition, Message, TenantContext, local
from huiyin_channel_chat import hours
from huiyin_channel_chat.models import Conversation, Fate, State
from huiyin_channel_chat.settings import ChannelChatSettings

GOOD, WARN, BAD = Condition.GOOD, Condition.WARN, Condition.BAD
DAYS: Final = {"workdays": N_("仅工作日"), "every_day": N_("每天")}


def health(ctx: TenantContext) -> Sequence[Check]:
    """What the health card shows, in two queries."""
    return tuple(_lines(ctx))


def _lines(ctx: TenantContext) -> Iterator[Check]:
    now, chosen = hours.now_of(ctx), ctx.settings(ChannelChatSettings)
    span = Message(
        N_("{days} {opens} 至 {closes}"),
        {"days": Message(DAYS[now.days]), "opens": now.opens, "closes": now.closes},
    )
    yield Check(Message(N_("服务时间")), GOOD, span)
    if now.door is hours.Door.ALONE:
        yield Check(Message(N_("服务时间内没有人在线")), BAD, Message(N_("访客会看到暂时无人接待")))
    elif now.names:
        names = {"names": "、".join(now.names)}
        yield Check(Message(N_("在线")), GOOD, Message("{names}", names))
    waiting, oldest, undecided, last = _state(ctx)
    if waiting and oldest:
        late = oldest < ctx.now() - timedelta(minutes=chosen.answer_minutes)
        yield Check(
            Message(N_("{n} 位访客等待接入"), {"n": waiting}), BAD if late else WARN,
            Message(N_("最早 {when} 发起"), {"when": f"{local(oldest):%m-%d %H:%M}"}),
        )  # fmt: skip
    if undecided:
        title = Message(N_("{n} 次对话待判定"), {"n": undecided})
        yield Check(title, WARN, Message(N_("一个工作日未判定的自动登记为投诉")))
    yield _embedded(chosen)
    if last is None:
        yield Check(Message(N_("还没有对话")), WARN, Message(N_("可从公开页面发起一次核对")))
    else:
        when = {"when": f"{local(last):%Y-%m-%d %H:%M}"}
        yield Check(Message(N_("最近对话")), GOOD, Message("{when}", when))


def _state(ctx: TenantContext) -> tuple[int, datetime | None, int, datetime | None]:
    waits = Conversation.state == State.WAITING.value
    row = ctx.session.execute(
        select(
            func.count().filter(waits),
            func.min(Conversation.began_at).filter(waits),
            func.count().filter(Conversation.fate == Fate.UNDECIDED.value),
            func.max(Conversation.last_at),
        )
    ).one()
    return row[0], row[1], row[2], row[3]


def _embedded(chosen: ChannelChatSettings) -> Check:
    if chosen.origins:
        sites = Message("{sites}", {"sites": "、".join(chosen.origins)})
        return Check(Message(N_("可嵌入的网站")), GOOD, sites)
    return Check(
        Message(N_("没有登记可嵌入的网站")), WARN, Message(N_("公开页面可用，本机构网站上不能嵌入"))
    )
