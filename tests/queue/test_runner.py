"""Relay, broker and workers together."""

import json
import queue
import shutil
import subprocess
import uuid

import psycopg
import pytest
from sqlalchemy import select

from huiyin.db.bootstrap import libpq
from huiyin.queue.broker import QUEUE, make_bell, make_broker
from huiyin.queue.models import Job
from huiyin.queue.relay import Relay
from huiyin.queue.service import effects_bad, emit, enqueue, outbox_stuck
from huiyin.queue.worker import start
from huiyin.testing.database import engine_for

CASE = uuid.UUID(int=7)
SOON = 20  # seconds; reached only by a test that fails


@pytest.fixture
def relay(engine, registry):
    """A relay that would look by itself only once a minute, and the bells it rang."""
    rung: queue.Queue[uuid.UUID] = queue.Queue()
    relay = Relay(engine, lambda _tenant, job: rung.put(job), poll=60)
    relay.start()
    yield relay, rung
    relay.stop()
    assert not relay.is_alive()


def test_a_commit_wakes_the_relay(relay, session):
    _, rung = relay
    emit(session, "case.closed", object_id=CASE)
    session.commit()
    first = rung.get(timeout=SOON)
    assert session.scalars(select(Job.id)).one() == first
    session.commit()
    second = enqueue(session, "count", {})
    session.commit()
    assert rung.get(timeout=SOON) == second


def test_a_relay_survives_the_loss_of_its_database(session, registry, addresses, postgres):
    rung: queue.Queue[uuid.UUID] = queue.Queue()
    lost = engine_for(addresses)
    before = enqueue(session, "count", {})
    session.commit()
    with psycopg.connect(libpq(postgres.url(name="huiyin_test")), autocommit=True) as superuser:
        pids = "SELECT pid FROM pg_stat_activity WHERE usename = 'huiyin_app'"
        kept = [pid for (pid,) in superuser.execute(pids)]
        relay = Relay(lost, lambda _tenant, job: rung.put(job), poll=60)
        relay.start()
        try:
            assert rung.get(timeout=SOON) == before
            superuser.execute(
                f"SELECT pg_terminate_backend(pid) FROM ({pids}) p WHERE NOT pid = ANY(%s)", (kept,)
            )
            after = enqueue(session, "count", {})
            session.commit()
            while rung.get(timeout=SOON) != after:
                pass  # cut off between bell and commit, it rang for the first one again
        finally:
            relay.stop()
            lost.dispose()


def test_messages_carry_ids_only(registry):
    broker = make_broker()
    tenant_id, job_id = uuid.uuid4(), uuid.uuid4()
    make_bell(broker, lambda *_: None)(tenant_id, job_id)
    message = json.loads(broker.queues[QUEUE].get())
    assert message["args"] == [str(tenant_id), str(job_id)]
    assert (message["kwargs"], message["options"]) == ({}, {})


def test_an_unknown_broker_is_refused():
    with pytest.raises(ValueError, match="carrier"):
        make_broker("carrier://pigeon")


def everything_is_done(engine, session, registry, counted, url=None):
    """Start, let 60 jobs and 5 events pass, stop; nothing may be left or done twice."""
    done: queue.Queue[uuid.UUID] = queue.Queue()

    @registry.handler("watch", on=["case.closed"])
    def watch(inside, job):
        registry.find("count").run(inside, job)
        done.put(job.id)

    registry.subscriptions["case.closed"] = ["watch"]
    runner = start(engine, broker_url=url)
    try:
        for _ in range(60):
            enqueue(session, "watch", {"name": str(uuid.uuid4())})
        for _ in range(5):
            emit(session, "case.closed", object_id=CASE, payload={"name": str(uuid.uuid4())})
        session.commit()
        seen = {done.get(timeout=SOON) for _ in range(65)}
    finally:
        runner.stop()
    assert len(seen) == 65
    assert set(session.scalars(select(Job.state))) == {"done"}
    assert (outbox_stuck(session), effects_bad(session)) == (0, 0)


def test_a_runner_in_this_process_does_everything(engine, session, registry, counted):
    everything_is_done(engine, session, registry, counted)


def test_a_failing_job_stops_no_worker(engine, session, registry, caplog):
    done: queue.Queue[int] = queue.Queue()

    @registry.handler("fail", retries=1)
    def fail(inside, job):
        done.put(1)
        raise ValueError("13800138000")

    for _ in range(5):
        enqueue(session, "fail", {})
    session.commit()
    runner = start(engine, threads=1)
    try:
        for _ in range(5):
            done.get(timeout=SOON)
    finally:
        runner.stop()
    assert set(session.scalars(select(Job.state))) == {"quarantined"}
    assert "13800138000" not in caplog.text
    assert "ValueError" in caplog.text


@pytest.fixture
def redis_url(tmp_path):
    """A Redis of the test's own, on a socket."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server here; infra/setup installs it")
    address = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert any("ready to accept connections" in line.lower() for line in process.stdout)
    yield f"unix://{address}"
    process.terminate()
    process.communicate(timeout=SOON)


def test_redis_rings_the_bell_too(engine, session, registry, counted, redis_url):
    everything_is_done(engine, session, registry, counted, redis_url)


def test_a_flushed_redis_loses_nothing(engine, session, registry, redis_url, counted):
    from datetime import timedelta  # noqa: PLC0415

    from sqlalchemy import update  # noqa: PLC0415

    from huiyin.kit.time import now  # noqa: PLC0415
    from huiyin.queue.relay import publish  # noqa: PLC0415

    broker = make_broker(redis_url)
    enqueue(session, "count", {})
    session.commit()
    assert publish(engine, make_bell(broker, lambda *_: None), room=8) == 1
    broker.client.flushall()
    broker.close()
    # A minute passes.
    session.execute(update(Job).values(published_at=now() - timedelta(seconds=61)))
    session.commit()
    everything_is_done(engine, session, registry, counted, redis_url)
