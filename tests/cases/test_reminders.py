"""Each threshold of a clock is told once, and made up for when nothing ran."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import tasks
from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Entry
from huiyin.clocks.models import ClockRow
from huiyin.db import tenant_session
from huiyin.kit import keys
from huiyin.kit.time import clock_at
from huiyin.queue.models import Job, OutboxEvent
from huiyin.queue.registry import REGISTRY
from huiyin.queue.worker import drain

keys.configure(b"thirty-two bytes for tests, only.")
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def only_reminders():
    with REGISTRY.isolated() as empty:
        empty.handler(tasks.SCAN)(tasks.scan)
        empty.handler(tasks.TELL)(tasks.tell)
        yield


@pytest.fixture
def number(session, actor):
    with clock_at(MONDAY):
        filed = file_complaint(
            session, actor,
            Filing(channel="web", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
        )  # fmt: skip
        session.commit()
    return filed.number


@pytest.fixture
def look(engine, tenant, actor):
    """Let the scan run at a moment, and read what the case was told: (key, percent) in order."""

    def at(moment):
        with clock_at(moment):
            with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
                tasks.scan(own, None)
                own.commit()
            drain(engine)
        with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
            rows = own.scalars(select(Entry).where(Entry.verb == "remind").order_by(Entry.seq))
            return [(row.data["clock"], row.data["percent"]) for row in rows]

    return at


def clock(session, kind):
    return session.scalars(select(ClockRow).where(ClockRow.kind == kind)).one()


def test_a_reply_is_reminded_of_at_each_threshold_once(session, number, look):
    reply = clock(session, "reply")
    start, whole = reply.started_at, reply.due_at - reply.started_at
    told = []
    for step in range(1, 21):
        told = look(start + whole * step / 20 + timedelta(minutes=1))
    mine = [percent for key, percent in told if key == reply.key]
    assert mine == [50, 75, 90, 100]
    assert look(reply.due_at + timedelta(days=9)) == told


def test_what_was_missed_is_told_as_one(session, number, look):
    reply = clock(session, "reply")
    told = look(reply.due_at + timedelta(days=1))
    assert [percent for key, percent in told if key == reply.key] == [100]
    events = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "clock.due")).all()
    about = [e.payload for e in events if e.payload["clock"] == reply.key]
    assert [(p["overdue"], p["number"]) for p in about] == [(True, number)]


def test_nothing_is_told_too_early(session, number, look):
    assert look(MONDAY + timedelta(minutes=5)) == []


def test_a_stopped_clock_is_silent(session, actor, number, look):
    case = find(session, actor, number)
    case.state, case.closed_at, case.next_due_at = "closed", MONDAY, None
    session.commit()
    assert look(MONDAY + timedelta(days=90)) == []


def test_a_clock_that_stopped_meanwhile_is_not_told(engine, session, actor, number, tenant):
    late = MONDAY + timedelta(days=90)
    with clock_at(late):
        tasks.scan(session, None)
        for row in session.scalars(select(ClockRow)):
            row.reminded = 100
        session.commit()
        drain(engine)
    assert session.scalars(select(Entry).where(Entry.verb == "remind")).all() == []
    assert {job.state for job in session.scalars(select(Job))} == {"done"}
