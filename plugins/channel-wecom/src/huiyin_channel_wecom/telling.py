"""What the platform tells us, and who in a chat hears of it."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import select

from huiyin.sdk import Audience, Case, Entry, EntryKind, Event, TenantContext
from huiyin_channel_wecom import answering, binding, robots
from huiyin_channel_wecom.keeping import CHANNEL
from huiyin_channel_wecom.models import Contact, Conversation
from huiyin_channel_wecom.settings import ChannelWecomSettings

LISTENS: Final = (
    "arrival.settled", "message.sent", "letter.sent", "case.filed", "clock.due",
)  # fmt: skip
# What a machine or a person has put aside is not answered.
_SILENT: Final = frozenset({"spam", "unreadable", "member"})


def heard(ctx: TenantContext, event: Event) -> None:
    """Every event that we listen to; told twice, it acts once."""
    robots.notify(ctx, event)
    if event.kind == "arrival.settled" and event.payload.get("channel") == CHANNEL:
        _settled(ctx, event)
    elif event.kind in {"message.sent", "letter.sent"}:
        _written(ctx, event)


# -- our own arrivals --------------------------------------------------------------------------


def _settled(ctx: TenantContext, event: Event) -> None:
    """A conversation found its place: its account may be known from now on, and is told."""
    talk = ctx.session.scalar(
        select(Conversation).where(Conversation.arrival_id == event.object_id)
    )
    if talk is None:
        return
    contact = ctx.session.scalars(
        select(Contact).where(Contact.id == talk.contact_id).with_for_update()
    ).one()
    said = event.payload
    case = _case(ctx, str(said.get("case", "")))
    filed = said.get("state") == "filed" and case is not None and contact.road != "app"
    if ctx.settings(ChannelWecomSettings).confirm:
        _confirm(ctx, contact, event, case)
    if filed and case is not None and contact.case_id != case.id:
        binding.bind(ctx, contact, case, "filed")


def _confirm(ctx: TenantContext, contact: Contact, event: Event, case: Case | None) -> None:
    state, reason = str(event.payload.get("state")), str(event.payload.get("reason"))
    if reason in _SILENT or answering.had_enough(ctx, contact):
        return
    # Whoever's chat a case was filed from is its complainant, and may have the code.
    what = {"filed": "filed_code", "joined": "joined", "waiting": "waiting"}.get(state)
    if what == "joined" and reason == "decided":
        return  # whether it is the complainant's account, nobody has said
    if what:
        answering.ask(ctx, contact, what, key=f"settled:{event.object_id}:{state}", case=case)


def _case(ctx: TenantContext, number: str) -> Case | None:
    return ctx.session.scalar(select(Case).where(Case.number == number)) if number else None


# -- what the firm writes ----------------------------------------------------------------------


def _written(ctx: TenantContext, event: Event) -> None:
    """A message or letter to the complainant: to the chat too, if one is known to be theirs."""
    contact = of_case(ctx, event.object_id)
    case = ctx.session.get(Case, (ctx.session.tenant, event.object_id))
    if contact is None or case is None:
        return
    if event.kind == "letter.sent":
        answering.ask(ctx, contact, "letter", key=f"event:{event.id}", case=case)
        return
    entry = ctx.session.get(Entry, (ctx.session.tenant, uuid.UUID(str(event.payload["entry"]))))
    if entry is None or entry.kind != EntryKind.MESSAGE_OUT:
        return
    if entry.audience == Audience.COMPLAINANT:
        answering.ask(
            ctx, contact, "message", key=f"event:{event.id}", case=case, entry_id=entry.id
        )


def of_case(ctx: TenantContext, case_id: uuid.UUID) -> Contact | None:
    """The account that is certainly the complainant's; of several the one that wrote last."""
    return ctx.session.scalar(
        select(Contact)
        .where(Contact.case_id == case_id, Contact.road != "app")
        .order_by(Contact.heard_at.desc().nulls_last(), Contact.id)
        .limit(1)
    )
