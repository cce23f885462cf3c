"""Doing the work: begin, do and finish one job, and the threads that do so all day.

A try is counted and its lease committed before the work.  The handler then runs in one tenant
transaction with the mark "done" and the effect of the event, so in the database all of it
happens exactly once.  That transaction holds the job's row, so nobody takes a live worker's job.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import TracebackType
from typing import Final

from dramatiq import Broker, Worker
from dramatiq.threading import Interrupt, raise_thread_exception
from sqlalchemy import Engine, func, text, update
from sqlalchemy.dialects.postgresql import insert

from huiyin.db import ScopedSession, one_row, platform_session, tenant_session
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.failpoints import failpoint
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.queue.broker import make_bell, make_broker
from huiyin.queue.models import Effect, Job, JobState
from huiyin.queue.registry import (
    REGISTRY,
    GiveUp,
    Handler,
    JobView,
    Retry,
    view_of_job,
)
from huiyin.queue.relay import NOTHING, Relay, claim_due, fan_out, sweep
from huiyin.queue.schedule import fire_due
from huiyin.queue.service import enqueue

log: Final = logging.getLogger(__name__)

# How long a begun job may stay without a transaction of its own before its worker counts as dead.
LEASE: Final = timedelta(seconds=30)
DEFAULT_TRIES: Final = 5
LONGEST_PAUSE: Final = 3600  # seconds


class Outcome(StrEnum):
    """What became of one ringing of the bell."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"  # begun by somebody else, finished, or not due
    AGAIN = "again"
    QUARANTINED = "quarantined"


class TimedOut(Interrupt):
    """A handler took longer than it may.  Not an ``Exception``: handlers must not swallow it."""


def run_one(
    engine: Engine, tenant_id: uuid.UUID, job_id: uuid.UUID, *, ahead: timedelta = NOTHING
) -> Outcome:
    """Try one job once.  Safe to call at any time, by anybody, any number of times."""
    failpoint("worker.before_lease")
    job = _begin(engine, tenant_id, job_id, ahead)
    if job is None:
        return Outcome.NOTHING_TO_DO
    failpoint("worker.after_lease")
    handler: Handler | None = None
    try:
        handler = REGISTRY.find(job.consumer)
        if job.attempt > handler.retries:
            raise GiveUp  # noqa: TRY301 - it died at its last try; one way to fail
        mine = _work(engine, handler, job)
    except (Exception, TimedOut) as failure:  # noqa: BLE001 - whatever it was, the row must say so
        return _fail(engine, handler, job, failure)
    failpoint("worker.after_done")
    return Outcome.DONE if mine else Outcome.NOTHING_TO_DO


def _begin(
    engine: Engine, tenant_id: uuid.UUID, job_id: uuid.UUID, ahead: timedelta
) -> JobView | None:
    """Count the try and take the lease, by the database's clock, committed before the work."""
    token = uuid7()
    clock = func.clock_timestamp()
    with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose="job") as session:
        job = session.scalars(
            update(Job)
            .where(
                Job.id == job_id,
                Job.state == JobState.QUEUED.value,
                Job.due_at <= clock + ahead,
            )
            .values(
                state=JobState.LEASED.value,
                attempts=Job.attempts + 1,
                lease_until=clock + LEASE,
                lease_by=token,
            )
            .returning(Job)
        ).one_or_none()
        session.commit()
    return view_of_job(job, token) if job else None


def _work(engine: Engine, handler: Handler, job: JobView) -> bool:
    """Handler, effect and the mark "done" in one transaction; False if the lease was lost."""
    purpose = f"job:{job.consumer}"
    with (
        _time_limit(handler.timeout),
        tenant_session(engine, job.tenant_id, actor_id=SYSTEM_ID, purpose=purpose) as session,
        session.begin(),  # a handler that commits or rolls back by itself fails here
    ):
        if not _hold(session, job, handler.timeout):
            return False  # swept in between; it is somebody else's now
        if _first_time(session, job):
            handler.run(session, job)
            session.flush()
        failpoint("worker.after_effect")
        one_row(
            session.execute(
                update(Job)
                .where(Job.id == job.id, Job.lease_by == job.token)
                .values(
                    state=JobState.DONE.value,
                    done_at=now(),
                    error="",
                    lease_until=None,
                    lease_by=None,
                )
                .execution_options(synchronize_session=False)
            )
        )
    return True


# The server ends a transaction that waits for us clearly longer than the handler may take, so that
# even a worker stuck outside Python gives the job back.
_HOLD: Final = text(
    "SELECT set_config('statement_timeout', :limit, true),"
    " set_config('idle_in_transaction_session_timeout', :stuck, true)"
    " FROM job WHERE tenant_id = :tenant AND id = :id AND lease_by = :token FOR UPDATE"
)


def _hold(session: ScopedSession, job: JobView, timeout: float) -> bool:
    """Lock the row for the time of the work, if this try still owns it."""
    found = session.execute(
        _HOLD,
        {
            "limit": f"{int(timeout * 1000) + 1}ms",
            "stuck": f"{int(timeout * 1000) + 5000}ms",
            "tenant": job.tenant_id,
            "id": job.id,
            "token": job.token,
        },
    )
    return found.first() is not None


def _first_time(session: ScopedSession, job: JobView) -> bool:
    """Whether this consumer has not dealt with this event before; then it has, now."""
    if job.event_id is None:
        return True
    written = session.scalars(
        insert(Effect)
        .values(
            tenant_id=job.tenant_id,
            id=uuid7(),
            consumer=job.consumer,
            event_id=job.event_id,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "event_id", "consumer"])
        .returning(Effect.id)
    )
    return written.first() is not None


def _fail(engine: Engine, handler: Handler | None, job: JobView, failure: BaseException) -> Outcome:
    """Queue the job for a later try, or set it aside; its row says type and place of the fault."""
    tries = handler.retries if handler else DEFAULT_TRIES
    final = isinstance(failure, GiveUp) or job.attempt >= tries
    seconds = failure.after if isinstance(failure, Retry) else pause_after(job.attempt)
    where = place(failure)
    state = JobState.QUARANTINED if final else JobState.QUEUED
    with tenant_session(engine, job.tenant_id, actor_id=SYSTEM_ID, purpose="job") as session:
        session.execute(
            update(Job)
            .where(Job.id == job.id, Job.lease_by == job.token)
            .values(
                state=state.value,
                due_at=func.clock_timestamp() + timedelta(seconds=seconds),
                published_at=None,
                lease_until=None,
                lease_by=None,
                error=where,
            )
            .execution_options(synchronize_session=False)
        )
        if final and handler and handler.otherwise:
            enqueue(session, handler.otherwise, job.payload, object_id=job.object_id)
        session.commit()
    level = logging.ERROR if final else logging.WARNING
    log.log(
        level,
        "job %s (%s) of tenant %s, try %d: %s",
        job.id,
        job.consumer,
        job.tenant_id,
        job.attempt,
        where,
    )
    return Outcome.QUARANTINED if final else Outcome.AGAIN


def pause_after(attempt: int) -> int:
    """Seconds until the next try: 1, 5, 25, 125 …, an hour at most."""
    return min(LONGEST_PAUSE, int(5 ** (attempt - 1)))


def place(failure: BaseException) -> str:
    """Type and place of a fault, without a word of what it was about."""
    frames: list[str] = []
    trace: TracebackType | None = failure.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    ours = [frame for frame in frames if frame.startswith("huiyin")]
    if ours and ours[-1].startswith(__name__):
        ours = []  # past this module it was all somebody else's code: the innermost tells most
    spot = (ours or frames or ["?"])[-1]
    return f"{type(failure).__name__} at {spot}"


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt this thread with ``TimedOut`` when the work takes longer."""
    thread = threading.get_ident()
    lock, over = threading.Lock(), False

    def interrupt() -> None:
        with lock:
            if not over:
                raise_thread_exception(thread, TimedOut)  # type: ignore[no-untyped-call]

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()


def drain(engine: Engine, *, limit: int = 100_000, ahead: timedelta = NOTHING) -> int:
    """Do everything that is due, here and now, without a broker; answers how many tries it took.

    ``ahead`` acts as if it were that much later, for retries and schedules that would be waited
    for; ``limit`` ends a chain of jobs that never ends by itself.
    """
    tries = 0
    while tries < limit:
        moved = sweep(engine, ahead=ahead) + fire_due(engine, ahead=ahead) + fan_out(engine)
        with platform_session(engine) as session:
            due = claim_due(session, room=50, patience=NOTHING, ahead=ahead)
            session.commit()
        for tenant_id, job_id in due[: limit - tries]:
            run_one(engine, tenant_id, job_id, ahead=ahead)
        tries += len(due)
        if not due and not moved:
            break
    return min(tries, limit)


@dataclass(slots=True)
class Runner:
    """A relay and its workers, running in this process until ``stop``."""

    broker: Broker
    relay: Relay
    worker: Worker

    def stop(self, timeout: float = 15.0) -> None:
        """Finish what is being done (up to ``timeout`` seconds), take nothing new, and end."""
        self.relay.stop()
        self.worker.stop(timeout=int(timeout * 1000))
        self.broker.close()


def start(engine: Engine, *, broker_url: str | None = None, threads: int = 2) -> Runner:
    """Relay and work in this process; the broker is in-process unless a URL is given."""
    broker = make_broker(broker_url)
    relay: Relay

    def run(tenant_id: uuid.UUID, job_id: uuid.UUID) -> None:
        run_one(engine, tenant_id, job_id)
        relay.wake()

    relay = Relay(engine, make_bell(broker, run))
    worker = Worker(broker, worker_threads=threads, worker_timeout=250)
    worker.start()
    relay.start()
    return Runner(broker, relay, worker)
