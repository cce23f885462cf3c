"""Reminders: each threshold of each running clock is told once, on the case and to subscribers.

So is each open task that is due by the next working day, and each that is overdue.

A threshold that passed while nothing ran is made up for; of several only the highest is told.
What is looked at are the clocks whose moment has come, in pieces: see ``huiyin.clocks.looking``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, select

from huiyin.cases import recounting
from huiyin.cases.change import Deed, change
from huiyin.cases.models import Case, Task
from huiyin.cases.stages import CaseState
from huiyin.clocks import calendars, looking
from huiyin.clocks import service as clocks
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Complexity
from huiyin.clocks.rules import Clock, Facts
from huiyin.db import ScopedSession
from huiyin.kit.failpoints import failpoint
from huiyin.kit.time import now, today
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, handler

SCAN: Final = "clocks.remind"
REST: Final = "clocks.remind_rest"
TELL: Final = "clocks.remind_case"
EVERY: Final = timedelta(minutes=5)
PIECE: Final = 200  # clocks looked at in one transaction
OVERDUE: Final = 100  # percent
TELL_TASK: Final = "tasks.remind"
TASKS: Final = 500  # jobs about tasks written at once
SOON, LATE = 1, 2  # what was told of a task: that it is due on the next working day, or overdue

# What a clock is computed from; the rest of a case is not read.
_GIVEN: Final = (
    Case.id, Case.clock_events, Case.intake_type, Case.complexity, Case.next_due_at,
)  # fmt: skip
Given = Case | Row[Any]


@handler(SCAN, timeout=300.0, every=EVERY)
def scan(session: ScopedSession, _job: JobView) -> None:
    """Find what has something to be told, and a job for each of it.

    A case is then told in a transaction of its own, so that none of them holds up the others.
    """
    calendars.refresh(session)
    _scan_clocks(session)
    _scan_tasks(session)


@handler(REST, timeout=300.0)
def scan_rest(session: ScopedSession, job: JobView) -> None:
    """The next piece of a scan that found more than one.

    A process that counts by other rules leaves it: it would find every clock outdated, and so
    would the other one after it.
    """
    calendars.refresh(session)
    if job.payload["by"] == clocks.mark():
        _scan_clocks(session)


def _scan_clocks(session: ScopedSession) -> None:
    mark = clocks.mark()
    found = _held(session, looking.due(mark, now()), PIECE)
    for other in looking.outdated(session, mark):
        recounting.ask_where_due(session, other)
        found += _held(session, looking.of_mark(other), PIECE - len(found))
    wanted = [job for case, row in found for job in _look_at(case, row)]
    failpoint("remind.before_rest")
    if len(found) == PIECE:
        wanted.append(queue.wanted(REST, {"by": mark}, key=None))
    queue.add_jobs(session, wanted)


def _held(
    session: ScopedSession, waiting: Select[ClockRow], most: int
) -> list[tuple[Given, ClockRow]]:
    """So many of these clocks, each with what it is computed from, the case held.

    A case that is just being changed is passed over, and hides none behind it: its clocks are
    counted anew right now, and it is found again if they are still due.
    """
    query = waiting.join(Case, Case.id == ClockRow.case_id).add_columns(*_GIVEN).limit(most)
    held = query.with_for_update(of=Case, skip_locked=True, key_share=True)
    rows = session.execute(held.execution_options(populate_existing=True)).all()
    return [(row, row[0]) for row in rows]


def _look_at(case: Given, row: ClockRow) -> Iterator[dict[str, Any]]:
    """What is to be told of one clock now; and when it is to be looked at again."""
    clock, days = clock_of(case, row), clocks.calendar()
    percent = looking.passed(clock, days, now()) if clock else 0
    looking.keep(row, clock, days, clocks.policy(), max(percent, row.reminded))
    if case.next_due_at is not None and percent > row.reminded:
        # Under no key: what is not true when it is to be told may be asked for again.
        payload = {"clock": row.id, "due_at": row.due_at.isoformat(), "percent": percent}
        yield queue.wanted(TELL, payload, key=None, object_id=row.case_id)


def clock_of(case: Given, row: ClockRow) -> Clock | None:
    """The clock of a row as the events of its case give it."""
    facts = Facts(
        intake=case.intake_type,
        complexity=Complexity(case.complexity),
        promised={row.key: row.promised_on} if row.promised_on else {},
    )
    replayed = clocks.replay(case.clock_events, facts)
    return next((clock for clock in replayed if clock.key == row.key), None)


def _passed(case: Case, row: ClockRow) -> tuple[Clock | None, int]:
    """A clock, and its highest threshold that has passed and was not told; 0 for none."""
    clock = clock_of(case, row)
    percent = looking.passed(clock, clocks.calendar(), now()) if clock else 0
    return clock, percent if percent > row.reminded else 0


@handler(TELL)
def tell(session: ScopedSession, job: JobView) -> None:
    """Put one reminder on one case, if it is still true."""
    calendars.refresh(session)
    case = session.get(Case, (session.tenant, job.object_id))
    if case is None:
        raise GiveUp
    clock_id = uuid.UUID(str(job.payload["clock"]))
    row = session.get(ClockRow, (session.tenant, clock_id))
    if row is None:
        return
    if not _passed(case, row)[1]:
        _look_again(session, case, row)
        return
    deed = Deed("remind")

    def apply(case: Case) -> None:
        session.refresh(row)
        clock, percent = _passed(case, row)
        if clock is None or percent == 0:
            looking.keep(row, clock, clocks.calendar(), clocks.policy(), row.reminded)
            raise _Settled
        row.reminded = percent
        looking.keep(row, clock, clocks.calendar(), clocks.policy(), percent)
        facts = {"clock": row.key, "kind": row.kind, "percent": percent, "due_on": row.due_on}
        deed.data = {**facts, "due_on": row.due_on.isoformat(), "title": row.title}
        deed.facts = facts
        queue.emit(
            session, "clock.due", object_id=case.id, actor_id=job.actor.id,
            payload={
                **facts, "number": case.number, "overdue": percent >= OVERDUE,
                "owner": case.owner_id, "audience": row.audience,
            },
        )  # fmt: skip

    deed.apply = apply
    try:
        change(session, job.actor, case.number, deed)
    except _Settled:
        return


def _look_again(session: ScopedSession, case: Case, row: ClockRow) -> None:
    """Nothing is to be told of it now, as where this clock is behind that of whoever looked:
    let it be found again at the next threshold that was not told."""
    session.refresh(case, with_for_update={"key_share": True})
    session.refresh(row)
    looking.keep(row, clock_of(case, row), clocks.calendar(), clocks.policy(), row.reminded)


def _scan_tasks(session: ScopedSession) -> None:
    """A job for each task of an open case that has something to be told."""
    for told, last in ((0, _next_workday()), (SOON, today() - timedelta(days=1))):
        after = uuid.UUID(int=0)
        while found := _untold(session, told, last, after):
            after = found[-1].id
            queue.add_jobs(session, [_about(task) for task in found])


def _untold(
    session: ScopedSession, told: int, last: date, after: uuid.UUID
) -> Sequence[Row[uuid.UUID, uuid.UUID, date | None]]:
    return session.execute(
        select(Task.id, Task.case_id, Task.due_on)
        .join(Case, Case.id == Task.case_id)
        .where(
            Case.state == CaseState.OPEN.value,
            Task.done_at.is_(None),
            Task.reminded == told,
            Task.due_on <= last,
            Task.id > after,
        )
        .order_by(Task.id)
        .limit(TASKS)
    ).all()


def _about(task: Row[uuid.UUID, uuid.UUID, date | None]) -> dict[str, Any]:
    # Once an hour at most, until it is told: what is not true when it is to be told may be later.
    key = f"{TELL_TASK}:{task.id}:{_level(task.due_on)}:{now():%Y%m%d%H}"
    return queue.wanted(TELL_TASK, {"task": task.id}, key=key, object_id=task.case_id)


def _next_workday() -> date:
    return clocks.calendar().add_workdays(today(), 1).on


def _level(due_on: date | None) -> int:
    if due_on is None or due_on > _next_workday():
        return 0
    return LATE if due_on < today() else SOON


@handler(TELL_TASK)
def tell_task(session: ScopedSession, job: JobView) -> None:
    """Put one reminder of a task on its case, if it is still true."""
    case = session.get(Case, (session.tenant, job.object_id))
    if case is None:
        raise GiveUp
    task_id = uuid.UUID(str(job.payload["task"]))
    deed = Deed("remind")

    def apply(case: Case) -> None:
        task = session.get(Task, (session.tenant, task_id), populate_existing=True)
        if task is None or task.done_at or not case.is_open:
            raise _Settled
        if (level := _level(task.due_on)) <= task.reminded:
            raise _Settled
        task.reminded = level
        facts = {"task": task.id, "due_on": task.due_on, "overdue": level == LATE}
        due = task.due_on.isoformat() if task.due_on else ""
        said = {"title": task.title, "params": task.title_params}
        deed.data = {**facts, "task": str(task.id), "due_on": due, **said}
        deed.facts = facts
        queue.emit(
            session, "task.due", object_id=case.id, actor_id=job.actor.id,
            payload={**facts, "number": case.number, "assignee": task.assignee_id},
        )  # fmt: skip

    deed.apply = apply
    try:
        change(session, job.actor, case.number, deed)
    except _Settled:
        return


class _Settled(Exception):
    """Somebody was quicker: the clock has stopped, the task is done, or it was told meanwhile."""
