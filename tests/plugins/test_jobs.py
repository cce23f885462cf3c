"""Plugins and the queue: told once for each event, waiting while off."""

from datetime import timedelta
from importlib import import_module

import pytest
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.kit.ids import uuid7
from huiyin.plugins import PluginHost, activation, jobs
from huiyin.plugins.health import PATIENCE
from huiyin.plugins.terms import PluginJob
from huiyin.queue.models import Job, JobState
from huiyin.queue.registry import REGISTRY, EventView
from huiyin.queue.service import effects_bad, emit, enqueue
from huiyin.queue.worker import drain, fan_out
from huiyin.tenancy.models import Counter, PluginHealth


@pytest.fixture
def working(switched_on, site):
    jobs.register(switched_on)
    return switched_on


@pytest.fixture
def accepted(engine, tenant):
    """A case was accepted; answers its id."""

    def happen():
        case_id = uuid7()
        with tenant_session(engine, tenant.id) as session:
            emit(session, "case.accepted", object_id=case_id)
            session.commit()
        return case_id

    return happen


@pytest.fixture
def promises(engine, tenant, switched_on):
    def read():
        promise = import_module("acme_call_back.models").Promise
        with tenant_session(engine, tenant.id) as session:
            return list(session.scalars(select(promise.case_id)))

    return read


@pytest.fixture
def switch(working, firm, admin):
    def to(on):
        act = activation.activate if on else activation.deactivate
        with firm() as session:
            act(working, session, admin, "call_back")
            session.commit()

    return to


def test_a_plugin_that_listens_is_told(working, accepted, engine, promises):
    case_id = accepted()
    drain(engine)
    assert promises() == [case_id]


def test_only_the_firms_that_have_it_on_get_a_job(working, engine, make_tenant):
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as session:
        happened = EventView(uuid7(), other.id, "case.accepted", uuid7(), {})
        assert REGISTRY.subscribers(session, happened) == []


def test_events_it_does_not_listen_to_pass_it_by(working, engine, tenant, session):
    happened = EventView(uuid7(), tenant.id, "case.closed", uuid7(), {})
    assert REGISTRY.subscribers(session, happened) == []


def test_switched_off_in_between_the_job_waits_and_then_runs(
    working, accepted, engine, promises, switch, tenant
):
    case_id = accepted()
    fan_out(engine)
    switch(on=False)
    drain(engine, ahead=timedelta(days=2))
    assert promises() == []
    with tenant_session(engine, tenant.id) as session:
        (waiting,) = session.scalars(select(Job).where(Job.state == JobState.QUEUED.value))
        assert waiting.attempts == 0
    switch(on=True)
    drain(engine)
    assert promises() == [case_id]
    with tenant_session(engine, tenant.id) as session:
        assert effects_bad(session) == 0
        assert session.scalars(select(Job).where(Job.state != JobState.DONE.value)).all() == []


def test_its_own_job_waits_too(working, engine, tenant, switch, session):
    switch(on=False)
    enqueue(session, "plugin:call_back:tidy", {"n": 1})
    session.commit()
    drain(engine)
    (waiting,) = session.scalars(select(Job).where(Job.state == JobState.QUEUED.value))
    assert waiting.payload == {"n": 1}


def test_of_a_schedules_runs_that_were_missed_one_waits(working, engine, tenant, switch, session):
    switch(on=False)
    for n in range(5):
        enqueue(session, "plugin:call_back:tidy", {}, key=f"schedule:tidy:{n}")
    enqueue(session, "plugin:call_back:tidy", {"n": 1})
    session.commit()
    drain(engine)
    waiting = session.scalars(select(Job).where(Job.state == JobState.QUEUED.value)).all()
    assert sorted(str(job.payload) for job in waiting) == ["{'n': 1}", "{}"]


@pytest.fixture
def failing(rogues, entry, firm, admin, tenant):
    """A plugin whose job fails until it is mended."""
    mended = []

    def run(ctx, payload):
        ctx.session.add(Counter(name="half" if not mended else "whole"))
        if not mended:
            raise RuntimeError("secret words")

    rogues.module("toy", jobs=lambda: (PluginJob(name="work", run=run, retries=9),))
    host = PluginHost(("toy",), found=[entry("toy", "rogue_toy.plugin", "huiyin-toy")])
    with REGISTRY.isolated(), firm() as session:
        jobs.register(host)
        activation.activate(host, session, admin, "toy")
        host.lend("toy", session=session, actor=admin, tenant=tenant).enqueue("work", {})
        session.commit()
        yield host, mended


def test_a_failing_job_is_set_aside_with_its_plugin_and_resumes(
    failing, engine, session, firm, admin
):
    host, mended = failing
    drain(engine, ahead=timedelta(days=2))
    known = session.scalars(select(PluginHealth)).one()
    assert (known.failures, known.quarantined_at is not None) == (PATIENCE, True)
    assert "secret" not in known.last_error
    mended.append(True)
    with firm() as other:
        activation.release(host, other, admin, "toy")
        other.commit()
    drain(engine)
    assert session.scalars(select(Counter.name)).all() == ["whole"]
