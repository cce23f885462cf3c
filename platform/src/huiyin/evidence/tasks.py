"""The nightly comparison of rows and bytes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from huiyin.db import ScopedSession
from huiyin.evidence import service
from huiyin.evidence.store import blobs
from huiyin.queue.registry import JobView, handler

log: Final = logging.getLogger(__name__)
SWEEP: Final = "evidence.sweep"
EVERY: Final = timedelta(days=1)


@handler(SWEEP, timeout=1800.0, every=EVERY)
def sweep(session: ScopedSession, job: JobView) -> None:
    """Remove what crashes left over; say aloud, without a name, when bytes are gone or differ."""
    service.sweep(session)
    found = service.examine(session, blobs())
    if found.bad:
        log.error(
            "tenant %s: %d blobs missing, %d damaged",
            job.tenant_id, len(found.missing), len(found.damaged),
        )  # fmt: skip
