"""Clocks of one case, computed from its events and kept for lists and reminders.

The events are the truth; whatever stands in the rows can be computed again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import select

from huiyin.clocks import calendars, looking
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Audience, Complexity, Policy, default_policy
from huiyin.clocks.rules import CaseEvent, Clock, ClockState, Facts, compute
from huiyin.db import ScopedSession
from huiyin.kit.calendar import WorkCalendar
from huiyin.kit.time import now


@dataclass(frozen=True, slots=True)
class NextDue:
    """What a list shows of a case's clocks: the nearest one still running."""

    at: datetime | None
    kind: str | None
    held: bool
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """What another calendar did to one clock: its date moved, or became firm."""

    key: str
    title: str
    before: date
    after: date
    provisional: bool


def calendar() -> WorkCalendar:
    """The working-day calendar in force; loading a notice makes a new version."""
    return calendars.current()


def policy() -> Policy:
    return default_policy()


def mark() -> str:
    """By what the moments of the next reminders are found out now."""
    return looking.mark_of(calendar().id, policy())


def event(kind: str, at: datetime, /, **data: Any) -> dict[str, Any]:
    """A clock event as it is kept on the case."""
    return {"kind": kind, "at": at.isoformat(), "data": msgspec.to_builtins(data)}


def replay(events: Iterable[Mapping[str, Any]], facts: Facts) -> tuple[Clock, ...]:
    """The clocks these kept events give."""
    promised = tuple(sorted(facts.promised.items()))
    return _replayed(
        msgspec.json.encode(list(events)),
        facts.intake, facts.complexity, promised, facts.as_of, calendar(),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _replayed(
    events: bytes, intake: str, complexity: Complexity, promised: tuple[tuple[str, date], ...],
    as_of: datetime | None, days: WorkCalendar,
) -> tuple[Clock, ...]:  # fmt: skip
    """A case is looked at more often than anything happens to it."""
    return compute(
        [
            CaseEvent(e["kind"], datetime.fromisoformat(e["at"]), e["data"])
            for e in msgspec.json.decode(events)
        ],
        policy(),
        days,
        Facts(intake=intake, complexity=complexity, promised=dict(promised), as_of=as_of),
    )


def recompute(
    session: ScopedSession,
    case_id: uuid.UUID,
    events: Sequence[Mapping[str, Any]],
    *,
    intake: str,
    complexity: str,
    fresh: bool = False,
    before: int | None = None,
) -> NextDue:
    """Bring the rows of one case up to date; ``fresh`` spares the look for existing ones.

    With ``before``, how many of the events came before this change, the answer tells which dates
    another calendar alone had moved by then.
    """
    known = {} if fresh else _rows(session, case_id)
    facts = _facts(known.values(), intake, complexity)
    shifts = [] if before is None else _shifted(known, events[:before], facts)
    clocks = replay(events, facts)
    for clock in clocks:
        row = known.pop(clock.key, None)
        if row is None:
            row = ClockRow(case_id=case_id, key=clock.key)
            session.add(row)
        _fill(row, clock)
    for gone in known.values():
        _end(gone)
    return replace(next_due(clocks), shifts=tuple(shifts))


def shifts(
    session: ScopedSession,
    case_id: uuid.UUID,
    events: Sequence[Mapping[str, Any]],
    *,
    intake: str,
    complexity: str,
) -> list[Shift]:
    """What the calendar in force does to the dates of a case as they were last computed."""
    known = _rows(session, case_id)
    return _shifted(known, events, _facts(known.values(), intake, complexity))


def _shifted(
    known: Mapping[str, ClockRow], events: Sequence[Mapping[str, Any]], facts: Facts
) -> list[Shift]:
    if all(row.calendar_version == calendar().id for row in known.values()):
        return []
    pairs = [(known[c.key], c) for c in replay(events, facts) if c.key in known]
    return [
        Shift(clock.key, clock.title, row.due_on, clock.due_on, clock.provisional)
        for row, clock in pairs
        if (row.due_on, row.provisional) != (clock.due_on, clock.provisional)
    ]


def _rows(session: ScopedSession, case_id: uuid.UUID) -> dict[str, ClockRow]:
    rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case_id))
    return {row.key: row for row in rows}


def _facts(rows: Iterable[ClockRow], intake: str, complexity: str) -> Facts:
    promised = {row.key: row.promised_on for row in rows if row.promised_on}
    return Facts(intake=intake, complexity=Complexity(complexity), promised=promised)


def _end(row: ClockRow) -> None:
    """A clock the case no longer has, as when its kind changed: what it was stays in the figures.

    One that ran out counts as missed, one still in time as cancelled.
    """
    if row.stopped_at is not None or row.state == ClockState.CANCELLED.value:
        return
    moment = now()
    late = row.state == ClockState.RUNNING.value and moment > row.due_at
    row.state = (ClockState.MISSED if late else ClockState.CANCELLED).value
    row.stopped_at = moment
    looking.silence(row)


def next_due(clocks: Iterable[Clock]) -> NextDue:
    open_ones = [c for c in clocks if c.open]
    running = [c for c in open_ones if c.state is ClockState.RUNNING]
    if running:
        nearest = min(running, key=lambda c: c.due_at)
        return NextDue(nearest.due_at, nearest.kind, held=False)
    return NextDue(None, None, held=bool(open_ones))


def _fill(row: ClockRow, clock: Clock) -> None:
    row.kind, row.title, row.stage = clock.kind, clock.title, clock.stage or ""
    row.started_at, row.stopped_at = clock.started_at, clock.stopped_at
    if row.due_at != clock.due_at:
        row.reminded = 0
    row.due_on, row.due_at = clock.due_on, clock.due_at
    row.amount, row.unit = clock.amount, clock.unit.value
    row.state = clock.state.value
    row.audience = clock.audience.value
    row.origin = msgspec.to_builtins(clock.origin)
    row.provisional, row.calendar_version = clock.provisional, clock.calendar_version
    if clock.audience is Audience.COMPLAINANT:
        # Whatever moves such a date is told to the complainant; nothing brings it forward.
        row.promised_on = max(row.promised_on or clock.due_on, clock.due_on)
    looking.keep(row, clock, calendar(), policy(), row.reminded or 0)


def promised_reply(rows: Iterable[ClockRow]) -> date | None:
    """The day by which the complainant was told to have the written answer."""
    days = [row.promised_on or row.due_on for row in rows if row.kind == "reply"]
    return max(days) if days else None
