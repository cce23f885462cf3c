"""Reminders: each threshold of each running clock is told once, on the case and to subscribers.

So is each open task that is due by the next working day, and each that is overdue.

A threshold that passed while nothing ran is made up for; of several only the highest is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import select

from huiyin.cases import recounting
from huiyin.cases.change import Deed, change
from huiyin.cases.models import Case, Task
from huiyin.cases.stages import CaseState
from huiyin.clocks import service as clocks
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Complexity
from huiyin.clocks.reading import reminders
from huiyin.clocks.rules import Clock, ClockState, Facts
from huiyin.db import ScopedSession
from huiyin.kit.time import now, today
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, handler

SCAN: Final = "clocks.remind"
TELL: Final = "clocks.remind_case"
EVERY: Final = timedelta(minutes=5)
OVERDUE: Final = 100  # percent
TELL_TASK: Final = "tasks.remind"
SOON, LATE = 1, 2  # what was told of a task: that it is due on the next working day, or overdue


@handler(SCAN, timeout=300.0, every=EVERY)
def scan(session: ScopedSession, _job: JobView) -> None:
    """Find the cases that have something to be told, and a job for each of them.

    A case is then told in a transaction of its own, so that none of them holds up the others.
    """
    rows = session.execute(
        select(Case, ClockRow)
        .join(ClockRow, ClockRow.case_id == Case.id)
        .where(
            Case.next_due_at.is_not(None),
            ClockRow.state == ClockState.RUNNING.value,
            ClockRow.reminded < OVERDUE,
        )
        .order_by(Case.id, ClockRow.key)
    )
    for case, found in groupby(rows, key=lambda row: row[0]):
        for row, percent in due_of(case, [clock for _, clock in found]):
            # The date is in the key: a clock that was extended is told of anew.
            key = f"{TELL}:{row.id}:{row.due_at.isoformat()}:{percent}"
            queue.enqueue(
                session, TELL, {"clock": row.id, "percent": percent}, key=key, object_id=case.id
            )

    _scan_tasks(session)
    recounting.ask_where_due(session)


def due_of(case: Case, rows: Sequence[ClockRow]) -> Iterator[tuple[ClockRow, int]]:
    """The rows with a threshold that has passed and was not told, each with the highest."""
    facts = Facts(
        intake=case.intake_type,
        complexity=Complexity(case.complexity),
        promised={row.key: row.promised_on for row in rows if row.promised_on},
    )
    computed = {clock.key: clock for clock in clocks.replay(case.clock_events, facts)}
    for row in rows:
        clock = computed.get(row.key)
        percent = _passed(clock) if clock else 0
        if percent > row.reminded:
            yield row, percent


def _passed(clock: Clock) -> int:
    if clock.state is not ClockState.RUNNING:
        return 0
    moment = now()
    reached = [
        reminder.percent
        for reminder in reminders(clock, clocks.calendar())
        if reminder.at <= moment
    ]
    return max(reached, default=0)


@handler(TELL)
def tell(session: ScopedSession, job: JobView) -> None:
    """Put one reminder on one case, if it is still true."""
    case = session.get(Case, (session.tenant, job.object_id))
    if case is None:
        raise GiveUp
    clock_id = uuid.UUID(str(job.payload["clock"]))
    row = session.get(ClockRow, (session.tenant, clock_id))
    if row is None or not list(due_of(case, [row])):
        return
    deed = Deed("remind")

    def apply(case: Case) -> None:
        session.refresh(row)
        _, percent = next(due_of(case, [row]), (row, 0))
        if percent == 0:
            raise _Settled
        row.reminded = percent
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


def _scan_tasks(session: ScopedSession) -> None:
    """A job for each open task of an open case that has something to be told."""
    rows = session.execute(
        select(Task)
        .join(Case, Case.id == Task.case_id)
        .where(
            Case.state == CaseState.OPEN.value,
            Task.done_at.is_(None),
            Task.due_on <= _next_workday(),
            Task.reminded < LATE,
        )
        .order_by(Task.id)
    )
    for (task,) in rows:
        if (level := _level(task)) > task.reminded:
            key = f"{TELL_TASK}:{task.id}:{level}"
            queue.enqueue(session, TELL_TASK, {"task": task.id}, key=key, object_id=task.case_id)


def _next_workday() -> date:
    return clocks.calendar().add_workdays(today(), 1).on


def _level(task: Task) -> int:
    if task.done_at or task.due_on is None or task.due_on > _next_workday():
        return 0
    return LATE if task.due_on < today() else SOON


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
        if task is None or not case.is_open or (level := _level(task)) <= task.reminded:
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
