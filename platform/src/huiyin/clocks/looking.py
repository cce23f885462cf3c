"""When a clock next has something to be told, kept beside it.

So looking for reminders costs what is due and not what exists.  Beside the moment stands by which
calendar and policy it was found out: after another one has come, every clock that still bears the
old mark waits for a look, whoever brought the change and however long nothing ran.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Row, func, select

from huiyin.clocks.events import Clock, ClockState
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Policy
from huiyin.clocks.reading import reminders
from huiyin.db import ScopedSession
from huiyin.kit.calendar import WorkCalendar

# Raised whenever ``reminders`` comes to other moments by the same calendar and policy.
EDITION: Final = 1

Waiting = Sequence[Row[uuid.UUID, uuid.UUID]]  # clock and case


def mark_of(calendar_version: str, policy: Policy) -> str:
    """By what moments are found out; begins with the calendar's version."""
    return f"{calendar_version} {_digest(policy)}.{EDITION}"


def is_of(mark: str, calendar: WorkCalendar) -> bool:
    """Whether a mark was made by this calendar, whatever the policy."""
    return mark.startswith(f"{calendar.id} ")


@lru_cache(maxsize=8)
def _digest(policy: Policy) -> str:
    return hashlib.sha256(msgspec.json.encode(policy)).hexdigest()[:12]


def passed(clock: Clock, calendar: WorkCalendar, moment: datetime) -> int:
    """The highest threshold of a running clock that was reached by then; 0 for none."""
    if clock.state is not ClockState.RUNNING:
        return 0
    reached = [one.percent for one in reminders(clock, calendar) if one.at <= moment]
    return max(reached, default=0)


def keep(
    row: ClockRow, clock: Clock | None, calendar: WorkCalendar, policy: Policy, told: int
) -> None:
    """Write down when the first threshold above ``told`` is reached; a stopped clock has none.

    The mark is that of the clock: one counted just before another calendar came is outdated.  A
    row that runs while its clock does not, or is none by these rules, may do so by the next.
    """
    silence(row)
    if row.state != ClockState.RUNNING.value:
        return
    row.look_by = mark_of(clock.calendar_version if clock else calendar.id, policy)
    if clock and clock.state is ClockState.RUNNING:
        ahead = (one.at for one in reminders(clock, calendar) if one.percent > told)
        row.look_at = min(ahead, default=None)


def silence(row: ClockRow) -> None:
    """Nothing will be told of this clock unless something happens to it."""
    row.look_at = row.look_by = None


def due(session: ScopedSession, mark: str, moment: datetime, most: int) -> Waiting:
    """Clocks whose moment has come, those that have waited longest first."""
    return _of_mark(session, most, ClockRow.look_by == mark, ClockRow.look_at <= moment)


def outdated(session: ScopedSession, mark: str) -> str | None:
    """Another mark than this one that some clock still bears, if any does."""
    first, last = session.execute(
        select(
            select(func.min(ClockRow.look_by)).scalar_subquery(),
            select(func.max(ClockRow.look_by)).scalar_subquery(),
        )
    ).one()
    return next((other for other in (first, last) if other not in (None, mark)), None)


def of_mark(session: ScopedSession, mark: str, most: int) -> Waiting:
    """Clocks that bear a mark, those with the nearest moment first."""
    return _of_mark(session, most, ClockRow.look_by == mark)


def _of_mark(session: ScopedSession, most: int, *which: ColumnElement[bool]) -> Waiting:
    query = select(ClockRow.id, ClockRow.case_id).where(*which)
    return session.execute(query.order_by(ClockRow.look_at).limit(most)).all()
