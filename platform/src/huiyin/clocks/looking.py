"""When a clock next has something to be told, kept beside it.

So looking for reminders costs what is due and not what exists.  Beside the moment stands by which
calendar and policy it was found out: after another one has come, every clock that still bears the
old mark waits for a look, whoever brought the change and however long nothing ran.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import Select, func, select

from huiyin.clocks.events import Clock, ClockState
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Policy
from huiyin.clocks.reading import reminders
from huiyin.db import ScopedSession
from huiyin.kit.calendar import WorkCalendar

# Raised whenever ``reminders`` comes to other moments by the same calendar and policy.
EDITION: Final = 1


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


def due(mark: str, moment: datetime) -> Select[ClockRow]:
    """Clocks whose moment has come, those that have waited longest first."""
    return of_mark(mark).where(ClockRow.look_at <= moment)


def outdated(session: ScopedSession, mark: str) -> list[str]:
    """Other marks than this one that clocks still bear: the first and the last of them, if any."""
    ends = session.execute(
        select(
            select(func.min(ClockRow.look_by)).scalar_subquery(),
            select(func.max(ClockRow.look_by)).scalar_subquery(),
        )
    ).one()
    return [other for other in dict.fromkeys(ends) if other not in (None, mark)]


def of_mark(mark: str) -> Select[ClockRow]:
    """Clocks that bear a mark, those with the nearest moment first."""
    return select(ClockRow).where(ClockRow.look_by == mark).order_by(ClockRow.look_at)
