"""A case with all that its page shows around it, in one statement.

The rows around a case are few and plain: the database folds them into one document each, so that
the page does not ask once for every kind.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased, joinedload

from huiyin.cases.models import Case, Participation, Task
from huiyin.clocks.models import ClockRow
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import sees_all
from huiyin.kit.errors import NotFound

TASKS: Final = 20


class PartLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's part in the case, ``since`` when, and ``until`` (UTC) when it ended."""

    account_id: uuid.UUID
    name: str
    part: str
    since: datetime
    until: datetime | None


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the page lists it; the table's columns of the same names."""

    id: uuid.UUID
    title: str
    title_params: dict[str, Any]
    assignee_id: uuid.UUID | None
    assignee_name: str
    due_on: date | None
    is_measure: bool
    done_at: datetime | None
    proof: str
    proof_params: dict[str, Any]


class MergedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case handled under this one; ``answered_at`` when its own complainant was answered.

    Its own time limits run on: ``next_due_at`` is the nearest of them.
    """

    number: str
    title: str
    answered_at: datetime | None
    next_due_at: datetime | None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A case, the names of its people, their parts from the oldest on, the dates promised to the
    complainant by the clock's key, and its tasks, open ones first."""

    case: Case
    owner: str
    investigator: str
    parts: tuple[PartLine, ...]
    promised: Mapping[str, date]
    tasks: tuple[TaskLine, ...]
    master: str  # number of the case it was merged into, if the person may know of it
    merged: tuple[MergedLine, ...]  # those merged into it that the person may know of


def open_page(session: ScopedSession, actor: Actor, number: str) -> Opened:
    """Everything around one case.  Raises ``NotFound`` for one the person may not know of."""
    reach = {"me": actor.id, "everything": not actor.is_person or sees_all(actor.roles)}
    row = session.execute(_statement(), {"number": number, **reach}).one_or_none()
    if row is None or not row[0].visible_to(actor):
        raise NotFound
    case, owner, investigator, parts, promised, tasks, master, merged = row
    return Opened(
        case=case,
        owner=owner or "",
        investigator=investigator or "",
        parts=msgspec.convert(parts or (), tuple[PartLine, ...]),
        promised=msgspec.convert(promised or {}, dict[str, date]),
        tasks=msgspec.convert(tasks or (), tuple[TaskLine, ...]),
        master=master or "",
        merged=msgspec.convert(merged or (), tuple[MergedLine, ...]),
    )


@cache
def _statement() -> Select[Any]:
    """Put together once: building it costs more than running it.

    Its parts have short names, because psycopg remembers no text beyond 4096 characters.
    """
    owner, investigator = aliased(Membership), aliased(Membership)
    return (
        select(
            *(Case, owner.name, investigator.name, _parts(), _promised(), _tasks()),
            *(_master(), _merged()),
        )
        .outerjoin(owner, owner.account_id == Case.owner_id)
        .outerjoin(investigator, investigator.account_id == Case.investigator_id)
        .options(joinedload(Case.complainant), joinedload(Case.fund))
        .where(Case.number == bindparam("number"))
    )


def _parts() -> ScalarSelect[Any]:
    part = aliased(Participation, name="part")
    order = aggregate_order_by(_object(part, PartLine), part.since, part.id)
    return (
        select(func.jsonb_agg(order))
        .where(part.case_id == Case.id)
        .correlate(Case)
        .scalar_subquery()
    )


def _promised() -> ScalarSelect[Any]:
    return (
        select(func.jsonb_object_agg(ClockRow.key, ClockRow.promised_on))
        .where(ClockRow.case_id == Case.id, ClockRow.promised_on.is_not(None))
        .correlate(Case)
        .scalar_subquery()
    )


def _tasks() -> ScalarSelect[Any]:
    task = aliased(Task, name="task")
    first = (
        select(_object(task, TaskLine).label("line"))
        .where(task.case_id == Case.id)
        .order_by(task.done_at.is_not(None), task.due_on.nulls_last(), task.id)
        .limit(TASKS)
        .correlate(Case)
        .subquery()
    )
    return select(func.jsonb_agg(first.c.line)).scalar_subquery()


def _master() -> ScalarSelect[Any]:
    other = aliased(Case, name="other")
    return (
        select(other.number)
        .where(other.id == Case.master_id, _in_reach(other))
        .correlate(Case)
        .scalar_subquery()
    )


def _merged() -> ScalarSelect[Any]:
    other = aliased(Case, name="other")
    order = aggregate_order_by(_object(other, MergedLine), other.received_at, other.id)
    return (
        select(func.jsonb_agg(order))
        .where(other.master_id == Case.id, _in_reach(other))
        .correlate(Case)
        .scalar_subquery()
    )


def _in_reach(case: Any) -> ColumnElement[bool]:
    """``visible`` of the lists, for whoever asks."""
    me = bindparam("me", type_=Uuid)
    return and_(
        ~(case.walled.any_() == me),
        or_(bindparam("everything", type_=Boolean), case.team.any_() == me),
    )


def _object(model: Any, shape: type[msgspec.Struct]) -> Any:
    """One row as a document with the fields of ``shape``."""
    pairs = [
        item
        for name in shape.__struct_fields__
        for item in (literal_column(f"'{name}'", Text), getattr(model, name))
    ]
    return func.jsonb_build_object(*pairs)
