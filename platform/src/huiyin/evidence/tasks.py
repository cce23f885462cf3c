"""The daily comparison of rows and bytes, one job for each piece of a round."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from datetime import timedelta
from typing import Final

from huiyin.db import ScopedSession
from huiyin.evidence import rounds
from huiyin.evidence.models import EvidenceRound
from huiyin.evidence.store import blobs
from huiyin.queue import service as queue
from huiyin.queue.registry import JobView, handler

log: Final = logging.getLogger(__name__)
SWEEP: Final = "evidence.sweep"
PIECE: Final = "evidence.compare"
TELL: Final = "evidence.tell"
EVERY: Final = timedelta(days=1)


@handler(SWEEP, every=EVERY)
def sweep(session: ScopedSession, _job: JobView) -> None:
    """Begin a round, or go on with one that is not at its end, whatever became of its jobs."""
    running = rounds.present(session)
    if running is None:
        running = rounds.begin(session)
    elif rounds.hold(session, running.id, wait=False) is None:
        return
    _go_on(session, running)


@handler(PIECE, timeout=600.0)
def compare(session: ScopedSession, job: JobView) -> None:
    """One piece, and a job for the next; only the job made last goes on, so there is one line.

    It waits for the lock: a worker that was killed may hold it a moment longer.
    """
    running = rounds.hold(session, uuid.UUID(job.payload["round"]), wait=True)
    if running is None or running.ended_at is not None or running.turn != job.payload["turn"]:
        return
    new = rounds.piece(session, running, blobs())
    if new:
        queue.enqueue(session, TELL, Counter(finding.fault for finding in new))
    if running.ended_at is None:
        _go_on(session, running)


def _go_on(session: ScopedSession, running: EvidenceRound) -> None:
    running.turn += 1
    queue.enqueue(session, PIECE, {"round": running.id, "turn": running.turn})


@handler(TELL)
def tell(_session: ScopedSession, job: JobView) -> None:
    """Say aloud, without a name, that bytes are gone or differ; ``huiyin evidence`` has the rest.

    A job of its own, so that a piece that is compared again after a fault is not told twice.
    """
    log.error(
        "tenant %s: %d blobs missing, %d damaged",
        job.tenant_id,
        job.payload.get(rounds.Fault.MISSING.value, 0),
        job.payload.get(rounds.Fault.DAMAGED.value, 0),
    )
