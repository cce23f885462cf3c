"""Work that returns does so once each time."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from huiyin.kit.time import now
from huiyin.queue.models import Job, Schedule
from huiyin.queue.relay import Relay
from huiyin.queue.schedule import fire_due, schedule, unschedule
from huiyin.queue.worker import drain

from .conftest import count

DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("registry")


def jobs(session):
    return session.scalar(select(func.count()).select_from(Job))


def test_a_schedule_fires_once_with_two_relays(session, engine, two_at_once):
    schedule(session, "daily", "count", every=DAY, due_at=now() - timedelta(minutes=1))
    session.commit()
    assert sum(two_at_once(lambda: fire_due(engine))) == 1
    assert jobs(session) == 1


def test_a_schedule_fires_again_when_its_time_returns(session, engine, counted):
    schedule(session, "daily", "count", every=DAY)
    session.commit()
    assert drain(engine) == 1
    assert drain(engine) == 0
    assert drain(engine, ahead=DAY) == 1
    assert counted() == 2


def test_missed_stretches_are_made_up_by_one_run(session, engine, counted):
    began = now() - timedelta(days=10, hours=1)
    schedule(session, "daily", "count", every=DAY, due_at=began)
    session.commit()
    drain(engine)
    assert counted() == 1
    assert session.scalars(select(Schedule.due_at)).one() == began + 11 * DAY


def test_repeating_a_schedule_changes_its_rhythm_not_its_turn(session, engine):
    due = now() + timedelta(hours=2)
    schedule(session, "daily", "count", every=DAY, due_at=due)
    schedule(session, "daily", "count", every=2 * DAY, payload={"name": "other"})
    session.commit()
    row = session.scalars(select(Schedule)).one()
    assert (row.every, row.due_at, row.payload) == (2 * DAY, due, {"name": "other"})
    unschedule(session, "daily")
    session.commit()
    assert drain(engine, ahead=DAY) == 0


def test_a_schedule_that_stands_still_is_refused(session):
    with pytest.raises(DBAPIError, match="every_moves_on"):
        schedule(session, "stuck", "count", every=timedelta(0))


def test_a_worker_begins_by_itself_what_returns_in_every_firm(engine, registry, session, counted):
    registry.handler("returns", every=timedelta(minutes=5))(count)
    relay = Relay(engine, lambda _tenant, _job: None)
    relay.turn()
    relay.turn()  # the first one has begun it, the next one makes it a job
    relay.stop()
    drain(engine)
    assert counted() == 1
    (row,) = session.scalars(select(Schedule)).all()
    assert (row.kind, row.every) == ("returns", timedelta(minutes=5))
