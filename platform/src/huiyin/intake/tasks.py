"""Reading what came in; and filing what nobody recognised within a working day."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.clocks.service import calendar
from huiyin.db import ScopedSession
from huiyin.identity.actor import system_actor
from huiyin.intake import placing, readers, service
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.intake.recognition import place
from huiyin.intake.schemas import UNREAD, Reading, plain
from huiyin.kit.failpoints import failpoint
from huiyin.kit.text import clean
from huiyin.kit.time import at_local, local_date
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, Retry, handler

OVERDUE: Final = "intake.overdue"
GIVEN_UP: Final = "intake.given_up"
KEPT: Final = 20_000  # characters of text and history on the row; all of it is in the original
_ID: Final = 500  # characters: an index holds no longer ones
TRIES: Final = 30  # over a day: a full disk does not keep a mail from its place
_AGAIN: Final = 3600  # seconds until a channel without reader is looked at again
# What a person must have looked at: no clock makes a complaint of it.
_NEVER_BY_CLOCK: Final = frozenset({"spam", "member", "same_id"})


@handler(service.READ, retries=TRIES, timeout=90.0, otherwise=GIVEN_UP)
def read(session: ScopedSession, job: JobView) -> None:
    """Read one arrival in a confined process and put it where it belongs."""
    arrival = _arrival(session, job)
    if arrival.state != ArrivalState.RECEIVED:
        return
    if not readers.has_reader(arrival.channel):
        raise Retry(_AGAIN)
    failpoint("intake.before_read")
    with readers.read(arrival) as found:
        reading = found.reading
        where = place(session, arrival, reading)
        author = where.author if where.author.address or where.author.handle else reading.sender
        _keep(arrival, reading, where.state)
        arrival.sender_name = clean(author.name)[:200]
        arrival.sender_address = clean(author.address or author.handle)[:320]
        failpoint("intake.after_read")
        placing.carry_out(session, arrival, reading, where, found.folder)
    if where.state is ArrivalState.WAITING and where.reason not in _NEVER_BY_CLOCK:
        _file_in_time(session, arrival)
    failpoint("intake.after_place")


def _file_in_time(session: ScopedSession, arrival: Arrival) -> None:
    due = at_local(calendar().add_workdays(local_date(arrival.received_at), 1).on, 23, 59)
    # One for each reading: put aside and read again, it must not find the clock of before ended.
    key = f"{OVERDUE}:{arrival.id}:{arrival.version}"
    queue.enqueue(session, OVERDUE, {"arrival": arrival.id}, key=key, due_at=due)


@handler(GIVEN_UP, retries=TRIES)
def given_up(session: ScopedSession, job: JobView) -> None:
    """No try to read it came to an end: a person reads the original."""
    arrival = _arrival(session, job)
    if arrival.state != ArrivalState.RECEIVED:
        return
    reading = readers.unread(arrival, "fault")
    arrival.reading = plain(reading)
    arrival.sender_address = clean(reading.sender.address or reading.sender.handle)
    system = system_actor(session.tenant)
    placing.settle(session, system, arrival, ArrivalState.WAITING, "unreadable", None)
    _file_in_time(session, arrival)


def _keep(arrival: Arrival, reading: Reading, state: ArrivalState) -> None:
    cut = msgspec.structs.replace(reading, text=reading.text[:KEPT], quoted=reading.quoted[:KEPT])
    arrival.reading = plain(cut)
    arrival.message_id = reading.message_id.encode("ascii", "ignore").decode()[:_ID]
    arrival.subject = " ".join(clean(reading.subject).split())[:300]
    arrival.identity = reading.identity
    if state is ArrivalState.DUPLICATE:  # before the flush: it shares its identity
        arrival.state = state.value


@handler(OVERDUE, retries=TRIES, timeout=90.0)
def overdue(session: ScopedSession, job: JobView) -> None:
    """Nobody has said where it belongs: a complaint of its own, so that its clocks are kept."""
    arrival = _arrival(session, job)
    if arrival.state == ArrivalState.RECEIVED:  # somebody has it read again
        raise Retry(_AGAIN)
    if arrival.state != ArrivalState.WAITING or arrival.reason in _NEVER_BY_CLOCK:
        return  # the clock may be that of an earlier reading
    system = system_actor(session.tenant)
    reading, author = placing.kept_reading(arrival), service.author_of(arrival)
    case = placing.file_new(session, system, arrival, reading, author)
    placing.hand_over_later(session, arrival, case)
    placing.settle(session, system, arrival, ArrivalState.FILED, "overdue", case)


@handler(placing.FILES, retries=TRIES, timeout=90.0)
def files(session: ScopedSession, job: JobView) -> None:
    """What was attached to an arrival that is in its case, taken out of the original."""
    arrival = _arrival(session, job)
    if arrival.case_id is None:
        raise GiveUp
    case = session.get_one(Case, (session.tenant, arrival.case_id))
    with readers.read(arrival) as found:
        if set(found.reading.faults) & UNREAD:  # it could be read before: perhaps it can later
            raise Retry(_AGAIN)
        taken = list(placing.uploads(found.reading, found.folder))
        # Whoever wrote it, a person has put it there: nobody outside sees it by that.
        placing.hand_over_files(session, system_actor(session.tenant), case, taken)


def _arrival(session: ScopedSession, job: JobView) -> Arrival:
    arrival = session.scalar(
        select(Arrival)
        .where(Arrival.id == uuid.UUID(str(job.payload["arrival"])))
        .with_for_update()
    )
    if arrival is None:
        raise GiveUp
    return arrival
