"""When a holiday notice was loaded: the dates that rest on it are counted anew, on record.

One job for each firm walks its cases in pieces and leaves a job for each of them, so that a walk
that dies goes on where it stopped and no case holds up the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import or_, select

from huiyin.cases.change import RECOUNT as VERB
from huiyin.cases.change import Deed, change, recounted
from huiyin.cases.models import Case
from huiyin.clocks import calendars, looking
from huiyin.clocks import service as clocks
from huiyin.clocks.models import CalendarNotice, ClockRow
from huiyin.db import ScopedSession
from huiyin.kit.time import now
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, handler

WALK: Final = "clocks.recount"
RECOUNT: Final = "clocks.recount_case"
PIECE: Final = 200  # cases found in one transaction


def ask(session: ScopedSession, notice: CalendarNotice | None) -> None:
    """Let the firm's open cases be counted anew, once for each notice; safe to repeat.

    Not at once: until every process knows of the notice, one might still write the old dates.
    """
    payload: dict[str, Any] = {"notice": "shipped"}
    if notice:
        payload = {"notice": str(notice.number), "since": calendars.notice_of(notice).first}
    key = f"{WALK}:{payload['notice']}:{calendars.refresh(session).id}"
    queue.enqueue(session, WALK, payload, key=key, due_at=now() + calendars.SETTLED)


def ask_where_due(session: ScopedSession, mark: str) -> None:
    """Ask where nobody did: the load was interrupted, or the product came with a newer year.

    ``mark`` is one that some clock still bears; see ``huiyin.clocks.looking``.
    """
    if not looking.is_of(mark, clocks.calendar()):
        ask(session, calendars.newest(session))


@handler(WALK, timeout=300.0)
def walk(session: ScopedSession, job: JobView) -> None:
    """A job for each case of the next piece, and one for the piece that follows."""
    after = uuid.UUID(job.payload["after"]) if "after" in job.payload else uuid.UUID(int=0)
    since = job.payload.get("since")
    found = _concerned(session, after, date.fromisoformat(since) if since else None)
    mark = f"{job.payload['notice']}:{calendars.refresh(session).id}"
    rows = [
        queue.wanted(RECOUNT, {}, key=f"{RECOUNT}:{mark}:{case_id}", object_id=case_id)
        for case_id in found
    ]
    if len(found) == PIECE:
        rest = {**job.payload, "after": str(found[-1])}
        rows.append(queue.wanted(WALK, rest, key=f"{WALK}:{mark}:{found[-1]}"))
    queue.add_jobs(session, rows)


def _concerned(session: ScopedSession, after: uuid.UUID, since: date | None) -> Sequence[uuid.UUID]:
    """The next cases with an open clock that is provisional, or due where the notice speaks."""
    provisional = ClockRow.provisional.is_(True)
    rests = or_(provisional, ClockRow.due_on >= since) if since else provisional
    return session.scalars(
        select(ClockRow.case_id)
        .where(ClockRow.case_id > after, ClockRow.stopped_at.is_(None), rests)
        .distinct()
        .order_by(ClockRow.case_id)
        .limit(PIECE)
    ).all()


@handler(RECOUNT)
def recount(session: ScopedSession, job: JobView) -> None:
    """Count one case anew; one whose dates stay as they are learns nothing of it."""
    calendars.refresh(session)
    case = session.get(Case, (session.tenant, job.object_id))
    if case is None:
        raise GiveUp
    deed = Deed(VERB, clocks_changed=True)

    def apply(case: Case) -> None:
        shifts = clocks.shifts(
            session,
            case.id,
            case.clock_events,
            intake=case.intake_type,
            complexity=case.complexity,
        )
        if not shifts:
            raise _AsBefore
        told = recounted(shifts)
        deed.data, deed.facts = told.data, told.facts

    deed.apply = apply
    try:
        change(session, job.actor, case.number, deed)
    except _AsBefore:
        return


class _AsBefore(Exception):
    """The calendar changes nothing of this case, or somebody was quicker."""
