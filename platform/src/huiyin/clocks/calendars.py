"""The calendar in force: the shipped one, and each year's newest loaded notice.

Every process keeps it in memory and looks at most once a minute whether a notice was loaded, so
that no page pays for it; a job looks each time, because what it writes stays.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import Engine, func, select, text

from huiyin.clocks.models import CalendarNotice
from huiyin.db import ScopedSession, platform_session
from huiyin.kit.calendar import WorkCalendar, shipped
from huiyin.kit.notices import Notice

LOOK: Final = 60.0  # seconds between two looks of one process
# By then every process has looked, and whatever it began before has ended.
SETTLED: Final = timedelta(seconds=2 * LOOK)


@dataclass(slots=True)
class _Memory:
    """What this process knows: the calendar, the last notice in it, and when to look again."""

    engine: Engine | None = None
    calendar: WorkCalendar | None = None
    number: int = -1
    look_at: float = 0.0


_memory: Final = _Memory()
_looking: Final = threading.Lock()


def watch(engine: Engine) -> None:
    """Let this process follow the notices of a database; without one the shipped calendar holds."""
    _memory.engine = engine
    forget()


def forget() -> None:
    """Look anew at the next question; for tests and after a notice was loaded here."""
    _memory.calendar, _memory.number, _memory.look_at = None, -1, 0.0


def current() -> WorkCalendar:
    """The calendar in force, at most a minute behind."""
    known, engine = _memory.calendar, _memory.engine
    if engine is None:
        return known or shipped()
    if known and time.monotonic() < _memory.look_at:
        return known
    # Whoever comes while another looks works with what is known; the first ones wait.
    if not _looking.acquire(blocking=known is None):
        return known or shipped()
    try:
        if _memory.calendar is None or time.monotonic() >= _memory.look_at:
            with platform_session(engine, purpose="calendar") as session:
                refresh(session)
        return _memory.calendar or shipped()
    finally:
        _looking.release()


def refresh(session: ScopedSession) -> WorkCalendar:
    """The calendar in force by what the database says now."""
    number = session.scalar(select(func.max(CalendarNotice.number))) or 0
    if _memory.calendar is None or number != _memory.number:
        _memory.calendar, _memory.number = _put_together(history(session)), number
    _memory.look_at = time.monotonic() + LOOK
    return _memory.calendar


def history(session: ScopedSession) -> Sequence[CalendarNotice]:
    """Every notice ever loaded, in the order of loading."""
    return session.scalars(select(CalendarNotice).order_by(CalendarNotice.number)).all()


def newest(session: ScopedSession) -> CalendarNotice | None:
    """The notice loaded last."""
    return session.scalar(select(CalendarNotice).order_by(CalendarNotice.number.desc()).limit(1))


def _put_together(notices: Sequence[CalendarNotice]) -> WorkCalendar:
    calendar = shipped()
    for _, row in sorted({row.year: row for row in notices}.items()):
        calendar = calendar.with_notice(notice_of(row))
    return calendar


def notice_of(row: CalendarNotice) -> Notice:
    return msgspec.convert(row.content, Notice)


def load(session: ScopedSession, notice: Notice) -> tuple[CalendarNotice, bool]:
    """Keep a notice, in a session of the owner; answers its row and whether it is a new one.

    The same notice twice is the same row.  A corrected one follows the one it corrects, which
    stays on record.  Raises ``Invalid`` when a year in between is missing.
    """
    # Two loads at once would both be the next number.
    session.execute(text("LOCK TABLE calendar_notice IN EXCLUSIVE MODE"))  # wall: no firm's table
    rows = history(session)
    digest = hashlib.sha256(msgspec.json.encode(notice, order="sorted")).hexdigest()
    latest = {row.year: row for row in rows}.get(notice.year)
    if latest and latest.digest == digest:
        return latest, False
    _put_together(rows).with_notice(notice)
    row = CalendarNotice(
        number=len(rows) + 1,
        year=notice.year,
        source=notice.source,
        digest=digest,
        content=msgspec.to_builtins(notice),
        replaces=latest.number if latest else None,
    )
    session.add(row)
    session.flush()
    return row, True
