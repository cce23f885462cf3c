"""What clocks hear and what they are: the words shared by everybody who deals with time limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from huiyin.clocks.dates import Terms
from huiyin.clocks.policy import EVENTS, Audience, Complexity, Origin, Unit
from huiyin.kit.i18n import Message
from huiyin.kit.time import local_date


class ClockState(StrEnum):
    RUNNING = "running"
    MET = "met"
    MISSED = "missed"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """Something that happened in a case and that a clock may listen to.  ``at`` is aware."""

    kind: str
    at: datetime
    data: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in EVENTS:
            raise ValueError(f"no clock knows the event {self.kind!r}")
        if self.at.tzinfo is None:
            raise ValueError("an event needs a time zone")

    def text(self, name: str) -> str:
        return str(self.data.get(name) or "")

    def day(self, name: str) -> date | None:
        """A datum as a date, also when the event was read back from JSON."""
        value = self.data.get(name)
        if isinstance(value, datetime):
            return local_date(value)
        if isinstance(value, date):
            return value
        return date.fromisoformat(str(value)) if value else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What clocks need to know beside the events.

    ``promised`` maps a clock's ``name`` (its latest run) or ``key`` to a date already told;
    ``as_of`` is the moment at which an open clock is judged missed, none to leave it running.
    """

    intake: str = "complaint"
    complexity: Complexity = Complexity.SIMPLE
    promised: Mapping[str, date] = field(default_factory=dict)
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One time limit of one case.  ``key`` is stable over replays: ``stage:plan#2``."""

    kind: str
    stage: str | None
    key: str
    title: str
    audience: Audience
    started_at: datetime
    due_on: date
    due_at: datetime
    hard_stop_on: date | None
    amount: int
    unit: Unit
    origin: Origin
    provisional: bool
    calendar_version: str
    state: ClockState
    stopped_at: datetime | None
    met_late: bool
    paused_at: datetime | None
    pause_reason: str
    warn: tuple[int, ...]
    terms: Terms
    notes: tuple[Message, ...]
    mark: str = ""  # which letter, where a rule has one clock for each

    @property
    def name(self) -> str:
        return self.key.partition("#")[0]

    @property
    def open(self) -> bool:
        return self.stopped_at is None
