"""A made-up firm's chats, kept and taken through the same services that real ones use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

from sqlalchemy import select

from huiyin.sdk import Case, CaseState, TenantContext
from huiyin_channel_wecom import binding, gathering, keeping
from huiyin_channel_wecom.models import Contact, Conversation, Incoming

# Who, how many minutes ago, and what; ``@case`` is a case that is still open.
_LINES: Final = (
    ("oDemoLiu_7Qk2", 190, "我要投诉，10 月的信息披露一直没有收到，打电话也没有人回"),
    ("oDemoLiu_7Qk2", 188, "合同里写的是季度结束后一个月内披露"),
    ("oDemoLiu_7Qk2", 186, "请尽快补发，并说明为什么没有按时发"),
    ("oDemoZhou_c81M", 95, "补充一下：银行流水已经打出来了，赎回款确实还没有到账"),
    ("oDemoZhou_c81M", 93, "需要的话我可以把流水拍照发过来"),
    ("oDemoHe_w3Xa", 4, "您好，请问上季度的对账单在哪里下载？"),
)
_BOUND: Final = "oDemoZhou_c81M"
_XML: Final = (
    "<xml><ToUserName>gh_demo</ToUserName><FromUserName>{who}</FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType>text</MsgType><Content>{text}</Content>"
    "<MsgId>{number}</MsgId></xml>"
)


def fill(ctx: TenantContext) -> None:
    """One chat that becomes a case, one that belongs to one, one that is still going on."""
    if ctx.session.scalar(select(Incoming.id).limit(1)) is not None:
        return
    for number, (who, minutes, text) in enumerate(_LINES, start=1):
        at = ctx.now() - timedelta(minutes=minutes)
        _hear(ctx, number, who, at, text)
    _bind(ctx)
    for talk in ctx.session.scalars(select(Conversation).order_by(Conversation.last_at)).all():
        if talk.last_at < ctx.now() - timedelta(minutes=30):
            gathering.hand_in(ctx, talk)


def _hear(ctx: TenantContext, number: int, who: str, at: datetime, text: str) -> None:
    raw = _XML.format(
        who=who, at=int(at.timestamp()), text=escape(text), number=10_000_000 + number
    ).encode()
    key = keeping.key_of(raw)
    keeping.keep(ctx, "mp", key, raw)
    row = ctx.session.scalars(select(Incoming).where(Incoming.key == key)).one()
    gathering.take(ctx, {"message": str(row.id)})


def _bind(ctx: TenantContext) -> None:
    """The second is known to be the complainant of a case in hand."""
    contact = ctx.session.scalar(select(Contact).where(Contact.external_id == _BOUND))
    case = ctx.session.scalar(
        select(Case)
        .where(Case.state == CaseState.OPEN.value, Case.channel == "web")
        .order_by(Case.received_at.desc(), Case.number)
        .limit(1)
    )
    if contact is not None and case is not None:
        binding.bind(ctx, contact, case, "code")
