"""Letting go of finished jobs that nothing asks for any more.

Work that returns makes some thousand jobs a day in each firm, whether or not anything happens
there.  Jobs that were asked for under a key of their own stay: the same key is never done twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from huiyin.db import ScopedSession
from huiyin.kit.time import now
from huiyin.queue.models import PASSING, Job
from huiyin.queue.registry import JobView, handler
from huiyin.queue.service import enqueue

FORGET: Final = "queue.forget"
EVERY: Final = timedelta(days=1)
KEPT: Final = timedelta(days=14)
PIECE: Final = 2000


@handler(FORGET, timeout=300.0, every=EVERY)
def forget(session: ScopedSession, _job: JobView) -> None:
    """Delete what was done long ago, a piece in each job."""
    old = select(Job.id).where(PASSING, Job.done_at < now() - KEPT)
    found = session.scalars(old.order_by(Job.done_at).limit(PIECE)).all()
    gone = delete(Job).where(Job.id.in_(found))
    session.execute(gone.execution_options(synchronize_session=False))
    if len(found) == PIECE:
        enqueue(session, FORGET, {})
