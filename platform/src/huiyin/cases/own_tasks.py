"""Open tasks of one person, in every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from huiyin.cases.models import Case, Task
from huiyin.cases.queries import visible
from huiyin.cases.stages import CaseState
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.time import local_date, now

SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class MyTasks:
    """Open tasks of one person, those due first at the top, and whether there are more."""

    rows: Sequence[Any]
    more: bool
    today: date


def my_tasks(session: ScopedSession, actor: Actor) -> MyTasks:
    """What is left to do for this person, with the case it is for."""
    rows = session.execute(
        select(
            Task.id,
            Task.title,
            Task.title_params,
            Task.due_on,
            Task.is_measure,
            Case.number,
            Case.title.label("of"),
        )
        .join(Case, Case.id == Task.case_id)
        .where(
            Task.assignee_id == actor.id,
            Task.done_at.is_(None),
            Case.state == CaseState.OPEN.value,
            visible(actor),
        )
        .order_by(Task.due_on.nulls_last(), Task.id)
        .limit(SHOWN + 1)
    ).all()
    return MyTasks(rows[:SHOWN], len(rows) > SHOWN, local_date(now()))
