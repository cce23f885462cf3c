"""From the outbox to the workers: events become jobs, due jobs get their bell rung.

Every step takes what is waiting, never what comes after the last id seen, and marks it in the
transaction that deals with it.  Any number of relays may run, and any may die at any point.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
import uuid
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from typing import Final

import psycopg
from sqlalchemy import Engine, func, select, text, update

from huiyin.db import ScopedSession, platform_session, tenant_session
from huiyin.db.bootstrap import libpq
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.failpoints import failpoint
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.queue.broker import Ring
from huiyin.queue.models import Job, OutboxEvent
from huiyin.queue.registry import REGISTRY, view_of_event
from huiyin.queue.schedule import fire_due, start_everywhere
from huiyin.queue.service import add_jobs, enqueue

log: Final = logging.getLogger(__name__)

CHANNEL: Final = "huiyin_queue"
ALLOWED_DEATHS: Final = 2  # of the worker, on one job; the next one quarantines it
PATIENCE: Final = timedelta(seconds=60)  # for a bell to be answered
HOLD: Final = timedelta(seconds=60)  # for an event whose consumers cannot be determined
AT_ONCE: Final = 100  # events in one claim
NOTHING: Final = timedelta(0)

_EVENTS: Final = text("SELECT tenant_id, id FROM queue_claim_events(:n)")
_JOBS: Final = text("SELECT tenant_id, id FROM queue_due_jobs(:room, :patience, :ahead)")
_DEAD: Final = text("SELECT tenant_id, id, quarantined FROM queue_sweep(:allowed, :ahead)")


def fan_out(engine: Engine) -> int:
    """Give each unsent event to its consumers, one job each; answers how many were dealt with."""
    with platform_session(engine) as session:
        waiting = session.execute(_EVENTS, {"n": AT_ONCE}).all()
    failpoint("relay.after_claim")
    firms: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for tenant_id, event_id in waiting:
        firms[tenant_id].append(event_id)
    return sum(_fan_out(engine, tenant_id, ids) for tenant_id, ids in firms.items())


def _fan_out(engine: Engine, tenant_id: uuid.UUID, ids: list[uuid.UUID]) -> int:
    with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose="relay") as session:
        events = session.scalars(
            select(OutboxEvent)
            .where(OutboxEvent.id.in_(ids), OutboxEvent.relayed_at.is_(None))
            .order_by(OutboxEvent.id)
            .with_for_update(skip_locked=True)
        ).all()
        for event in events:
            _send(session, event)
        failpoint("relay.before_mark")
        session.commit()
    return len(events)


def _send(session: ScopedSession, event: OutboxEvent) -> None:
    """One event; a provider that fails holds up this event and no other."""
    event_id, kind = event.id, event.kind
    try:
        with session.begin_nested():
            consumers = REGISTRY.subscribers(session, view_of_event(event))
            add_jobs(session, [_job(event, consumer) for consumer in consumers])
            event.consumers, event.relayed_at, event.held_until = consumers, now(), None
    except Exception as failure:  # noqa: BLE001 - a plugin's; the event stays unsent and visible
        reason = type(failure).__name__  # and never its text
        log.log(logging.ERROR, "event %s (%s) is held: %s", event_id, kind, reason)
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.id == event_id)
            .values(held_until=func.clock_timestamp() + HOLD)
            .execution_options(synchronize_session=False)
        )


def _job(event: OutboxEvent, consumer: str) -> dict[str, object]:
    return {
        "id": uuid7(), "kind": event.kind, "consumer": consumer,
        "key": f"{consumer}:{event.id}", "payload": event.payload,
        "object_id": event.object_id, "event_id": event.id,
    }  # fmt: skip


def publish(engine: Engine, ring: Ring, *, room: int) -> int:
    """Ring for due jobs, while fewer than ``room`` are rung and not begun; answers how many.

    The bell comes before the commit: rung twice is harmless, not rung would wait a minute.
    """
    with platform_session(engine) as session:
        due = claim_due(session, room=room, patience=PATIENCE, ahead=NOTHING)
        failpoint("relay.before_publish")
        for tenant_id, job_id in due:
            ring(tenant_id, job_id)
        failpoint("relay.after_publish")
        session.commit()
    return len(due)


def claim_due(
    session: ScopedSession, *, room: int, patience: timedelta, ahead: timedelta
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Tenant and id of due jobs, in turn of the firms, marked as rung in this transaction."""
    found = session.execute(_JOBS, {"room": room, "patience": patience, "ahead": ahead})
    return [(tenant_id, job_id) for tenant_id, job_id in found]


def sweep(engine: Engine, *, ahead: timedelta = NOTHING) -> int:
    """Take back the jobs of workers that died; answers how many."""
    with platform_session(engine) as session:
        dead = session.execute(_DEAD, {"allowed": ALLOWED_DEATHS, "ahead": ahead}).all()
        for tenant_id, job_id, set_aside in dead:
            if set_aside:  # told before the commit: twice is harmless, never is not
                _tell(engine, tenant_id, job_id)
        session.commit()
    for tenant_id, job_id, set_aside in dead:
        level = logging.ERROR if set_aside else logging.WARNING
        outcome = "quarantined" if set_aside else "queued again"
        log.log(level, "worker died on job %s of tenant %s: %s", job_id, tenant_id, outcome)
    return len(dead)


def _tell(engine: Engine, tenant_id: uuid.UUID, job_id: uuid.UUID) -> None:
    """Give the payload to whoever is to hear of a job that was set aside."""
    with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose="relay") as session:
        job = session.scalars(select(Job).where(Job.id == job_id)).one()
        known = REGISTRY.handlers.get(job.consumer)
        if known is not None and known.otherwise:
            enqueue(session, known.otherwise, job.payload, object_id=job.object_id)
        session.commit()


class Relay(threading.Thread):
    """The thread that keeps work moving; woken by NOTIFY, by workers, and by the clock."""

    def __init__(
        self,
        engine: Engine,
        ring: Ring,
        *,
        url: str | None = None,
        poll: float = 3.0,
        sweep_every: float = 15.0,
        room: int = 64,
    ) -> None:
        """``url`` is where to listen, if the engine's own address cannot (a pooler); ``poll``
        and ``sweep_every`` are seconds; ``room`` is how many jobs may be rung and not begun."""
        super().__init__(name="huiyin-relay", daemon=True)
        self.engine, self.ring, self.room = engine, ring, room
        self.poll, self.sweep_every = poll, sweep_every
        self.address = libpq(url or engine.url.render_as_string(hide_password=False))
        self.turns = 0
        self._swept = -sweep_every
        self._scheduled: set[uuid.UUID] = set()  # firms in which all runs that returns
        self._more = False  # due jobs were left for want of room
        self._stopping = threading.Event()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_in.setblocking(False)

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self.address, autocommit=True, connect_timeout=3) as listener:
                    listener.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        self.turn()
                        failures = 0
                        self._wait(listener)
            except Exception as failure:  # noqa: BLE001 - database or broker away: come back later
                failures += 1
                log.warning("the relay pauses: %s", type(failure).__name__)
                self._stopping.wait(min(30.0, 0.25 * 2**failures))

    def turn(self) -> None:
        """Everything that is waiting, once."""
        fire_due(self.engine)
        while fan_out(self.engine) and not self._stopping.is_set():
            pass
        if time.monotonic() - self._swept >= self.sweep_every:
            self._swept = time.monotonic()
            sweep(self.engine)
            start_everywhere(self.engine, self._scheduled)
        self._more = publish(self.engine, self.ring, room=self.room) > 0
        self.turns += 1

    def wake(self) -> None:
        """A worker has finished a job: if others wait for room, ring for them now."""
        if self._more and not self._stopping.is_set():
            self._poke()

    def stop(self, timeout: float = 10.0) -> None:
        """End after the present step, and wait for it."""
        self._stopping.set()
        self._poke()
        if self.is_alive():
            self.join(timeout)
        self._wake_in.close()
        self._wake_out.close()

    def _poke(self) -> None:
        with suppress(OSError):  # full: poked often enough; closed: nobody to wake
            self._wake_in.send(b"!")

    def _wait(self, listener: psycopg.Connection) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(listener.fileno(), selectors.EVENT_READ)
            waiting.register(self._wake_out, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in waiting.select(self.poll)}
        if self._wake_out in ready:
            self._wake_out.recv(4096)
        if listener.fileno() in ready:
            for _ in listener.notifies(timeout=0):
                pass
