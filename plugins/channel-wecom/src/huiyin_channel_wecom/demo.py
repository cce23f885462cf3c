"""A made-up firm's chats, kept and taken through the same services that real ones use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

from sqlalchemy import select

from huiyin.sdk import Case, CaseState, TenantContext
from huiyin_channel_wecom import binding, gathering, keeping
from huiyin_channel_wecom.models import Contact, Conversation, Incoming

KNOWN: Final = "oDemoZhou_c81M"  # for certain a complainant
MEMBER: Final = "liuyang"  # passes on what somebody else said
ASKING: Final = "oDemoHe_w3Xa"
# Who, how many minutes ago, and what.
_LINES: Final = (
    (MEMBER, 190, "客户何女士来电，说和 {number} 一样没有收到季度报告，要投诉"),
    (MEMBER, 188, "合同约定季度结束后一个月内披露"),
    (MEMBER, 186, "她希望尽快补发，并说明原因，电话稍后登记"),
    (KNOWN, 95, "补充一下：合同和当时的确认邮件都找到了"),
    (KNOWN, 93, "需要的话我可以拍照发过来"),
    (ASKING, 44, "您好，请问上季度的对账单在哪里下载？"),
)
_XML: Final = (
    "<xml><ToUserName>gh_demo</ToUserName><FromUserName>{who}</FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType>text</MsgType><Content>{text}</Content>"
    "<MsgId>{number}</MsgId></xml>"
)


def fill(ctx: TenantContext) -> None:
    """One chat that belongs to a case, one that somebody decides about, one left unregistered."""
    cases = _in_hand(ctx)
    if not cases or ctx.session.scalar(select(Incoming.id).limit(1)) is not None:
        return
    for number, (who, minutes, text) in enumerate(_LINES, start=1):
        at = ctx.now() - timedelta(minutes=minutes)
        _hear(ctx, number, who, at, text.format(number=cases[-1].number))
    _known(ctx, cases[0])
    for talk in ctx.session.scalars(select(Conversation).order_by(Conversation.last_at)).all():
        contact = ctx.session.get_one(Contact, (ctx.session.tenant, talk.contact_id))
        if contact.external_id == ASKING:
            talk.state = "passed"
        else:
            gathering.hand_in(ctx, talk)


def _in_hand(ctx: TenantContext) -> Sequence[Case]:
    return ctx.session.scalars(
        select(Case)
        .where(Case.state == CaseState.OPEN.value, Case.channel == "web")
        .order_by(Case.received_at.desc(), Case.number)
        .limit(2)
    ).all()


def _hear(ctx: TenantContext, number: int, who: str, at: datetime, text: str) -> None:
    raw = _XML.format(
        who=who, at=int(at.timestamp()), text=escape(text), number=10_000_000 + number
    ).encode()
    key = keeping.key_of(raw)
    keeping.keep(ctx, "wecom" if who == MEMBER else "mp", key, raw)
    row = ctx.session.scalars(select(Incoming).where(Incoming.key == key)).one()
    gathering.take(ctx, {"message": str(row.id)})


def _known(ctx: TenantContext, case: Case) -> None:
    contact = ctx.session.scalars(select(Contact).where(Contact.external_id == KNOWN)).one()
    binding.bind(ctx, contact, case, "code")
