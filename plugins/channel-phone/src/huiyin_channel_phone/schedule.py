"""What a roster means for a day: who answers when, and when nobody does.  Reads nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from huiyin.sdk import at_local, is_workday, local
from huiyin_channel_phone.models import DAY, Shift
from huiyin_channel_phone.terms import Days

_ONE: Final = timedelta(days=1)
HORIZON: Final = 400  # days within which two shifts are looked at for overlap

Away = Callable[[uuid.UUID, date], bool]


class Cover(StrEnum):
    """How a stretch of a day is covered."""

    MAIN = "main"
    DEPUTY = "deputy"  # somebody stands in
    ABSENT = "absent"  # a shift is planned, and everybody on it is away
    OUTSIDE = "outside"  # no shift is planned


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes ``begin`` to ``end`` of one day; ``who`` answers, if anybody does."""

    begin: int
    end: int
    cover: Cover
    who: uuid.UUID | None = None
    shift: uuid.UUID | None = None

    @property
    def covered(self) -> bool:
        return self.who is not None

    @property
    def minutes(self) -> int:
        return self.end - self.begin


def stands_on(shift: Shift, day: date) -> bool:
    """Whether the shift begins on that day."""
    if day < shift.first_on or (shift.last_on is not None and day > shift.last_on):
        return False
    match shift.days:
        case Days.EVERY.value:
            return True
        case Days.WORKDAYS.value:
            return is_workday(day)
        case Days.RESTDAYS.value:
            return not is_workday(day)
    return day.weekday() in shift.weekdays


def pieces(shift: Shift, day: date) -> Iterator[tuple[int, int, date]]:
    """Minutes of ``day`` that the shift covers, each with the day on which it began."""
    end = shift.begins + shift.length
    if stands_on(shift, day):
        yield shift.begins, min(end, DAY), day
    if end > DAY and stands_on(shift, day - _ONE):
        yield 0, end - DAY, day - _ONE


def on_shift(shift: Shift, began: date, away: Away) -> tuple[uuid.UUID | None, Cover]:
    """The first on the list who is there; a deputy who is away too covers nothing."""
    for place, person in enumerate(shift.people):
        if not away(person, began):
            return person, Cover.DEPUTY if place else Cover.MAIN
    return None, Cover.ABSENT


def day_of(shifts: Iterable[Shift], day: date, away: Away) -> list[Stretch]:
    """The whole day of one post, from 0 to 24, with its gaps as stretches of their own."""
    planned: list[Stretch] = []
    for shift in shifts:
        for begin, end, began in pieces(shift, day):
            who, cover = on_shift(shift, began, away)
            planned.append(Stretch(begin, end, cover, who, shift.id))
    planned.sort(key=lambda one: (one.begin, one.end))
    whole: list[Stretch] = []
    at = 0
    for one in planned:
        if one.begin > at:
            whole.append(Stretch(at, one.begin, Cover.OUTSIDE))
        begin = max(one.begin, at)
        if one.end > begin:
            whole.append(Stretch(begin, one.end, one.cover, one.who, one.shift))
            at = one.end
    if at < DAY:
        whole.append(Stretch(at, DAY, Cover.OUTSIDE))
    return whole


def covered(days: Iterable[Sequence[Stretch]]) -> list[tuple[int, int]]:
    """Minutes of a day in which any of the posts is answered, joined together."""
    spans = sorted((s.begin, s.end) for post in days for s in post if s.covered)
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def minute_of(moment: datetime) -> tuple[date, int]:
    """The day and its minute, on the firm's clock."""
    there = local(moment)
    return there.date(), there.hour * 60 + there.minute


def moment_of(day: date, minute: int) -> datetime:
    return at_local(day) + timedelta(minutes=minute)


def clash(new: Shift, others: Iterable[Shift], since: date) -> tuple[Shift, date, int] | None:
    """The first day and minute on which ``new`` lies over another shift of the same post."""
    rest = [shift for shift in others if shift.id != new.id]
    first = max(since, new.first_on)
    for n in range(HORIZON):
        day = first + n * _ONE
        mine = list(pieces(new, day))
        for other in rest if mine else ():
            for begin, end, _ in pieces(other, day):
                for mine_begin, mine_end, _ in mine:
                    if begin < mine_end and mine_begin < end:
                        return other, day, max(begin, mine_begin)
    return None


def clock(minute: int) -> str:
    """540 → 09:00; the end of a day is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def minute(text: str) -> int:
    """09:00 → 540."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
