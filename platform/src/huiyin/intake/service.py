"""Keeping what comes in, and an officer's decision about where it belongs."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import Select, select

from huiyin.cases.change import find
from huiyin.cases.models import Case
from huiyin.db import ScopedSession
from huiyin.evidence.holding import holds_blobs
from huiyin.evidence.store import blobs
from huiyin.identity.actor import Actor
from huiyin.intake import placing, queries
from huiyin.intake.errors import AlreadySettled
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.intake.schemas import UNREAD, Party, Raw, Reading, Receipt, SettleForm
from huiyin.kit.errors import Conflict, Invalid, NotFound, Stale
from huiyin.kit.failpoints import failpoint
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.text import clean, storable
from huiyin.kit.time import now
from huiyin.ledger import service as ledger
from huiyin.queue import service as queue

READ: Final = "intake.read"
LARGEST: Final = 30 * 1024 * 1024  # bytes of one arrival
_KEY: Final = 200
_FUTURE: Final = timedelta(minutes=5)
_OPEN: Final = frozenset({ArrivalState.WAITING.value, ArrivalState.IGNORED.value})


def receive(session: ScopedSession, actor: Actor, raw: Raw) -> Receipt:
    """Keep what came, and a job to read it.  Acknowledge it after the commit, not before.

    The same delivery twice is one arrival.  Raises ``TooLarge`` beyond ``LARGEST``, and
    ``StorageFull``; then nothing is kept.
    """
    sha256 = hashlib.sha256(raw.data).hexdigest()
    key = raw.key[:_KEY] or sha256
    known = session.scalar(
        select(Arrival.id).where(Arrival.channel == raw.channel, Arrival.key == key)
    )
    if known is not None:
        return Receipt(id=known, fresh=False)
    blob = blobs().put(session.tenant, raw.data, LARGEST)
    failpoint("intake.after_blob")
    moment = now()
    came = min(raw.received_at or moment, moment + _FUTURE)
    arrival = Arrival(
        id=uuid7(), channel=raw.channel, key=key, raw_key=blob.key, raw_sha256=blob.sha256,
        raw_size=blob.size, received_at=came, reading={}, candidates=[],
        envelope={name: storable(value)[:1000] for name, value in raw.envelope.items()},
    )  # fmt: skip
    session.add(arrival)
    queue.enqueue(session, READ, {"arrival": arrival.id}, key=f"{READ}:{arrival.id}")
    session.flush()
    ledger.append(
        session, kind="arrival.received", object_id=arrival.id, actor_id=actor.id,
        facts={"channel": raw.channel, "raw_sha256": blob.sha256, "size": blob.size},
    )  # fmt: skip
    failpoint("intake.after_insert")
    return Receipt(id=arrival.id, fresh=True)


@holds_blobs
def _raw_blobs() -> Select[str, str]:
    return select(Arrival.raw_key, Arrival.raw_sha256)


def find_arrival(
    session: ScopedSession, actor: Actor, arrival_id: uuid.UUID, *, lock: bool = False
) -> Arrival:
    """An arrival this person may know of: not of a case that is hidden from them, nor perhaps of
    one in which they are named.

    Raises ``NotFound``.
    """
    query = select(Arrival).where(Arrival.id == arrival_id, queries.open_to(actor.id))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    arrival = session.scalar(query)
    if arrival is None or not _may_know(session, actor, arrival):
        raise NotFound
    return arrival


def _may_know(session: ScopedSession, actor: Actor, arrival: Arrival) -> bool:
    if arrival.case_id is None:
        return True
    case = session.get(Case, (session.tenant, arrival.case_id))
    return case is not None and case.visible_to(actor)


def decide(
    session: ScopedSession, actor: Actor, arrival_id: uuid.UUID, form: SettleForm, *, rev: int
) -> Arrival:
    """Put an arrival where a person says.

    Raises ``AlreadySettled``, ``Stale``, ``Invalid`` (``number``, ``reason``), and whatever the
    case itself holds against it.
    """
    arrival = find_arrival(session, actor, arrival_id, lock=True)
    if arrival.state not in _OPEN:
        raise AlreadySettled
    if rev != arrival.version:
        raise Stale
    arrival.note = form.reason
    if form.to == "nothing":
        if not form.reason:
            raise Invalid({"reason": Message(N_("请写明为什么不需要处理"))})
        placing.settle(session, actor, arrival, ArrivalState.IGNORED, "dismissed", None)
        return arrival
    _put(session, actor, arrival, form)
    return arrival


def is_unread(arrival: Arrival) -> bool:
    """Whether a person has to read the original, because nothing else could."""
    return arrival.state in _OPEN and bool(UNREAD & set(arrival.reading.get("faults", ())))


def read_again(session: ScopedSession, actor: Actor, arrival_id: uuid.UUID, *, rev: int) -> None:
    """Let what could not be read be read once more, as after a mended reader.

    Raises ``AlreadySettled`` and ``Stale``.
    """
    arrival = find_arrival(session, actor, arrival_id, lock=True)
    if not is_unread(arrival):
        raise AlreadySettled
    if rev != arrival.version:
        raise Stale
    arrival.state, arrival.reason = ArrivalState.RECEIVED.value, ""
    arrival.settled_at = arrival.settled_by = None
    arrival.settled_name = arrival.note = ""
    arrival.version += 1
    key = f"{READ}:{arrival.id}:{arrival.version}"
    queue.enqueue(session, READ, {"arrival": arrival.id}, key=key)
    session.flush()
    ledger.append(
        session, kind="arrival.read_again", object_id=arrival.id, actor_id=actor.id,
        facts={"raw_sha256": arrival.raw_sha256},
    )  # fmt: skip


def _put(session: ScopedSession, actor: Actor, arrival: Arrival, form: SettleForm) -> None:
    """By what was read when it came: nothing is parsed while somebody waits for a page."""
    reading = _by_hand(arrival, form)
    if form.to == "new":
        case = placing.file_new(session, actor, arrival, reading, author_of(arrival))
        state = ArrivalState.FILED
    else:
        case = _chosen(session, actor, form.number)
        placing.join(session, arrival, reading, case, author_of(arrival))
        state = ArrivalState.JOINED
    placing.hand_over_later(session, arrival, case)
    placing.settle(session, actor, arrival, state, "decided", case)


def _by_hand(arrival: Arrival, form: SettleForm) -> Reading:
    """What was read, or what a person read in the original where nothing else could."""
    reading = placing.kept_reading(arrival)
    if not is_unread(arrival):
        return reading
    if form.address:
        arrival.sender_name, arrival.sender_address = "", form.address
    return msgspec.structs.replace(reading, text=form.words)


def _chosen(session: ScopedSession, actor: Actor, number: str) -> Case:
    try:
        case = find(session, actor, number.strip().upper())
    except NotFound:
        raise Invalid({"number": Message(N_("没有找到这件投诉，请核对案件编号"))}) from None
    if not case.is_open:
        raise Conflict(N_("这件投诉已经结束，请登记为新投诉，或先重启后再并入"))
    return case


def author_of(arrival: Arrival) -> Party:
    """Who wrote it, as recognised when it was read."""
    known = arrival.sender_address
    if known and known == clean(placing.kept_reading(arrival).sender.handle):
        return Party(name=arrival.sender_name, handle=known)
    return Party(name=arrival.sender_name, address=known)
