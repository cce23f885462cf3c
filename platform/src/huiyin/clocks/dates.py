"""From the terms of a clock to its date: counting, and the bounds around the count.

Terms are all that fixes a date, so the same terms and calendar give the same date today, in
ten years, and line by line in front of somebody who doubts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from huiyin.clocks.policy import Unit
from huiyin.kit.calendar import Span, WorkCalendar
from huiyin.kit.time import at_local, local_date


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the clock stood still."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a date depends on besides the calendar.

    ``start`` is the moment counted from and ``cutoff`` the arrival rule, if one applies;
    ``given_on`` replaces the count by a date somebody else set.  ``ceiling_on`` is the last day
    the reply leaves to a stage, ``floor_on`` the first day a stage can fairly end, and
    ``promised_on`` what the complainant was told.
    """

    start: datetime
    amount: int
    unit: Unit
    due_time: time
    cutoff: time | None = None
    given_on: date | None = None
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[tuple[int, Unit], ...] = ()
    hard_stop: tuple[int, Unit] | None = None
    ceiling_on: date | None = None
    ceiling_provisional: bool = False
    floor_on: date | None = None
    promised_on: date | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A date with everything that was counted to find it."""

    due_on: date
    due_at: datetime
    hard_stop_on: date | None
    provisional: bool
    spans: tuple[Span, ...]


def settle(terms: Terms, calendar: WorkCalendar) -> Settled:
    """The date these terms give; bounds are applied in the order they outrank each other."""
    base = base_day(terms, calendar)
    spans = _count(terms, base, calendar)
    due_at = _hours(terms) if terms.unit is Unit.HOUR else None
    counted = local_date(due_at) if due_at else spans[-1].on if spans else base
    hard_stop_on = _hard_stop(terms, base, calendar)
    day = terms.given_on or counted
    if hard_stop_on:
        day = min(day, hard_stop_on)
    if terms.ceiling_on:
        day = min(day, terms.ceiling_on)
    for floor in (terms.floor_on, terms.promised_on):
        day = max(day, floor or day)
    if due_at is None or day != counted:
        due_at = at_local(day, terms.due_time.hour, terms.due_time.minute)
    provisional = terms.given_on is None and (
        calendar.is_provisional(day)
        or any(span.provisional for span in spans)
        or (terms.ceiling_provisional and day == terms.ceiling_on)
    )
    return Settled(day, due_at, hard_stop_on, provisional, spans)


def base_day(terms: Terms, calendar: WorkCalendar) -> date:
    """Day 0: it never counts itself."""
    if terms.cutoff is None:
        return local_date(terms.start)
    return calendar.effective_start(terms.start, terms.cutoff).on


def add(calendar: WorkCalendar, start: date, n: int, unit: Unit) -> Span:
    """``n`` days of this unit after ``start``; hours are not days."""
    if unit is Unit.WORKDAY:
        return calendar.add_workdays(start, n)
    if unit is Unit.TRADING_DAY:
        return calendar.add_trading_days(start, n)
    if unit is Unit.CALENDAR_DAY:
        return calendar.add_days(start, n)
    raise ValueError("hours cannot be counted in days")


def between(calendar: WorkCalendar, start: date, end: date, unit: Unit) -> int:
    """Units after ``start`` up to and with ``end``; hours are answered in calendar days."""
    if unit is Unit.WORKDAY:
        return calendar.workdays_between(start, end)
    if unit is Unit.TRADING_DAY:
        return calendar.trading_days_between(start, end)
    return (end - start).days


def paused_units(terms: Terms, base: date, unit: Unit, calendar: WorkCalendar) -> int:
    """How many units fell into pauses; days before day 0 would not have counted anyway."""
    total = 0
    for pause in terms.pauses:
        since, until = max(local_date(pause.since), base), local_date(pause.until)
        total += max(0, between(calendar, since, until, unit))
    return total


def _count(terms: Terms, base: date, calendar: WorkCalendar) -> tuple[Span, ...]:
    """One span for the amount and what is added in its unit, one more per other unit.

    An extension in the same unit is counted from day 0 with the rest, so that no rest day in
    the middle is rolled over and 30 days and 30 days are 60.
    """
    if terms.given_on or terms.unit is Unit.HOUR:
        return ()
    same = sum(n for n, unit in terms.extensions if unit is terms.unit)
    total = terms.amount + same + paused_units(terms, base, terms.unit, calendar)
    spans = [add(calendar, base, total, terms.unit)]
    for n, unit in terms.extensions:
        if unit is not terms.unit:
            spans.append(add(calendar, spans[-1].on, n, unit))
    return tuple(spans)


def _hours(terms: Terms) -> datetime:
    """Hours run day and night, from the moment itself."""
    extra = sum(n for n, unit in terms.extensions if unit is Unit.HOUR)
    total = terms.amount + extra
    if terms.hard_stop and terms.hard_stop[1] is Unit.HOUR:
        total = min(total, terms.hard_stop[0])
    return terms.start + timedelta(hours=total) + _stood_still(terms)


def _stood_still(terms: Terms) -> timedelta:
    return sum((pause.until - pause.since for pause in terms.pauses), timedelta())


def _hard_stop(terms: Terms, base: date, calendar: WorkCalendar) -> date | None:
    if terms.hard_stop is None:
        return None
    amount, unit = terms.hard_stop
    if unit is Unit.HOUR:
        return local_date(terms.start + timedelta(hours=amount) + _stood_still(terms))
    return add(calendar, base, amount + paused_units(terms, base, unit, calendar), unit).on
