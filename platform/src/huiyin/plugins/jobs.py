"""Plugins and the queue: one job for each plugin, firm and event, and the plugin's own jobs.

A job whose plugin is off, or set aside, waits: its successor stays queued until the plugin is
switched on again.  So nothing is lost, no try is spent, and nothing of the plugin runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dramatiq.threading import Interrupt
from pluggy import HookCaller
from sqlalchemy import func, or_, select, update

from huiyin.db import ScopedSession, platform_session
from huiyin.kit.errors import Unavailable
from huiyin.kit.time import now
from huiyin.plugins import checking, health
from huiyin.plugins.context import TenantContext, job_kind
from huiyin.plugins.terms import Event, PluginJob
from huiyin.queue.models import Job, JobState
from huiyin.queue.registry import REGISTRY, EventView, GiveUp, JobView, Registry, Retry
from huiyin.queue.schedule import schedule, unschedule
from huiyin.queue.service import enqueue
from huiyin.tenancy.models import Tenant

if TYPE_CHECKING:
    from huiyin.plugins.host import PluginHost
    from huiyin.plugins.loading import Plugin

# Switching on wakes what waits, so this only has to be longer than anybody waits.
PARKED: Final = timedelta(days=365)
DEMONSTRATE: Final = "_demonstrate"
TESTING: Final = 120.0  # seconds a test of a connection may take
DEMONSTRATION: Final = 600.0  # seconds a plugin may take to fill a made-up firm
_EVENT: Final = "_event"  # in a waiting job's payload: the event it answers

Run = Callable[[TenantContext, JobView], None]


def register(host: PluginHost, registry: Registry = REGISTRY) -> None:
    """Tell the queue of every plugin's jobs and of the events each listens to.

    Once per process, in the worker and wherever jobs are drained.
    """
    for plugin in host.plugins.values():
        caller = host.caller("on_event", plugin.name)
        if plugin.manifest.listens and caller is not None:
            registry.handler(job_kind(plugin.name))(_guarded(host, plugin, _listener(caller)))
        if (shows := host.caller("demonstrate", plugin.name)) is not None:
            registry.handler(job_kind(plugin.name, DEMONSTRATE), timeout=DEMONSTRATION)(
                _guarded(host, plugin, _demonstrator(shows))
            )
        if any(channel.test for channel in plugin.declared.channels):
            untried = job_kind(plugin.name, checking.UNTRIED)
            registry.handler(
                job_kind(plugin.name, checking.TEST), timeout=TESTING, otherwise=untried
            )(_guarded(host, plugin, _tester(plugin)))
            registry.handler(untried)(_guarded(host, plugin, _untried))
        for job in plugin.declared.jobs:
            registry.handler(
                job_kind(plugin.name, job.name), retries=job.retries, timeout=job.timeout
            )(_guarded(host, plugin, _worker(job)))
    registry.provide_subscribers(lambda session, event: list(_listening(host, session, event)))


def _listening(host: PluginHost, session: ScopedSession, event: EventView) -> Iterator[str]:
    """Whom the firm has switched on.  Those set aside are told too: their jobs wait for them."""
    standing = host.standings.of(session)
    for plugin in host.plugins.values():
        hears = event.kind in plugin.manifest.listens and host.caller("on_event", plugin.name)
        if hears and standing.wants(plugin.name, default=plugin.manifest.default_active):
            yield job_kind(plugin.name)


def _listener(caller: HookCaller) -> Run:
    def run(ctx: TenantContext, job: JobView) -> None:
        caller(ctx=ctx, event=_event_of(job))

    return run


def _demonstrator(caller: HookCaller) -> Run:
    def run(ctx: TenantContext, _job: JobView) -> None:
        caller(ctx=ctx)

    return run


def demonstrate(host: PluginHost, session: ScopedSession) -> None:
    """Have every plugin that is on fill this made-up firm; asking again changes nothing."""
    for plugin in host.plugins.values():
        shows = host.caller("demonstrate", plugin.name)
        if shows is not None and host.is_active(session, plugin.name):
            kind = job_kind(plugin.name, DEMONSTRATE)
            enqueue(session, kind, {}, key=kind)


def _tester(plugin: Plugin) -> Run:
    def run(ctx: TenantContext, job: JobView) -> None:
        checking.test(ctx, plugin, job.payload)

    return run


def _untried(ctx: TenantContext, job: JobView) -> None:
    checking.came_to_nothing(ctx, job.payload)


def _worker(declared: PluginJob) -> Run:
    def run(ctx: TenantContext, job: JobView) -> None:
        declared.run(ctx, job.payload)

    return run


def _guarded(
    host: PluginHost, plugin: Plugin, run: Run
) -> Callable[[ScopedSession, JobView], None]:
    def guarded(session: ScopedSession, job: JobView) -> None:
        if not host.is_active(session, plugin.name):
            _park(session, job)
            return
        tenant = _tenant(session)
        ctx = host.lend(plugin.name, session=session, actor=job.actor, tenant=tenant)
        try:
            run(ctx, job)
            session.flush()  # a row the database refuses is the plugin's fault too
        except (Retry, GiveUp):
            raise
        except (Exception, Interrupt) as fault:
            health.failed(session, plugin.name, job.consumer, fault)
            host.standings.forget(session.tenant)
            raise
        if host.standings.of(session).failures.get(plugin.name):
            health.succeeded(session, plugin.name)
            host.standings.forget(session.tenant)

    return guarded


def _tenant(session: ScopedSession) -> Tenant:
    with platform_session(health.engine_of(session), purpose="plugin job") as platform:
        tenant = platform.get(Tenant, session.tenant)
    if tenant is None:
        raise Unavailable
    return tenant


def _event_of(job: JobView) -> Event:
    waited: dict[str, Any] | None = job.payload.get(_EVENT) if job.event_id is None else None
    if waited is not None:
        return Event(
            uuid.UUID(waited["id"]), waited["kind"], uuid.UUID(waited["object"]), waited["payload"]
        )
    if job.event_id is None or job.object_id is None:
        raise GiveUp  # made by hand, for nothing that happened
    return Event(job.event_id, job.kind, job.object_id, job.payload)


def _park(session: ScopedSession, job: JobView) -> None:
    if _waits_already(session, job):
        return
    payload: dict[str, Any] = job.payload
    if job.event_id is not None:
        event = {
            "id": job.event_id, "kind": job.kind, "object": job.object_id, "payload": job.payload,
        }  # fmt: skip
        payload = {_EVENT: event}
    enqueue(
        session,
        job.consumer,
        payload,
        key=f"waits:{job.id}",  # the same job waits once, however often it is tried
        due_at=now() + PARKED,
        object_id=job.object_id,
    )


def _waits_already(session: ScopedSession, job: JobView) -> bool:
    """Whether it is one of many that nothing tells apart: runs of a schedule, each five minutes.

    One run makes up for all that were missed.
    """
    if job.payload or job.object_id or job.event_id:
        return False
    same = select(Job.id).where(
        Job.state == JobState.QUEUED.value,
        Job.key.startswith("waits:"),
        Job.consumer == job.consumer,
        Job.payload == {},
        Job.object_id.is_(None),
    )
    return session.scalars(same.limit(1)).first() is not None


def wake(session: ScopedSession, plugin: str) -> None:
    """Let the plugin's waiting jobs run as soon as this transaction commits."""
    session.execute(
        update(Job)
        .where(
            Job.state == JobState.QUEUED.value,
            Job.key.startswith("waits:"),
            or_(
                Job.consumer == job_kind(plugin),
                Job.consumer.startswith(f"{job_kind(plugin)}:", autoescape=True),
            ),
        )
        .values(due_at=func.now())
        .execution_options(synchronize_session=False)
    )
    session.execute(select(func.pg_notify("huiyin_queue", "")))


def start_schedules(session: ScopedSession, plugin: Plugin) -> None:
    """Begin what the plugin wants done again and again; starting twice changes nothing."""
    for job in plugin.declared.jobs:
        if job.every is not None:
            kind = job_kind(plugin.name, job.name)
            schedule(session, kind, kind, every=job.every)


def stop_schedules(session: ScopedSession, plugin: Plugin) -> None:
    for job in plugin.declared.jobs:
        if job.every is not None:
            unschedule(session, job_kind(plugin.name, job.name))
