"""The working-day calendar: which days count, as of which notice, and how a date was reached.

Each autumn the State Council says which days of the next year are off and which weekends are
worked instead.  A calendar is therefore a version: it knows how far it can be trusted, and every
date counted past that is provisional (暂定) until the next notice is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib.metadata import version as installed_version
from types import MappingProxyType
from typing import Final, NamedTuple

from chinese_calendar import constants

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.notices import ONE_DAY, Notice, days_between
from huiyin.kit.time import local

CUTOFF: Final = time(17, 0)
MOST_DAYS: Final = 3660
"""Ten years: a longer time limit is a mistyped one."""

NAMES: Final = {
    "New Year's Day": N_("元旦"),
    "Spring Festival": N_("春节"),
    "Tomb-sweeping Day": N_("清明节"),
    "Labour Day": N_("劳动节"),
    "Dragon Boat Festival": N_("端午节"),
    "National Day": N_("国庆节"),
    "Mid-autumn Festival": N_("中秋节"),
    "Anti-Fascist 70th Day": N_("抗战胜利纪念日"),
}
NO_LABEL: Final = Message("")
SATURDAY: Final = Message(N_("周六"))
SUNDAY: Final = Message(N_("周日"))
MARKET_CLOSED: Final = Message(N_("补班日，交易所休市"))
NOT_COUNTED: Final = Message(N_("起算日，不计入"))
AFTER_CUTOFF: Final = Message(N_("当日截止时间后收到"))
COUNTS_AS_START: Final = Message(N_("视为收到日"))
ROLLED_HERE: Final = Message(N_("顺延至此"))


# The cases of a day ask for the same spans again and again; calendars are few, and never change.
_remembered: Final = lru_cache(maxsize=2048)


class DayKind(StrEnum):
    """What a day is in a derivation."""

    START = "start"
    WORKDAY = "workday"
    REST = "rest"
    MAKEUP = "makeup"
    HOLIDAY = "holiday"
    ROLL = "roll"


class Day(NamedTuple):
    """One line of a derivation; ``counted`` is how many units are used up at its end."""

    on: date
    kind: DayKind
    counted: int
    label: Message
    provisional: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A counted date and the way to it; ``days`` runs from the start day to ``on``."""

    start: date
    on: date
    provisional: bool
    calendar: str
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """Which calendar, and which state of it: the same data always has the same version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class WorkCalendar:
    """An immutable state of the calendar; loading a notice makes another one."""

    name: str
    holidays: Mapping[date, str]
    makeup_days: Mapping[date, str]
    in_lieu: frozenset[date]
    first_year: int
    last_year: int
    sources: tuple[str, ...]

    def __hash__(self) -> int:
        return hash(self.version)

    @cached_property
    def version(self) -> CalendarVersion:
        """Named after the last covered year and a digest of the days themselves."""
        lines = [f"{self.first_year}-{self.last_year}"]
        lines += [f"-{day}" for day in sorted(self.holidays)]
        lines += [f"+{day}" for day in sorted(self.makeup_days)]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return CalendarVersion(self.name, f"{self.last_year}-{digest[:10]}")

    @cached_property
    def id(self) -> str:
        return str(self.version)

    @property
    def trusted_from(self) -> date:
        return date(self.first_year, 1, 1)

    @property
    def trusted_until(self) -> date:
        """24 December of the last covered year: the next notice may still change what follows."""
        return date(self.last_year, 12, 24)

    def is_provisional(self, day: date) -> bool:
        return not self.trusted_from <= day <= self.trusted_until

    def missing_year(self, today: date) -> int | None:
        """The year whose notice should be loaded by now (asked for from 1 November)."""
        wanted = today.year + (today.month >= 11)
        return wanted if wanted > self.last_year else None

    def is_workday(self, day: date) -> bool:
        """Whether people work that day; beyond the published notices plain Monday to Friday."""
        _refuse_moment(day)
        return day in self.makeup_days or (day.weekday() < 5 and day not in self.holidays)

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchanges are open: they stay closed on make-up weekends."""
        _refuse_moment(day)
        return day.weekday() < 5 and day not in self.holidays

    def next_workday(self, day: date) -> date:
        """``day`` itself, or the first working day after it."""
        while not self.is_workday(day):
            day += ONE_DAY
        return day

    def subtract_workdays(self, day: date, n: int) -> date:
        """The ``n``-th working day before ``day`` (``day`` itself for 0)."""
        while n > 0:
            day -= ONE_DAY
            n -= self.is_workday(day)
        return day

    @_remembered
    def workdays_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and with ``end``; negative when it lies before."""
        return self._between(start, end, self.is_workday)

    def trading_days_between(self, start: date, end: date) -> int:
        """As ``workdays_between``, in exchange trading days."""
        return self._between(start, end, self.is_trading_day)

    @_remembered
    def add_workdays(self, start: date, n: int) -> Span:
        """The ``n``-th working day after ``start`` (n ≥ 1; the start day never counts)."""
        return self._count(start, n, self.is_workday, self._describe)

    def add_trading_days(self, start: date, n: int) -> Span:
        """The ``n``-th exchange trading day after ``start`` (n ≥ 1)."""
        return self._count(start, n, self.is_trading_day, self._describe_trading)

    @_remembered
    def add_days(self, start: date, n: int) -> Span:
        """``n`` calendar days after ``start``; a last day at rest moves to the next working day.

        民法典 201: the start day does not count; 203: the roll.  Provisional when the last day,
        or a day it rolls over, lies outside the published notices.
        """
        _refuse_amount(start, n)
        days = [self._line(start, 0, (DayKind.START, NOT_COUNTED))]
        for counted in range(1, n + 1):
            day = start + counted * ONE_DAY
            days.append(self._line(day, counted, self._describe(day)))
        last = days[-1]
        day = last.on
        while not self.is_workday(day):
            day += ONE_DAY
            worked = self.is_workday(day)
            kind = (DayKind.ROLL, ROLLED_HERE) if worked else self._describe(day)
            days.append(self._line(day, n, kind))
        provisional = any(line.provisional for line in days[n:])
        return Span(start, day, provisional, self.id, tuple(days))

    def effective_start(self, moment: datetime, cutoff: time = CUTOFF) -> Span:
        """The day something counts as received: the next working day after cut-off or at rest.

        ``moment`` must be aware; ``cutoff`` is Shanghai time, and the cut-off itself is in time.
        """
        if moment.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        here = local(moment)
        first = here.date()
        late = self.is_workday(first) and here.time() > cutoff
        on = self.next_workday(first + ONE_DAY if late else first)
        days = []
        for day in days_between(first, on):
            kind = self._describe(day)
            if day == on:
                kind = (DayKind.START, NO_LABEL if on == first else COUNTS_AS_START)
            elif day == first and late:
                kind = (kind[0], AFTER_CUTOFF)
            days.append(self._line(day, 0, kind))
        return Span(first, on, any(d.provisional for d in days), self.id, tuple(days))

    def with_notice(self, notice: Notice) -> WorkCalendar:
        """A calendar that follows ``notice``: the next year, or an amendment of a covered one.

        Raises ``Invalid`` when a year in between is missing.
        """
        if not self.first_year <= notice.year <= self.last_year + 1:
            wanted = Message(N_("请先导入 {year} 年的放假安排"), {"year": self.last_year + 1})
            raise Invalid({"year": wanted})

        def kept(days: Mapping[date, str]) -> dict[date, str]:
            return {d: n for d, n in days.items() if not notice.first <= d <= notice.last}

        worked = {day: _nearest_name(notice, day) for day in notice.makeup_days}
        return WorkCalendar(
            name=self.name,
            holidays=MappingProxyType(kept(self.holidays) | notice.days_off()),
            makeup_days=MappingProxyType(kept(self.makeup_days) | worked),
            in_lieu=frozenset(d for d in self.in_lieu if not notice.first <= d <= notice.last),
            first_year=self.first_year,
            last_year=max(self.last_year, notice.year),
            sources=(*self.sources, notice.source),
        )

    def _between(self, start: date, end: date, counts: Callable[[date], bool]) -> int:
        if end < start:
            return -self._between(end, start, counts)
        return sum(counts(day) for day in days_between(start + ONE_DAY, end))

    def _count(
        self,
        start: date,
        n: int,
        counts: Callable[[date], bool],
        describe: Callable[[date], tuple[DayKind, Message]],
    ) -> Span:
        _refuse_amount(start, n)
        days = [self._line(start, 0, (DayKind.START, NOT_COUNTED))]
        day, counted = start, 0
        while counted < n:
            day += ONE_DAY
            counted += counts(day)
            days.append(self._line(day, counted, describe(day)))
        provisional = any(line.provisional for line in days[1:])
        return Span(start, day, provisional, self.id, tuple(days))

    def _line(self, day: date, counted: int, kind: tuple[DayKind, Message]) -> Day:
        return Day(day, kind[0], counted, kind[1], self.is_provisional(day))

    def _describe(self, day: date) -> tuple[DayKind, Message]:
        if name := self.makeup_days.get(day):
            return DayKind.MAKEUP, Message(N_("{name}补班"), {"name": Message(name)})
        if name := self.holidays.get(day):
            if day in self.in_lieu:
                return DayKind.HOLIDAY, Message(N_("{name}调休"), {"name": Message(name)})
            return DayKind.HOLIDAY, Message(name)
        if day.weekday() < 5:
            return DayKind.WORKDAY, NO_LABEL
        return DayKind.REST, SATURDAY if day.weekday() == 5 else SUNDAY

    def _describe_trading(self, day: date) -> tuple[DayKind, Message]:
        kind, label = self._describe(day)
        return (DayKind.REST, MARKET_CLOSED) if kind is DayKind.MAKEUP else (kind, label)


@lru_cache(maxsize=8)
def shipped(through: int | None = None) -> WorkCalendar:
    """The calendar the product comes with, or as it was known when ``through`` was the last year.

    Raises ``ValueError`` for a year the shipped data does not hold.
    """
    years = {day.year for day in constants.holidays}
    last_year = max(years) if through is None else through
    if last_year not in years:
        raise ValueError(f"no shipped holidays for {last_year}")
    until = date(last_year, 12, 24) if last_year < max(years) else date.max

    def named(days: Mapping[date, str]) -> Mapping[date, str]:
        return MappingProxyType({d: NAMES[n] for d, n in days.items() if d <= until})

    return WorkCalendar(
        name="cn-workdays",
        holidays=named(constants.holidays),
        makeup_days=named(constants.workdays),
        in_lieu=frozenset(day for day in constants.in_lieu_days if day <= until),
        first_year=min(years),
        last_year=last_year,
        sources=(f"chinesecalendar {installed_version('chinesecalendar')}",),
    )


def _nearest_name(notice: Notice, day: date) -> str:
    return min(notice.holidays, key=lambda r: min(abs(r.first - day), abs(r.last - day))).name


def _refuse_moment(day: date) -> None:
    if isinstance(day, datetime):
        raise TypeError("a day is wanted, not a moment: which day it is depends on the time zone")


def _refuse_amount(start: date, n: int) -> None:
    _refuse_moment(start)
    if not 1 <= n <= MOST_DAYS:
        raise ValueError(f"an amount of days from 1 to {MOST_DAYS} is wanted, not {n}")
