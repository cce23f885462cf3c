"""Reading a clock: how much is left, when to remind, and how its date came about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from huiyin.clocks.dates import Terms, base_day, between, paused_units, settle
from huiyin.clocks.events import Clock, ClockState
from huiyin.clocks.policy import Unit, amount_label
from huiyin.kit.calendar import Day, Span, WorkCalendar
from huiyin.kit.i18n import N_, Message
from huiyin.kit.notices import days_between
from huiyin.kit.time import at_local, local, local_date

EARLIER_WHEN_PROVISIONAL: Final = timedelta(days=2)
"""A make-up weekend in a notice not yet published moves a date by up to two days."""


class RemainingKind(StrEnum):
    OVERDUE = "overdue"
    TODAY = "today"
    DAYS = "days"
    HOURS = "hours"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a clock: ``n`` whole units, or how far it is over.

    ``at`` is Shanghai's wall clock (``17:00``) of the due moment; ``reason`` why it is paused.
    """

    kind: RemainingKind
    n: int
    unit: Unit
    at: str = ""
    reason: str = ""


LEFT: Final = {
    Unit.WORKDAY: (N_("剩 1 个工作日"), N_("剩 {n} 个工作日")),
    Unit.CALENDAR_DAY: (N_("剩 1 天"), N_("剩 {n} 天")),
    Unit.TRADING_DAY: (N_("剩 1 个交易日"), N_("剩 {n} 个交易日")),
    Unit.HOUR: (N_("剩 1 小时"), N_("剩 {n} 小时")),
}
OVER: Final = {
    Unit.WORKDAY: (N_("超 1 个工作日"), N_("超 {n} 个工作日")),
    Unit.CALENDAR_DAY: (N_("超 1 天"), N_("超 {n} 天")),
    Unit.TRADING_DAY: (N_("超 1 个交易日"), N_("超 {n} 个交易日")),
    Unit.HOUR: (N_("超 1 小时"), N_("超 {n} 小时")),
}


def remaining(clock: Clock, now: datetime, calendar: WorkCalendar) -> Remaining:
    """What is left of ``clock`` at ``now``, in its own unit."""
    if clock.stopped_at is not None:
        return Remaining(RemainingKind.DONE, 0, clock.unit)
    if clock.state is ClockState.PAUSED:
        return Remaining(RemainingKind.PAUSED, 0, clock.unit, reason=clock.pause_reason)
    at = local(clock.due_at).strftime("%H:%M")
    today, over = local_date(now), now > clock.due_at
    if clock.unit is Unit.HOUR:
        hours = int(abs(clock.due_at - now) / timedelta(hours=1))
        kind = RemainingKind.OVERDUE if over else RemainingKind.HOURS
        return Remaining(kind, hours, clock.unit, at)
    if over:
        n = between(calendar, clock.due_on, today, clock.unit)
        return Remaining(RemainingKind.OVERDUE, n, clock.unit, at)
    if today == clock.due_on:
        return Remaining(RemainingKind.TODAY, 0, clock.unit, at)
    n, unit = between(calendar, today, clock.due_on, clock.unit), clock.unit
    if n == 0:  # a letter may name a rest day: days are left, though no working days
        n, unit = (clock.due_on - today).days, Unit.CALENDAR_DAY
    return Remaining(RemainingKind.DAYS, n, unit, at)


def remaining_message(left: Remaining) -> Message:
    """剩 3 个工作日 · 今天 17:00 前 · 超 2 个工作日 · 暂停：待代销机构."""
    if left.kind is RemainingKind.DONE:
        return Message(N_("已结束"))
    if left.kind is RemainingKind.PAUSED:
        if left.reason:
            return Message(N_("暂停：{reason}"), {"reason": left.reason})
        return Message(N_("暂停"))
    if left.kind is RemainingKind.TODAY:
        return Message(N_("今天 {time} 前"), {"time": left.at})
    if left.n == 0:
        over = left.kind is RemainingKind.OVERDUE
        return Message(N_("已超时") if over else N_("不到 1 小时"))
    one, many = (OVER if left.kind is RemainingKind.OVERDUE else LEFT)[left.unit]
    return Message(one) if left.n == 1 else Message(many, {"n": left.n})


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a clock is used, in its unit; time in pauses is in neither number."""

    used: int
    total: int

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.used / self.total)) if self.total else 100


def usage(clock: Clock, now: datetime, calendar: WorkCalendar) -> Usage:
    """Used and total units at ``now``, or at the moment it stopped or was paused."""
    moment = min(now, clock.stopped_at or clock.paused_at or now)
    if clock.unit is Unit.HOUR:
        hour = timedelta(hours=1)
        still = sum((p.until - p.since for p in clock.terms.pauses), timedelta())
        return Usage(
            max(0, int((moment - clock.started_at - still) / hour)),
            int((clock.due_at - clock.started_at - still) / hour),
        )
    base = base_day(clock.terms, calendar)
    still_days = paused_units(clock.terms, base, clock.unit, calendar)
    total = between(calendar, base, clock.due_on, clock.unit) - still_days
    used = between(calendar, base, local_date(moment), clock.unit) - still_days
    return Usage(max(0, used), max(0, total))


@dataclass(frozen=True, slots=True)
class Reminder:
    percent: int
    at: datetime


def reminders(clock: Clock, calendar: WorkCalendar) -> tuple[Reminder, ...]:
    """When each of the clock's thresholds is reached, in working time, so never on a rest day.

    A provisional date is reminded of two days early, because the missing notice may shorten it.
    """
    early = EARLIER_WHEN_PROVISIONAL if clock.provisional else timedelta()
    stretches = list(_working_stretches(clock, calendar))
    found = []
    for percent in clock.warn:
        at = clock.due_at
        if percent < 100:
            at = max(clock.started_at, _working_point(clock, stretches, percent / 100) - early)
        found.append(Reminder(percent, at))
    return tuple(found)


def _working_point(
    clock: Clock, stretches: list[tuple[datetime, datetime]], share: float
) -> datetime:
    """The moment by which ``share`` of the hours of working days has gone by."""
    left = sum((end - start for start, end in stretches), timedelta()) * share
    for start, end in stretches:
        if left <= end - start:
            return start + left
        left -= end - start
    return clock.started_at + (clock.due_at - clock.started_at) * share


def _working_stretches(clock: Clock, calendar: WorkCalendar) -> Iterator[tuple[datetime, datetime]]:
    for day in days_between(local_date(clock.started_at), clock.due_on):
        if clock.unit is Unit.HOUR or calendar.is_workday(day):
            start = max(clock.started_at, at_local(day))
            end = min(clock.due_at, at_local(day) + timedelta(days=1))
            if start < end:
                yield start, end


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a date came about: the steps as sentences, and every day that was walked over."""

    steps: tuple[Message, ...]
    days: tuple[Day, ...]


def derive(clock: Clock, calendar: WorkCalendar) -> Derivation:
    """The way to ``clock.due_on``; raises ``ValueError`` for another calendar than it used."""
    if calendar.id != clock.calendar_version:
        raise ValueError(f"this clock was counted with {clock.calendar_version}")
    terms = clock.terms
    settled = settle(terms, calendar)
    days: list[Day] = []
    if terms.cutoff is not None:
        days += calendar.effective_start(terms.start, terms.cutoff).days[:-1]
    for n, span in enumerate(settled.spans):
        days += span.days[1:] if n else span.days
    steps = (
        *_counting(terms, settled.spans, calendar),
        *_bounds(clock, settled.spans),
        *clock.notes,
    )
    return Derivation(steps, tuple(days))


def _counting(terms: Terms, spans: tuple[Span, ...], calendar: WorkCalendar) -> Iterator[Message]:
    first, base = local_date(terms.start), base_day(terms, calendar)
    if terms.given_on:
        yield Message(N_("以来函载明的 {day} 为准"), {"day": _iso(terms.given_on)})
        return
    if base != first:
        params = {"day": _iso(first), "on": _iso(base)}
        yield Message(N_("{day} 在截止时间后或休息日收到，视为 {on} 收到"), params)
    if terms.unit is Unit.HOUR:
        at = local(terms.start).strftime("%Y-%m-%d %H:%M")
        yield Message(N_("自 {at} 起连续计算"), {"at": at})
    else:
        yield Message(N_("{day} 为起算日，不计入"), {"day": _iso(base)})
    yield Message(N_("计 {amount}"), {"amount": amount_label(terms.amount, terms.unit)})
    for pause in terms.pauses:
        since, until = local_date(pause.since), local_date(pause.until)
        params = {"since": _iso(since), "until": _iso(until)}
        yield Message(N_("{since} 至 {until} 暂停计时，期间不计入"), params)
    for n, unit in terms.extensions:
        yield Message(N_("延期 {amount}"), {"amount": amount_label(n, unit)})
    for span in spans:
        counted = next(d.on for d in span.days if d.counted == span.days[-1].counted)
        if terms.unit is Unit.CALENDAR_DAY and counted != span.on:
            params = {"day": _iso(counted), "on": _iso(span.on)}
            yield Message(N_("末日 {day} 为休息日，顺延至 {on}"), params)
        else:
            yield Message(N_("数至 {day}"), {"day": _iso(span.on)})


def _bounds(clock: Clock, spans: tuple[Span, ...]) -> Iterator[Message]:
    terms, day = clock.terms, spans[-1].on if spans else clock.due_on
    if clock.hard_stop_on and clock.hard_stop_on < day and terms.hard_stop:
        day = clock.hard_stop_on
        amount = amount_label(*terms.hard_stop)
        yield Message(N_("最长 {amount}，以 {day} 为限"), {"amount": amount, "day": _iso(day)})
    if terms.ceiling_on and terms.ceiling_on < day:
        day = terms.ceiling_on
        yield Message(N_("为书面答复留出时间，提前至 {day}"), {"day": _iso(day)})
    if terms.floor_on and terms.floor_on > day:
        day = terms.floor_on
        yield Message(N_("进入阶段后至少留 1 个工作日，定为 {day}"), {"day": _iso(day)})
    if terms.promised_on and terms.promised_on > day:
        day = terms.promised_on
        yield Message(N_("已告知投诉人的日期不提前，仍为 {day}"), {"day": _iso(day)})
    if clock.provisional:
        yield Message(N_("所涉年份的放假安排尚未载入，日期暂定"))


def _iso(day: date) -> str:
    return day.isoformat()
