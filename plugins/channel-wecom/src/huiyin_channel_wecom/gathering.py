"""From messages to one matter: a conversation grows while it is talked, and ends when quiet.

The jobs of a message are done in any order and more than once; the contact's row is the lock.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import Case, TenantContext, arrival_of, now, uuid7
from huiyin_channel_wecom import binding, bundling
from huiyin_channel_wecom.models import Contact, Conversation, Incoming
from huiyin_channel_wecom.said import Said, read
from huiyin_channel_wecom.settings import ChannelWecomSettings

HAND: Final = "hand"
FETCH: Final = "fetch"
SYNC: Final = "sync"
COMPLAINT: Final = re.compile(r"投诉|举报|維權|维权|complain", re.IGNORECASE)
ANEW: Final = re.compile(r"^\s*(新投诉|另一件投诉|new complaint)", re.IGNORECASE)
PATIENCE: Final = 6  # tries to let an earlier conversation find its place first
A_MOMENT: Final = timedelta(minutes=1)
OPENING: Final = 60  # characters
SUBSTANCE: Final = 20  # characters that say more than "我要投诉"


def take(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Take one kept message to its conversation."""
    row = _message(ctx, payload)
    if row is None or row.done:
        return
    said = read(row.source, row.raw)
    row.done = True
    if said is None:
        return
    row.said_at = said.at or row.kept_at
    if not said.who:
        if said.event == "kf_msg_or_event" and said.account:
            ctx.enqueue(SYNC, {"account": said.account, "hint": said.hint}, key=f"e:{row.id}")
        return
    if not said.external_id:
        return
    contact = contact_of(ctx, said)
    if said.who == "customer":
        _hear(contact, row.said_at)
        if binding.is_code(said.text):
            binding.answer(ctx, contact, row, said.text)
            said = read(row.source, row.raw)
            if said is None:
                return
    _put(ctx, contact, row, said)


def contact_of(ctx: TenantContext, said: Said) -> Contact:
    """The account's row, locked."""
    ctx.session.execute(
        insert(Contact)
        .values(
            tenant_id=ctx.session.tenant, id=uuid7(), road=said.road, account=said.account,
            external_id=said.external_id, bound_how="", bound_name="", sent_since=0, tries=0,
            version=1, created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "road", "account", "external_id"])
    )  # fmt: skip
    return ctx.session.scalars(
        select(Contact)
        .where(
            Contact.road == said.road, Contact.account == said.account,
            Contact.external_id == said.external_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip


def _hear(contact: Contact, at: datetime) -> None:
    """They wrote: we may answer again.  What comes late does not turn the clock back."""
    if contact.heard_at is None or at > contact.heard_at:
        contact.heard_at, contact.sent_since = at, 0


def _put(ctx: TenantContext, contact: Contact, row: Incoming, said: Said) -> None:
    talk = _open(ctx, contact)
    if talk is None:
        if said.who == "staff":
            return  # a colleague's answer begins no complaint
        talk = Conversation(
            id=uuid7(), contact_id=contact.id, started_at=row.said_at, last_at=row.said_at,
            opening="", messages=0, anew=False, ripe=False,
        )  # fmt: skip
        ctx.session.add(talk)
        ctx.session.flush()
    assert row.said_at is not None  # noqa: S101 - set above
    row.conversation_id = talk.id
    talk.messages += 1
    if said.who == "customer" and not talk.opening:
        talk.opening = said.text.partition("\n")[0][:OPENING]
    talk.started_at = min(talk.started_at, row.said_at)
    talk.last_at = max(talk.last_at, row.said_at)
    talk.last_id, talk.ripe = row.id, False
    talk.anew = talk.anew or (said.who == "customer" and bool(ANEW.match(said.text)))
    if said.media_id:
        row.file_state = "waiting"
        ctx.enqueue(FETCH, {"message": row.id}, key=str(row.id))
    _plan(ctx, talk, row, said)


def _open(ctx: TenantContext, contact: Contact) -> Conversation | None:
    return ctx.session.scalar(
        select(Conversation)
        .where(Conversation.contact_id == contact.id, Conversation.state == "open")
        .with_for_update()
    )


def _plan(ctx: TenantContext, talk: Conversation, row: Incoming, said: Said) -> None:
    """When to hand it in: at once when it says that it is a complaint, else when it is quiet."""
    chosen = ctx.settings(ChannelWecomSettings)
    says = said.who == "customer" and says_complaint(said.text) and len(said.text) >= SUBSTANCE
    due = (
        None
        if says or talk.messages >= bundling.FULL
        else ctx.now() + timedelta(minutes=chosen.quiet)
    )
    ctx.enqueue(
        HAND, {"conversation": talk.id, "last": row.id}, key=f"{talk.id}:{row.id}", due_at=due
    )


def says_complaint(text: str) -> bool:
    return bool(COMPLAINT.search(text))


# -- handing in --------------------------------------------------------------------------------


def hand(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Hand a conversation in, unless somebody went on writing or a file is still to come."""
    talk = find_conversation(ctx, uuid.UUID(str(payload["conversation"])), lock=True)
    if talk is None or talk.state != "open":
        return
    if str(payload.get("last", "")) != str(talk.last_id) and talk.messages < bundling.FULL:
        return  # the later message's job does it
    if bundling.waits(ctx, talk):
        talk.ripe = True  # the file's job does it
        return
    chosen = ctx.settings(ChannelWecomSettings)
    contact = ctx.session.get_one(Contact, (ctx.session.tenant, talk.contact_id))
    if chosen.take == "said" and contact.case_id is None and not _is_complaint(ctx, talk):
        talk.state = "passed"  # a person may still hand it in
        return
    tried = int(payload.get("try", 1))
    if tried < PATIENCE and _follows_closely(ctx, contact):
        again = {"conversation": talk.id, "last": talk.last_id, "try": tried + 1}
        due = ctx.now() + A_MOMENT
        ctx.enqueue(HAND, again, key=f"{talk.id}:{talk.last_id}:{tried + 1}", due_at=due)
        return
    hand_in(ctx, talk)


def _follows_closely(ctx: TenantContext, contact: Contact) -> bool:
    """Whether the conversation before is still on its way to a case that this may belong to."""
    before = ctx.session.scalar(
        select(Conversation.arrival_id)
        .where(Conversation.contact_id == contact.id, Conversation.arrival_id.is_not(None))
        .order_by(Conversation.handed_at.desc(), Conversation.id.desc())
        .limit(1)
    )
    arrival = arrival_of(ctx, str(before)) if before else None
    if arrival is None:
        return False
    unbound = arrival.state == "filed" and contact.version == 1
    return arrival.state == "received" or unbound


def hand_in(ctx: TenantContext, talk: Conversation) -> None:
    """One arrival of what was said; what has no room in it follows in another."""
    contact = ctx.session.get_one(Contact, (ctx.session.tenant, talk.contact_id))
    case = bound_case(ctx, contact)
    number = case.number if case and not talk.anew else ""
    messages = bundling.messages_of(ctx, talk.id)
    fits = bundling.fitting(messages)
    receipt = bundling.hand_in(ctx, contact, talk, messages[:fits], number)
    talk.state, talk.arrival_id, talk.handed_at = "handed", receipt.id, ctx.now()
    if messages:
        _go_on(ctx, talk, messages[fits - 1][0])


def _go_on(ctx: TenantContext, talk: Conversation, last: Incoming) -> None:
    """The rest is a conversation of its own, handed in once the first has found its place."""
    later = (
        Incoming.conversation_id == talk.id,
        tuple_(Incoming.said_at, Incoming.id) > (last.said_at, last.id),
    )
    order = (Incoming.said_at, Incoming.id)
    rest = ctx.session.execute(select(Incoming.id, Incoming.said_at).where(*later).order_by(*order))
    if not (rows := rest.all()):
        return
    talk.messages -= len(rows)
    ctx.session.flush()
    more = Conversation(
        id=uuid7(), contact_id=talk.contact_id, started_at=rows[0].said_at,
        last_at=rows[-1].said_at, messages=len(rows), last_id=rows[-1].id, anew=False, ripe=False,
    )  # fmt: skip
    ctx.session.add(more)
    ctx.session.flush()
    ctx.session.execute(update(Incoming).where(*later).values(conversation_id=more.id))
    due = ctx.now() + A_MOMENT
    said = {"conversation": more.id, "last": more.last_id}
    ctx.enqueue(HAND, said, key=f"{more.id}:{more.last_id}", due_at=due)


def hand_in_now(ctx: TenantContext, talk: Conversation) -> None:
    """A person says so; what is still being fetched is left out."""
    if talk.state in {"open", "passed"}:
        hand_in(ctx, talk)


def bound_case(ctx: TenantContext, contact: Contact) -> Case | None:
    """The case whose complainant this account is."""
    if contact.case_id is None:
        return None
    return ctx.session.get(Case, (ctx.session.tenant, contact.case_id))


def _is_complaint(ctx: TenantContext, talk: Conversation) -> bool:
    return any(
        said.who == "customer" and says_complaint(said.text)
        for _, said in bundling.messages_of(ctx, talk.id)
    )


def find_conversation(
    ctx: TenantContext, conversation_id: uuid.UUID, *, lock: bool = False
) -> Conversation | None:
    query = select(Conversation).where(Conversation.id == conversation_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return ctx.session.scalar(query)


def _message(ctx: TenantContext, payload: Mapping[str, Any]) -> Incoming | None:
    return ctx.session.scalar(
        select(Incoming)
        .where(Incoming.id == uuid.UUID(str(payload["message"])))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
