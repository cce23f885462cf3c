"""A job is done once, tried a few times, and set aside when it cannot be done."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from huiyin.db import platform_session, tenant_session
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.errors import Conflict, NotFound
from huiyin.kit.time import now
from huiyin.queue.models import Job
from huiyin.queue.registry import GiveUp, Retry
from huiyin.queue.relay import NOTHING, claim_due, publish, sweep
from huiyin.queue.service import enqueue, outbox_stuck, quarantined, requeue
from huiyin.queue.worker import Outcome, drain, pause_after, run_one

LATER = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("registry")


def test_a_job_is_done_with_its_effect(session, engine, counted, job_of):
    job_id = enqueue(session, "count", {})
    session.commit()
    assert drain(engine) == 1
    job = job_of(job_id)
    assert (job.state, job.attempts, counted()) == ("done", 1, 1)
    assert drain(engine) == 0


def test_a_key_names_one_job_for_good(session, engine, counted):
    first = enqueue(session, "count", {}, key="monthly")
    assert enqueue(session, "count", {}, key="monthly") == first
    session.commit()
    drain(engine)
    assert enqueue(session, "count", {}, key="monthly") == first
    session.commit()
    drain(engine)
    assert counted() == 1


def test_a_key_is_free_in_another_firm(session, engine, make_tenant):
    enqueue(session, "count", {}, key="monthly")
    session.commit()
    with tenant_session(engine, make_tenant("yuancen").id) as other:
        enqueue(other, "count", {}, key="monthly")
        other.commit()
    assert drain(engine) == 2


def test_a_job_waits_for_its_time(session, engine):
    job_id = enqueue(session, "count", {}, due_at=now() + timedelta(minutes=30))
    session.commit()
    assert drain(engine) == 0
    assert run_one(engine, session.tenant, job_id) is Outcome.NOTHING_TO_DO
    assert outbox_stuck(session) == 0
    assert drain(engine, ahead=LATER) == 1


def test_a_job_acts_as_the_system(session, registry, engine, tenant):
    seen = []

    @registry.handler("look")
    def look(inside, job):
        seen.append((inside.tenant, inside.actor_id, job.actor.id, job.attempt, job.payload))

    enqueue(session, "look", {"n": 1})
    session.commit()
    drain(engine)
    assert seen == [(tenant.id, SYSTEM_ID, SYSTEM_ID, 1, {"n": 1})]


def test_a_failing_job_is_tried_five_times_then_set_aside(session, registry, engine, job_of):
    @registry.handler("fail")
    def fail(inside, job):
        raise ValueError("13800138000 is no number")

    job_id = enqueue(session, "fail", {})
    after = enqueue(session, "count", {})
    session.commit()
    assert run_one(engine, session.tenant, job_id) is Outcome.AGAIN
    assert job_of(job_id).state == "queued"
    assert drain(engine, ahead=LATER) == 5  # its other four tries, and the next job
    assert job_of(after).state == "done"
    job = job_of(job_id)
    assert (job.state, job.attempts, job.deaths) == ("quarantined", 5, 0)
    assert job.error.startswith("ValueError at ")
    assert "13800138000" not in job.error
    assert [row.id for row in quarantined(session)] == [job_id]
    assert outbox_stuck(session) == 0


def test_what_a_failing_job_wrote_is_taken_back(session, registry, engine, counted):
    @registry.handler("half")
    def half(inside, job):
        registry.find("count").run(inside, job)
        inside.flush()
        if job.attempt < 3:
            raise RuntimeError

    enqueue(session, "half", {})
    session.commit()
    assert drain(engine, ahead=LATER) == 3
    assert counted() == 1


def test_pauses_grow(session, registry, engine, job_of):
    @registry.handler("fail")
    def fail(inside, job):
        raise ValueError

    job_id = enqueue(session, "fail", {})
    session.commit()
    before = session.scalar(select(func.clock_timestamp()))
    drain(engine)
    assert job_of(job_id).due_at >= before + timedelta(seconds=1)
    assert [pause_after(n) for n in (1, 2, 3, 4, 5, 9)] == [1, 5, 25, 125, 625, 3600]


def test_a_handler_may_name_the_pause_or_give_up(session, registry, engine, job_of):
    @registry.handler("greylisted")
    def greylisted(inside, job):
        raise Retry(after=900)

    @registry.handler("refused")
    def refused(inside, job):
        raise GiveUp

    patient, hopeless = enqueue(session, "greylisted", {}), enqueue(session, "refused", {})
    session.commit()
    before = session.scalar(select(func.clock_timestamp()))
    drain(engine)
    assert job_of(patient).due_at >= before + timedelta(seconds=900)
    assert job_of(hopeless).state == "quarantined"


def test_work_nobody_knows_is_set_aside_in_the_end(session, registry, engine, job_of):
    job_id = enqueue(session, "from.the.future", {})
    session.commit()
    drain(engine, ahead=LATER)
    assert job_of(job_id).state == "quarantined"
    assert job_of(job_id).error.startswith("NoHandler at huiyin.queue.registry:")


def test_an_endless_job_is_interrupted(session, registry, engine, job_of):
    @registry.handler("endless", retries=1, timeout=0.2)
    def endless(inside, job):
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001
                continue

    job_id = enqueue(session, "endless", {})
    after = enqueue(session, "count", {})
    session.commit()
    drain(engine)
    assert (job_of(job_id).state, job_of(after).state) == ("quarantined", "done")
    assert job_of(job_id).error.startswith("TimedOut")


def test_a_statement_that_takes_too_long_is_ended_by_the_server(session, registry, engine, job_of):
    @registry.handler("slow", retries=1, timeout=0.3)
    def slow(inside, job):
        inside.execute(text("SELECT pg_sleep(60)"))

    job_id = enqueue(session, "slow", {})
    session.commit()
    drain(engine)
    assert job_of(job_id).state == "quarantined"


def test_a_handler_must_not_commit(session, registry, engine, counted, job_of):
    @registry.handler("commits", retries=1)
    def commits(inside, job):
        inside.commit()

    job_id = enqueue(session, "commits", {})
    session.commit()
    drain(engine)
    assert job_of(job_id).state == "quarantined"


def test_a_quarantined_job_gets_all_its_tries_again(session, registry, engine, job_of):
    job_id = enqueue(session, "mended", {})
    session.commit()
    drain(engine, ahead=LATER)
    with pytest.raises(NotFound):
        requeue(session, uuid.UUID(int=3))
    requeue(session, job_id)
    session.commit()
    registry.handler("mended")(lambda _session, _job: None)
    drain(engine)
    assert (job_of(job_id).state, job_of(job_id).attempts) == ("done", 1)
    with pytest.raises(Conflict):
        requeue(session, job_id)


@pytest.mark.parametrize(
    "fault",
    [
        "worker.before_lease:kill",
        "worker.after_lease:kill",
        "worker.after_effect:kill",
        "worker.after_done:kill",
    ],
)
def test_a_worker_killed_anywhere_leaves_one_effect(fault, session, engine, counted, child):
    job_id = enqueue(session, "count", {})
    session.commit()
    assert child("run", session.tenant, job_id, fault=fault) == -9
    drain(engine, ahead=LATER)
    assert counted() == 1
    assert outbox_stuck(session) == 0


def test_a_job_that_kills_its_workers_is_set_aside(session, engine, child, counted, job_of):
    poison = enqueue(session, "count", {})
    after = enqueue(session, "count", {})
    session.commit()
    states = []
    for _ in range(3):
        assert child("run", session.tenant, poison, fault="worker.after_effect:kill") == -9
        assert sweep(engine, ahead=LATER) == 1
        states.append((job_of(poison).deaths, job_of(poison).state))
    assert states == [(1, "queued"), (2, "queued"), (3, "quarantined")]
    assert (job_of(poison).error, job_of(poison).attempts) == ("worker died", 3)
    drain(engine, ahead=LATER)
    assert (job_of(after).state, counted()) == ("done", 1)


def test_whoever_is_named_hears_of_a_job_that_was_set_aside(session, registry, engine, counted):
    def hopeless(_session, _job):
        raise GiveUp

    registry.handler("hopeless", otherwise="count")(hopeless)
    enqueue(session, "hopeless", {"name": "heard"})
    session.commit()
    drain(engine)
    assert counted("heard") == 1


def test_whoever_is_named_hears_of_a_job_that_killed_its_workers(
    session, registry, engine, counted
):
    registry.handler("poison", otherwise="count")(lambda *_: None)
    enqueue(session, "poison", {"name": "heard"})
    session.flush()
    session.execute(update(Job).values(state="leased", deaths=2, lease_until=now() - LATER))
    session.commit()
    assert sweep(engine) == 1
    drain(engine)
    assert counted("heard") == 1


def test_a_job_that_dies_at_its_last_try_is_not_tried_again(session, engine, job_of, counted):
    job_id = enqueue(session, "count", {})
    session.flush()
    session.execute(update(Job).values(state="leased", attempts=5, lease_until=now() - LATER))
    session.commit()
    drain(engine)
    assert (job_of(job_id).state, counted()) == ("quarantined", 0)


def test_the_job_of_a_worker_that_still_works_is_not_taken(
    session, registry, engine, counted, job_of
):
    swept = []

    @registry.handler("long")
    def long(inside, job):
        swept.append(sweep(engine, ahead=timedelta(days=400)))
        registry.find("count").run(inside, job)

    job_id = enqueue(session, "long", {})
    session.commit()
    drain(engine)
    assert (swept, counted(), job_of(job_id).deaths) == ([0], 1, 0)


def test_a_worker_that_lost_its_lease_does_nothing(session, engine, job_of, counted, monkeypatch):
    job_id = enqueue(session, "count", {})
    session.commit()
    from huiyin.queue import worker  # noqa: PLC0415

    def swept_in_between(name):
        if name == "worker.after_lease":
            sweep(engine, ahead=LATER)

    monkeypatch.setattr(worker, "failpoint", swept_in_between)
    assert run_one(engine, session.tenant, job_id) is Outcome.NOTHING_TO_DO
    assert (counted(), job_of(job_id).state, job_of(job_id).deaths) == (0, "queued", 1)


def test_turns_are_taken_between_firms(session, engine, make_tenant):
    for _ in range(200):
        enqueue(session, "count", {})
    session.commit()
    rung = []
    assert publish(engine, lambda tenant_id, _: rung.append(tenant_id), room=16) == 16
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as theirs:
        enqueue(theirs, "count", {})
        theirs.commit()
    # The line is full; as soon as one of the flood is begun, the other firm is next.
    assert publish(engine, lambda tenant_id, _: rung.append(tenant_id), room=16) == 0
    first = session.scalars(select(Job.id).where(Job.published_at.is_not(None)).limit(1)).one()
    session.commit()
    run_one(engine, session.tenant, first)
    assert publish(engine, lambda tenant_id, _: rung.append(tenant_id), room=16) == 1
    assert rung[16] == other.id


def test_a_drain_takes_turns_too(session, registry, engine, make_tenant):
    order = []
    registry.handler("note")(lambda inside, job: order.append(job.tenant_id))
    for _ in range(200):
        enqueue(session, "note", {})
    session.commit()
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as theirs:
        enqueue(theirs, "note", {})
        theirs.commit()
    assert drain(engine) == 201
    assert order.index(other.id) <= 1


def test_a_bell_nobody_answered_is_rung_again(session, engine):
    job_id = enqueue(session, "count", {})
    session.commit()
    rung = []
    ring = lambda _tenant, job: rung.append(job)  # noqa: E731
    publish(engine, ring, room=8)
    publish(engine, ring, room=8)
    assert rung == [job_id]
    session.execute(update(Job).values(published_at=now() - timedelta(seconds=61)))
    session.commit()
    publish(engine, ring, room=8)
    assert rung == [job_id, job_id]


def test_a_bell_that_cannot_be_rung_leaves_the_job_waiting(session, engine, job_of):
    job_id = enqueue(session, "count", {})
    session.commit()

    def broken(_tenant, _job):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        publish(engine, broken, room=8)
    assert job_of(job_id).published_at is None


def test_another_firms_job_is_neither_seen_nor_run(session, engine, make_tenant, job_of):
    job_id = enqueue(session, "count", {})
    session.commit()
    stranger = make_tenant("yuancen")
    assert run_one(engine, stranger.id, job_id) is Outcome.NOTHING_TO_DO
    with tenant_session(engine, stranger.id) as other:
        assert other.scalars(select(Job)).all() == []
        assert other.execute(text("SELECT * FROM job")).all() == []
        with pytest.raises(NotFound):
            requeue(other, job_id)
    assert job_of(job_id).attempts == 0


def test_the_relay_sees_which_jobs_wait_and_nothing_in_them(session, engine):
    job_id = enqueue(session, "count", {"secret": 1})
    session.commit()
    with platform_session(engine) as relay:
        assert relay.execute(text("SELECT * FROM job")).all() == []
        assert claim_due(relay, room=5, patience=NOTHING, ahead=NOTHING) == [
            (session.tenant, job_id)
        ]


def test_the_definer_role_cannot_read_payloads(postgres, engine):
    import psycopg  # noqa: PLC0415

    from huiyin.db.bootstrap import libpq  # noqa: PLC0415

    with psycopg.connect(libpq(postgres.url(name="huiyin_test"))) as connection:
        connection.execute("SET ROLE huiyin_queue")
        for query in ("SELECT payload FROM job", "SELECT payload FROM outbox_event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(query)


def test_the_database_knows_the_states(session):
    session.add(Job(kind="count", consumer="count", state="lost"))
    with pytest.raises(DBAPIError, match="ck_job_state"):
        session.flush()
