"""Open tasks of one person, in every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, select

from huiyin.cases.models import Case, Task
from huiyin.cases.stages import CaseState
from huiyin.cases.waiting import fixed, in_reach
from huiyin.db import Ready, ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.policy import sees_all
from huiyin.kit.time import local_date, now

SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class MyTasks:
    """Open tasks of one person, those due first at the top, and whether there are more."""

    rows: Sequence[Any]
    more: bool
    today: date


@cache
def _mine(everything: bool) -> Ready:
    return Ready(
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
            Task.assignee_id == bindparam("me"),
            Task.done_at.is_(None),
            Case.state == fixed(CaseState.OPEN),
            in_reach(everything),
        )
        .order_by(Task.due_on.nulls_last(), Task.id)
        .limit(SHOWN + 1)
    )


def my_tasks(session: ScopedSession, actor: Actor) -> MyTasks:
    """What is left to do for this person, with the case it is for."""
    rows = _mine(sees_all(actor.roles)).run(session, me=actor.id).all()
    return MyTasks(rows[:SHOWN], len(rows) > SHOWN, local_date(now()))
