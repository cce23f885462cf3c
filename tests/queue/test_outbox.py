"""What happened is told, exactly once to each consumer, and only if it happened."""

import random
import uuid

import pytest
from sqlalchemy import func, select, update

from huiyin.db import tenant_session
from huiyin.kit.failpoints import FailpointHit
from huiyin.queue.models import Effect, Job, OutboxEvent
from huiyin.queue.relay import fan_out
from huiyin.queue.service import effects_bad, emit, has_effect, outbox_stuck
from huiyin.queue.worker import drain, run_one

CASE = uuid.UUID(int=7)

pytestmark = pytest.mark.usefixtures("registry")


def rows(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_an_event_goes_with_its_transaction(session, engine):
    emit(session, "case.closed", object_id=CASE)
    session.flush()
    session.rollback()
    assert rows(session, OutboxEvent) == 0
    assert drain(engine) == 0


def test_an_event_reaches_its_consumer(session, engine, counted, actor):
    event_id = emit(session, "case.closed", object_id=CASE, payload={"stage": "archived"})
    session.commit()
    assert outbox_stuck(session) == 1
    session.commit()
    assert drain(engine) == 1
    assert counted() == 1
    assert has_effect(session, "count", event_id)
    assert (outbox_stuck(session), effects_bad(session)) == (0, 0)
    event, job = session.scalars(select(OutboxEvent)).one(), session.scalars(select(Job)).one()
    assert event.actor_id == actor.id
    assert event.consumers == ["count"]
    assert (job.kind, job.consumer, job.object_id) == ("case.closed", "count", CASE)


def test_a_slow_transaction_with_an_older_id_is_not_skipped(session, engine):
    emit(session, "case.closed", object_id=CASE, payload={"name": "slow"})
    session.flush()  # the older id, not yet committed
    with tenant_session(engine, session.tenant) as quick:
        emit(quick, "case.closed", object_id=CASE, payload={"name": "quick"})
        quick.commit()
    assert fan_out(engine) == 1
    session.commit()
    assert fan_out(engine) == 1
    assert rows(session, Job) == 2


def test_an_event_nobody_wants_is_sent_all_the_same(session, engine):
    emit(session, "case.renamed", object_id=CASE)
    session.commit()
    assert (drain(engine), outbox_stuck(session), effects_bad(session)) == (0, 0, 0)


def test_the_payload_may_hold_ids_and_dates(session, engine):
    from huiyin.kit.time import today  # noqa: PLC0415

    emit(session, "case.closed", object_id=CASE, payload={"ids": [CASE], "on": today()})
    session.commit()
    with tenant_session(engine, session.tenant) as other:
        payload = other.scalars(select(OutboxEvent)).one().payload
    assert payload == {"ids": [str(CASE)], "on": today().isoformat()}


@pytest.mark.parametrize("seed", range(3))
def test_events_replayed_shuffled_and_on_two_workers_act_once(
    seed, session, engine, counted, two_at_once
):
    ids = [
        emit(session, "case.closed", object_id=CASE, payload={"name": f"n{n}"}) for n in range(4)
    ]
    session.commit()
    chance = random.Random(seed)
    for _ in range(3):
        session.execute(update(OutboxEvent).values(relayed_at=None))
        session.commit()
        two_at_once(lambda: fan_out(engine))
        jobs = list(session.scalars(select(Job.id)))
        session.execute(update(Job).values(state="queued", lease_by=None))
        session.commit()
        chance.shuffle(jobs)
        two_at_once(lambda: [run_one(engine, session.tenant, job) for job in jobs])  # noqa: B023
    drain(engine)
    assert [counted(f"n{n}") for n in range(4)] == [1, 1, 1, 1]
    assert rows(session, Effect) == len(ids)
    assert (outbox_stuck(session), effects_bad(session)) == (0, 0)


def test_a_second_job_for_the_same_event_and_consumer_does_nothing(session, engine, counted):
    event_id = emit(session, "case.closed", object_id=CASE)
    session.commit()
    drain(engine)
    session.add(Job(kind="case.closed", consumer="count", event_id=event_id))
    session.commit()
    assert drain(engine) == 1
    assert counted() == 1


def test_a_plugins_failing_answer_holds_up_its_event_only(session, registry, engine, counted):
    @registry.provide_subscribers
    def broken(_session, event):
        if event.payload["name"] == "bad":
            raise RuntimeError("secret")
        return ["count"]

    for name in ("bad", "good"):
        emit(session, "case.moved", object_id=CASE, payload={"name": name})
    session.commit()
    drain(engine)
    assert (counted("good"), counted("bad")) == (1, 0)
    assert outbox_stuck(session) == 1
    registry.providers.clear()
    session.execute(update(OutboxEvent).values(held_until=None))
    session.commit()
    drain(engine)
    assert outbox_stuck(session) == 0


def test_consumers_may_differ_from_firm_to_firm(session, registry, engine, make_tenant, counted):
    other = make_tenant("yuancen")
    registry.provide_subscribers(
        lambda _session, event: ["count"] if event.tenant_id == other.id else []
    )
    with tenant_session(engine, other.id) as theirs:
        emit(theirs, "case.moved", object_id=CASE)
        theirs.commit()
    emit(session, "case.moved", object_id=CASE)
    session.commit()
    drain(engine)
    assert (counted(of=other), counted()) == (1, 0)


def test_a_missing_effect_is_counted(session, engine):
    emit(session, "case.closed", object_id=CASE)
    session.commit()
    fan_out(engine)
    session.execute(update(Job).values(state="done"))  # says so, and did nothing
    session.commit()
    assert effects_bad(session) == 1


def test_a_failpoint_breaks_the_transaction(session, monkeypatch):
    monkeypatch.setenv("HUIYIN_FAILPOINT", "outbox.after_insert:raise@2")
    emit(session, "case.closed", object_id=CASE)
    session.flush()
    emit(session, "case.closed", object_id=CASE)
    with pytest.raises(FailpointHit):
        session.flush()
    session.rollback()
    assert rows(session, OutboxEvent) == 0


def test_a_failpoint_refuses_a_deed_nobody_defined(session, monkeypatch):
    monkeypatch.setenv("HUIYIN_FAILPOINT", "outbox.after_insert:explode")
    emit(session, "case.closed", object_id=CASE)
    with pytest.raises(ValueError, match="explode"):
        session.flush()


@pytest.mark.parametrize(
    "fault",
    [
        "fan_out relay.after_claim",
        "fan_out relay.before_mark",
        "publish relay.before_publish",
        "publish relay.after_publish",
    ],
)
def test_a_relay_killed_anywhere_loses_and_doubles_nothing(fault, session, engine, counted, child):
    step, name = fault.split()
    emit(session, "case.closed", object_id=CASE)
    session.commit()
    if step == "publish":
        fan_out(engine)
    assert child(step, fault=f"{name}:kill") == -9
    drain(engine)
    assert counted() == 1
    assert (outbox_stuck(session), effects_bad(session)) == (0, 0)


def test_a_process_killed_before_it_commits_has_told_nobody(session, engine, child):
    assert child("emit", session.tenant, fault="outbox.after_insert:kill") == -9
    assert drain(engine) == 0
    assert rows(session, OutboxEvent) == 0
