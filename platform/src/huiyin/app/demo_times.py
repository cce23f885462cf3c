"""When the steps of a demonstration story happen: in working hours, in order, and never ahead."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from huiyin.clocks.service import calendar
from huiyin.kit.time import at_local, local, local_date
from huiyin.onboarding.schemas import StoryData

OPENS, CLOSES = 9, 18
HOURS_A_DAY: Final = CLOSES - OPENS
# Complaints come in until shortly before the present; after that people have their break.
LATEST: Final = timedelta(minutes=20)
ONE_DAY: Final = timedelta(days=1)
_AROUND_THE_CLOCK: Final = frozenset({"web", "email"})
_LEAST_HOURS: Final = 1.5  # less working time than this, and the office works through the holiday
_PROMPT: Final = 2  # up to this step nobody waits: registering, sorting, accepting


def dice(key: str, sides: int) -> int:
    """A number from 0 that is always the same for the same words."""
    return zlib.crc32(key.encode()) % sides


def worked(start: datetime, hours: float) -> datetime:
    """The moment after so many working hours."""
    moment, left = _open_from(start), timedelta(hours=hours)
    while True:
        closing = at_local(local_date(moment), CLOSES)
        if moment + left <= closing:
            return moment + left
        left -= closing - moment
        moment = _open_from(closing)


def working_hours(start: datetime, end: datetime) -> float:
    """Working hours between two moments."""
    total, moment = timedelta(0), _open_from(start)
    while moment < end:
        closing = at_local(local_date(moment), CLOSES)
        total += min(closing, end) - moment
        moment = _open_from(closing)
    return total / timedelta(hours=1)


def _open_from(moment: datetime) -> datetime:
    """The moment itself when the office is open, or when it opens next."""
    day = local_date(moment)
    if moment >= at_local(day, CLOSES):
        day += ONE_DAY
    while not calendar().is_workday(day):
        day += ONE_DAY
    return max(moment, at_local(day, OPENS))


def arrival(story: StoryData, base: datetime) -> datetime:
    """When the complaint came in: by web and mail at any waking hour, else when somebody is in."""
    day = local_date(base) - story.days_ago * ONE_DAY
    minute = dice(story.key + "minute", 60)
    if story.channel in _AROUND_THE_CLOCK:
        moment = at_local(day, 8 + dice(story.key, 13), minute)
    else:
        while not calendar().is_workday(day):
            day -= ONE_DAY
        moment = at_local(day, 9 + dice(story.key, 7), minute)
    return min(moment, base - LATEST - timedelta(minutes=dice(story.key, 25)))


def moments(
    story: StoryData, pauses: Sequence[float], base: datetime, *, pace: float, still_open: bool
) -> list[datetime]:
    """One moment for each step; ``pauses`` are working hours before it, at a pace of 1.

    A story that still stands somewhere has its last step a short while ago.
    """
    start, end = arrival(story, base), base - LATEST
    reached, total = [], 0.0
    for pause in pauses:
        total += pause
        reached.append(total)
    room = working_hours(start, end)
    if total and room < _LEAST_HOURS:
        return [start + (end - start) * (hours / total) * 0.9 for hours in reached]
    speed = min(pace, room / total) if total else pace
    idle = 4.0 * dice(story.key + "idle", 4)
    slack = max(room - total * speed - idle, 0.0) if still_open else 0.0
    prompt = reached[min(_PROMPT, len(reached) - 1)]
    spread = total - prompt
    answer = [start]
    for hours in reached[1:]:
        waited = slack * (hours - prompt) / spread if spread and hours > prompt else 0.0
        answer.append(worked(start, hours * speed + waited))
    return [min(moment, end) for moment in answer]


def spoken(moment: datetime) -> str:
    """As a note in a file says it: 3 月 8 日 14:05."""
    here = local(moment)
    return f"{here.month} 月 {here.day} 日 {here:%H:%M}"
