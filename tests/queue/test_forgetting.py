"""Finished jobs that nothing asks for again do not stay for ever; whatever counts does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.db import tenant_session
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.queue import forgetting
from huiyin.queue.models import Effect, Job, JobState, OutboxEvent, Schedule
from huiyin.queue.schedule import schedule
from huiyin.queue.service import effects_bad, emit, enqueue
from huiyin.queue.worker import drain

LONG_AGO = forgetting.KEPT + timedelta(hours=1)


@pytest.fixture
def forget(engine, tenant, registry):
    """Let the daily job run, with all that comes of it; answers the keys that are left."""
    registry.handler(forgetting.FORGET)(forgetting.forget)

    def run(of=None):
        firm = (of or tenant).id
        with tenant_session(engine, firm) as own:
            enqueue(own, forgetting.FORGET, {}, key="today")
            own.commit()
        drain(engine)
        with tenant_session(engine, firm) as own:
            return set(own.scalars(select(Job.key).where(Job.key != "today")))

    return run


def job(key, *, state=JobState.DONE, ago=LONG_AGO, event=None):
    done = now() - ago if state is JobState.DONE else None
    return Job(
        kind="count", consumer="count", key=key, state=state.value, done_at=done, event_id=event
    )


def test_only_what_passes_and_is_old_goes(session, forget):
    session.add_all(
        [
            job("schedule:count:1"),
            job("schedule:count:2", ago=timedelta(days=1)),
            job("schedule:count:3", state=JobState.QUARANTINED),
            job("once"),
            job("count:event", event=uuid7()),
            job(None),
            job("waits:1", state=JobState.QUARANTINED),
        ]
    )
    session.commit()
    assert forget() == {"schedule:count:2", "schedule:count:3", "once", "waits:1"}
    session.rollback()
    assert session.scalars(select(Job).where(Job.key.is_(None))).all() == []


def test_it_goes_on_in_pieces(session, forget, monkeypatch):
    monkeypatch.setattr(forgetting, "PIECE", 3)
    session.add_all([job(f"schedule:count:{n}") for n in range(10)])
    session.commit()
    assert forget() == set()


def test_a_key_of_ones_own_is_never_done_twice(engine, session, forget, counted):
    enqueue(session, "count", {}, key="once")
    session.commit()
    drain(engine)
    session.execute(text("UPDATE job SET done_at = done_at - interval '1 year'"))
    session.commit()
    assert forget() == {"once"}
    enqueue(session, "count", {}, key="once")
    session.commit()
    drain(engine)
    assert counted() == 1


def test_an_event_keeps_its_effect_and_is_not_heard_again(engine, session, forget, counted):
    emit(session, "case.closed", object_id=uuid7())
    session.commit()
    drain(engine)
    session.execute(text("UPDATE job SET done_at = done_at - interval '1 year'"))
    session.commit()
    assert forget() == set()
    session.rollback()
    assert len(session.scalars(select(Effect)).all()) == 1
    assert session.scalars(select(OutboxEvent)).one().relayed_at is not None
    assert effects_bad(session) == 0
    assert counted() == 1


def test_a_schedule_goes_on_without_its_past(engine, session, forget, counted):
    schedule(session, "count", "count", every=timedelta(days=1))
    session.commit()
    drain(engine)
    session.execute(text("UPDATE job SET done_at = done_at - interval '1 year'"))
    session.commit()
    assert forget() == set()
    drain(engine, ahead=timedelta(days=1))
    assert counted() == 2
    assert session.scalars(select(Schedule)).one().name == "count"


def test_another_firms_jobs_are_not_touched(session, make_tenant, engine, forget):
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as own:
        own.add(job("schedule:count:1"))
        own.commit()
    session.add(job("schedule:count:1"))
    session.commit()
    assert forget() == set()
    with tenant_session(engine, other.id) as own:
        assert own.scalars(select(Job.key)).all() == ["schedule:count:1"]


def test_the_index_serves(session):
    session.add(job("schedule:count:1"))
    session.commit()
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    session.execute(
        text(
            "PREPARE old(uuid, timestamptz) AS SELECT id FROM job WHERE tenant_id = $1"
            " AND (state = 'done' AND (key IS NULL OR key LIKE 'schedule:%'"
            " OR event_id IS NOT NULL)) AND done_at < $2 ORDER BY done_at LIMIT 5"
        )
    )
    plan = "\n".join(session.scalars(text(f"EXPLAIN EXECUTE old('{session.tenant}', now())")))
    session.execute(text("DEALLOCATE old"))
    assert "ix_job_passing" in plan
    assert "Sort" not in plan
