"""The card beside a case: whose chat belongs to it, may it be answered, how did answers fare."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from huiyin.sdk import N_, Case, Message, Panel, Ready, TenantContext
from huiyin_channel_wecom import answering
from huiyin_channel_wecom import wording as w
from huiyin_channel_wecom.models import Contact, Conversation, Outgoing
from huiyin_channel_wecom.pages import TALKS, reason, short
from huiyin_channel_wecom.roads import ROADS

LINES: Final = 5
_CONTACT: Final = Ready(
    select(
        Contact.id, Contact.road, Contact.external_id, Contact.heard_at, Contact.sent_since,
        Contact.bound_how,
        select(Conversation.id)
        .where(Conversation.contact_id == Contact.id)
        .order_by(Conversation.last_at.desc())
        .limit(1)
        .scalar_subquery()
        .label("talk"),
    )
    .where(Contact.case_id == bindparam("case"))
    .order_by(Contact.heard_at.desc().nulls_last(), Contact.id)
    .limit(1)
)  # fmt: skip
_ANSWERS: Final = (
    select(Outgoing.what, Outgoing.state, Outgoing.code, Outgoing.made_at, Outgoing.sent_at)
    .order_by(Outgoing.made_at.desc(), Outgoing.id.desc())
    .limit(LINES)
)


def beside_case(ctx: TenantContext, case: Case) -> Panel | None:
    """Nothing beside a case that no chat belongs to."""
    contact = _CONTACT.run(ctx.session, case=case.id).one_or_none()
    if contact is None:
        return None
    answers = ctx.session.execute(_ANSWERS.where(Outgoing.case_id == case.id)).all()
    body = ctx.render(
        "channel_wecom/panel.html", contact=contact, answers=answers, w=w, roads=ROADS, short=short,
        closed=reason(
            answering.why_not(ctx, contact.road, contact.heard_at, contact.sent_since)
        ),
        may_see=ctx.actor.can(TALKS),
    )  # fmt: skip
    return Panel(Message(N_("会话")), body)
