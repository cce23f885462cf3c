"""A year's holiday notice: read from a file, and refused with what to mend.

The State Council publishes one each autumn for the year that follows, and sometimes corrects it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import msgspec

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message

ONE_DAY: Final = timedelta(days=1)
LONGEST: Final = 15  # days off in a row; a longer run is a mistyped one


class HolidayRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days off in a row, both ends included."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    first: date
    last: date


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One year's arrangement as the State Council published it.

    A notice speaks for 25 December of the year before to 24 December of its own year, because
    the New Year break and its make-up days often lie in December.
    """

    year: Annotated[int, msgspec.Meta(ge=2004, le=2100)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    holidays: tuple[HolidayRun, ...]
    makeup_days: tuple[date, ...] = ()

    @property
    def first(self) -> date:
        return date(self.year - 1, 12, 25)

    @property
    def last(self) -> date:
        return date(self.year, 12, 24)

    def days_off(self) -> dict[date, str]:
        """Every day off with its holiday's name."""
        return {day: run.name for run in self.holidays for day in days_between(run.first, run.last)}


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``, both included."""
    return (first + n * ONE_DAY for n in range((last - first).days + 1))


def read_notice(source: bytes | Path) -> Notice:
    """A year's notice from a TOML file; raises ``Invalid`` with what to mend.

    ``year``, ``source``, ``makeup_days = [2027-01-03]`` and ``[[holidays]]`` tables with
    ``name``, ``first`` and ``last``.
    """
    raw = source if isinstance(source, bytes) else source.read_bytes()
    try:
        notice = msgspec.convert(tomllib.loads(raw.decode()), Notice)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        detail = Message(N_("请按样例修改放假安排文件：{detail}"), {"detail": str(error)})
        raise Invalid({"notice": detail}) from error
    problem = next(_problems(notice), None)
    if problem:
        raise Invalid({"notice": problem})
    return notice


def _problems(notice: Notice) -> Iterator[Message]:
    yield from _wrong_runs(notice)
    ends = [day for run in notice.holidays for day in (run.first, run.last)]
    for day in (*ends, *notice.makeup_days):
        if not notice.first <= day <= notice.last:
            params = {"day": day.isoformat(), "year": notice.year}
            yield Message(N_("{day} 不在 {year} 年通知的范围内，请核对"), params)
    off = notice.days_off()
    for month in (1, 5, 10):  # the law fixes these three; without them the year is not whole
        day = date(notice.year, month, 1)
        if day not in off:
            yield Message(N_("缺少 {day} 的放假安排，请补全"), {"day": day.isoformat()})
    for day in notice.makeup_days:
        if day.weekday() < 5 or day in off:
            text = N_("补班日 {day} 应是周末且不在假期内，请核对")
            yield Message(text, {"day": day.isoformat()})


def _wrong_runs(notice: Notice) -> Iterator[Message]:
    for run in notice.holidays:
        if run.first > run.last:
            yield Message(N_("{name}的起止日期颠倒，请核对"), {"name": run.name})
        if (run.last - run.first).days >= LONGEST:
            text = N_("{name}连续放假超过 {n} 天，请核对起止日期")
            yield Message(text, {"name": run.name, "n": LONGEST})
    for run, later in pairwise(sorted(notice.holidays, key=lambda run: run.first)):
        if later.first <= run.last:
            both = {"name": run.name, "other": later.name}
            yield Message(N_("{name}与{other}的日期重叠，请核对"), both)
