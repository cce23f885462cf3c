"""What the pages of conversations read: fixed numbers of queries, keyset-paged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select, tuple_

from huiyin.sdk import (
    N_,
    Actor,
    Case,
    Conflict,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    find_case,
    may_know_arrival,
    visible_cases,
    whole,
)
from huiyin_channel_wecom import binding, gathering
from huiyin_channel_wecom.models import Contact, Conversation, Outgoing

PAGE: Final = 30
ANSWERS: Final = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One page; ``after`` is the key of the next, ``""`` on the last."""

    rows: Sequence[Any]
    after: str


def listed(ctx: TenantContext, state: str, after: str) -> Listed:
    """Newest first; what has to do with a case that is hidden from this person is not there."""
    query = (
        select(
            Conversation.id, Conversation.state, Conversation.messages, Conversation.last_at,
            Conversation.opening,
            Contact.road, Contact.external_id, Case.number,
        )
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Case, Case.id == Contact.case_id)
        .where(or_(Contact.case_id.is_(None), visible_cases(ctx.actor)), _open_to(ctx.actor))
        .order_by(Conversation.last_at.desc(), Conversation.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    if state:
        query = query.where(Conversation.state == state)
    if key := _key(after):
        query = query.where(tuple_(Conversation.last_at, Conversation.id) < key)
    rows = ctx.session.execute(query).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Listed(rows[:PAGE], f"{last.last_at.timestamp():.6f}_{last.id}" if last else "")


def _open_to(actor: Actor) -> ColumnElement[bool]:
    """What was handed in has a place of its own, whatever its account belongs to by now."""
    arrival = Conversation.arrival_id
    return or_(arrival.is_(None), may_know_arrival(actor, arrival))


def _key(after: str) -> tuple[datetime, uuid.UUID] | None:
    stamp, _, ident = after.partition("_")
    seconds, _, rest = stamp.partition(".")
    number, micro = whole(seconds, most=10), whole(rest, most=6)
    if number is None or micro is None or len(rest) != 6:
        return None
    try:
        from_id = uuid.UUID(ident)
    except ValueError:
        return None
    return datetime.fromtimestamp(number, UTC).replace(microsecond=micro), from_id


def find(
    ctx: TenantContext, conversation_id: uuid.UUID, *, lock: bool = False
) -> tuple[Conversation, Contact]:
    """A conversation this person may know of.  Raises ``NotFound``."""
    talk = gathering.find_conversation(ctx, conversation_id, lock=lock)
    if talk is None:
        raise NotFound
    query = select(Contact).where(Contact.id == talk.contact_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    contact = ctx.session.scalars(query).one()
    case = gathering.bound_case(ctx, contact)
    if case is not None and not case.visible_to(ctx.actor):
        raise NotFound
    here = select(Conversation.id).where(Conversation.id == talk.id, _open_to(ctx.actor))
    if ctx.session.scalar(here) is None:
        raise NotFound
    return talk, contact


def answers(ctx: TenantContext, contact: Contact) -> Sequence[Outgoing]:
    """What was sent to this account lately, the newest first."""
    return ctx.session.scalars(
        select(Outgoing)
        .where(Outgoing.contact_id == contact.id)
        .order_by(Outgoing.made_at.desc(), Outgoing.id.desc())
        .limit(ANSWERS)
    ).all()


def bind(ctx: TenantContext, contact: Contact, number: str, reason: str, rev: int | None) -> None:
    """An officer has made sure whose account it is, and says how.

    Raises ``Invalid`` (``number``, ``reason``) and ``Conflict``.
    """
    _same(contact, rev)
    if contact.road == "app":
        raise Conflict(N_("这是本机构成员的账号，不能关联为投诉人"))
    faults = {}
    if not reason:
        faults["reason"] = Message(N_("请写明怎样核实了对方是投诉人本人"))
    try:
        case = find_case(ctx.session, ctx.actor, number.strip().upper())
    except NotFound:
        faults["number"] = Message(N_("没有找到这件投诉，请核对案件编号"))
    if faults:
        raise Invalid(faults)
    binding.bind(ctx, contact, case, "officer", ctx.actor.name, reason)


def unbind(ctx: TenantContext, contact: Contact, rev: int | None) -> None:
    _same(contact, rev)
    binding.unbind(ctx, contact)


def _same(contact: Contact, rev: int | None) -> None:
    if rev != contact.version:
        raise Conflict(N_("这个账号刚被其他人更新，请核对后再保存"))
