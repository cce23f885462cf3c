"""Handing over what a channel receives, and looking at what became of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from huiyin.cases.models import Case
from huiyin.cases.queries import visible
from huiyin.identity.actor import Actor
from huiyin.intake import service
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.intake.queries import open_to
from huiyin.intake.recognition import OURS
from huiyin.intake.schemas import Raw, Receipt
from huiyin.letters.replies import reply_address
from huiyin.parties.models import Investor
from huiyin.plugins.context import TenantContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Something that came in, for whoever confirms it.

    ``state`` is waiting, filed, joined, returned, ignored or duplicate; ``case_number`` is empty
    while it belongs to no case.  ``reply_to`` is the address an answer about it should come to,
    ``about`` the id in the Message-ID of our own mail that it reports of.
    """

    id: uuid.UUID
    channel: str
    state: str
    message_id: str
    sender_address: str
    case_number: str
    reply_to: str
    about: uuid.UUID | None = None


def receive(ctx: TenantContext, raw: Raw) -> Receipt:
    """Keep what came in, to be read by the channel's reader soon.

    Tell the other side that it was received only after the transaction has committed.  The same
    delivery twice gives one arrival.  Raises ``TooLarge`` and ``StorageFull``, keeping nothing.
    """
    return service.receive(ctx.session, ctx.actor, raw)


def arrival_of(ctx: TenantContext, arrival_id: str) -> Arrived | None:
    """What became of one arrival, by the id of its event."""
    arrival = ctx.session.get(Arrival, (ctx.session.tenant, uuid.UUID(arrival_id)))
    if arrival is None:
        return None
    case = None
    if arrival.case_id is not None:
        case = ctx.session.get(Case, (ctx.session.tenant, arrival.case_id))
    mailbox = ctx.tenant.mailbox
    return Arrived(
        id=arrival.id, channel=arrival.channel, state=arrival.state,
        message_id=arrival.message_id, sender_address=arrival.sender_address,
        case_number=case.number if case else "",
        reply_to=reply_address(mailbox, case.id) if case else mailbox, about=_about(arrival),
    )  # fmt: skip


def may_know_arrival(
    actor: Actor, arrival_id: InstrumentedAttribute[uuid.UUID | None]
) -> ColumnElement[bool]:
    """Whether this person may know of the arrival of that id: not of a case that is hidden from
    them, nor of what waits and may belong to one in which they are named."""
    known = select(Case.id).where(Case.id == Arrival.case_id, visible(actor)).correlate(Arrival)
    return (
        select(Arrival.id)
        .where(
            Arrival.id == arrival_id, open_to(actor.id),
            or_(Arrival.case_id.is_(None), known.exists()),
        )
        .exists()
    )  # fmt: skip


def arrivals_from(ctx: TenantContext, address: str, *, since: datetime) -> int:
    """How many arrivals this address, in whatever case, has sent since; no duplicates."""
    found = select(func.count()).select_from(Arrival).where(
        func.lower(Arrival.sender_address) == address.lower(), Arrival.received_at >= since,
        Arrival.state != ArrivalState.DUPLICATE.value,
    )  # fmt: skip
    return ctx.session.scalars(found).one()


def arrivals_waiting(ctx: TenantContext, channel: str) -> int:
    """How many arrivals of a channel wait for a person."""
    found = select(func.count()).select_from(Arrival).where(
        Arrival.channel == channel, Arrival.state == ArrivalState.WAITING.value
    )  # fmt: skip
    return ctx.session.scalars(found).one()


def last_arrival(ctx: TenantContext, channel: str) -> datetime | None:
    """When something last came in by a channel."""
    found = select(Arrival.received_at).where(Arrival.channel == channel)
    return ctx.session.scalar(
        found.order_by(Arrival.received_at.desc(), Arrival.id.desc()).limit(1)
    )


def _about(arrival: Arrival) -> uuid.UUID | None:
    bounce = arrival.reading.get("bounce") or {}
    found = OURS.fullmatch(str(bounce.get("original_id", "")))
    return uuid.UUID(found[1]) if found else None


def last_message_id(ctx: TenantContext, case: Case, channel: str) -> str:
    """The Message-ID of the last thing that came in for a case by a channel, else ``""``."""
    found = ctx.session.scalar(
        select(Arrival.message_id)
        .where(Arrival.case_id == case.id, Arrival.channel == channel, Arrival.message_id != "")
        .order_by(Arrival.received_at.desc(), Arrival.id.desc())
        .limit(1)
    )
    return found or ""


def reply_to(ctx: TenantContext, case: Case) -> str:
    """The address to which answers about a case should come, with its mark where that works."""
    return reply_address(ctx.tenant.mailbox, case.id)


def complainant_address(ctx: TenantContext, case: Case) -> str:
    """The mail address of a case's complainant, ``""`` for none; for sending, never for showing."""
    if case.complainant_id is None or case.anonymous:
        return ""
    return ctx.session.get_one(Investor, (ctx.session.tenant, case.complainant_id)).email
