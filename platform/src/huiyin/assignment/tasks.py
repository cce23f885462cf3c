"""A new case finds its owner by the firm's rules."""

from __future__ import annotations

from huiyin.assignment import service
from huiyin.cases.models import Case
from huiyin.db import ScopedSession
from huiyin.queue.registry import GiveUp, JobView, handler


@handler("assignment.assign", on=["case.filed"])
def assign(session: ScopedSession, job: JobView) -> None:
    """Try the rules on a case that was just filed and that nobody owns yet."""
    # Under the lock: an officer may be taking it at this moment, and then has it.
    case = session.get(Case, (session.tenant, job.object_id), with_for_update=True)
    if case is None:
        raise GiveUp
    service.assign_new(session, case)
