"""The clock everybody asks, so that tests and seeding can set it.

Times are UTC and aware; dates are dates in Shanghai.  Nothing else calls ``datetime.now``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_source: ContextVar[Callable[[], datetime] | None] = ContextVar("huiyin_clock", default=None)


def now() -> datetime:
    """The present moment, in UTC."""
    source = _source.get()
    return source() if source else datetime.now(UTC)


def today() -> date:
    """The present day in Shanghai."""
    return local_date(now())


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def local_date(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def at_local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A wall-clock time in Shanghai, as UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@contextmanager
def clock_at(moment: datetime, *, step: timedelta = timedelta(0)) -> Iterator[None]:
    """Let ``now()`` answer ``moment``, and ``step`` more at each further call."""
    if moment.tzinfo is None:
        raise ValueError("a clock needs a time zone")
    current = moment.astimezone(UTC)

    def tick() -> datetime:
        nonlocal current
        answer = current
        current += step
        return answer

    token = _source.set(tick)
    try:
        yield
    finally:
        _source.reset(token)
