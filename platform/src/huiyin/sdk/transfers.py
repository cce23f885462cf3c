"""What the clock of a letter of transfer says, in words that can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from huiyin.cases import transfers
from huiyin.cases.models import Case
from huiyin.clocks.policy import Force, origin_label, origin_line
from huiyin.clocks.reading import remaining, remaining_message
from huiyin.clocks.rules import Clock, ClockState
from huiyin.clocks.service import calendar
from huiyin.kit.i18n import Message
from huiyin.kit.time import now


@dataclass(frozen=True, slots=True)
class LetterClock:
    """``own`` tells the letter's own date from a target the firm set itself; ``stopped_at`` is
    when the answer went out, ``late`` whether that was, or by now is, after the day."""

    due_on: date
    due_at: datetime
    own: bool
    stopped_at: datetime | None
    late: bool
    left: Message
    origin: Message  # the short word beside the date
    origin_line: Message


def letter_clocks(case: Case) -> Mapping[str, LetterClock]:
    """One for each letter about the case that is owed an answer or was, by its mark; no query."""
    return {mark: _shown(clock) for mark, clock in transfers.letter_clocks(case).items()}


def _shown(clock: Clock) -> LetterClock:
    moment = now()
    missed = clock.state is ClockState.MISSED or clock.met_late
    return LetterClock(
        due_on=clock.due_on,
        due_at=clock.due_at,
        own=clock.origin.force is Force.TRANSFER_LETTER,
        stopped_at=clock.stopped_at,
        late=missed or (clock.open and moment > clock.due_at),
        left=remaining_message(remaining(clock, moment, calendar())),
        origin=origin_label(clock.origin),
        origin_line=origin_line(clock.origin),
    )
