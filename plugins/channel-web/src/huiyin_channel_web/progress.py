"""A case as its complainant sees it, put together for one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from huiyin.sdk import (
    Case,
    Entry,
    EntryKind,
    Outcome,
    PublicStep,
    Stage,
    TenantContext,
    ToldDate,
    complainant_actor,
    files_of,
    letters_of,
    local_date,
    may_ask_review,
    review_asked,
    system_actor,
    today,
    told_dates,
    track,
)
from huiyin_channel_web.words import FORCES, MISSED, PROMISED, Plain, plain_state


@dataclass(frozen=True, slots=True)
class Promise:
    """The nearest thing owed.  ``text`` takes ``{day}``; ``late`` says that the day has gone by."""

    text: str
    on: date
    late: bool
    force: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """Day ``n`` of ``total`` until the written reply; ``first`` is day 1.

    What comes in after hours counts from the next working day, so ``n`` is 0 for a while.
    """

    n: int
    total: int
    first: date
    by: date
    force: str

    @property
    def percent(self) -> int:
        return 100 if self.n >= self.total else max(0, 100 * self.n // max(self.total, 1))

    @property
    def late(self) -> int:
        """Days beyond the promise."""
        return max(0, self.n - self.total)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing said, by the complainant or to them; ``files`` are names.

    Nobody in particular (``who`` is empty) speaks for the firm.
    """

    mine: bool
    who: str
    at: datetime
    body: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A letter that went out."""

    id: str
    title: str
    number: str
    on: date | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything on the page of one case."""

    case: Case
    state: Plain
    promise: Promise | None
    meter: Meter | None
    steps: Sequence[PublicStep]
    bubbles: Sequence[Bubble]
    letters: Sequence[Paper]
    files: Sequence[Any]
    last_seq: int

    @property
    def may_talk(self) -> bool:
        return self.case.is_open

    @property
    def may_say(self) -> bool:
        """Also once the firm has ended the case itself: it is read as an objection."""
        return self.case.is_open or self.case.ended_by_firm

    @property
    def may_withdraw(self) -> bool:
        return self.case.is_open and self.case.stage != Stage.ARCHIVE

    @property
    def may_ask_review(self) -> bool:
        return may_ask_review(self.case) and not review_asked(self.case)


def progress_of(ctx: TenantContext, case: Case) -> Progress:
    """Four queries, whatever the case holds."""
    tracked = track(ctx.session, case)
    told = told_dates(ctx.session, case)
    return Progress(
        case=case,
        state=plain_state(case),
        promise=promise_in(told) if _owed(case) else None,
        meter=meter_in(told) if case.is_open else None,
        steps=tracked.steps,
        bubbles=[b for entry in reversed(tracked.messages) if (b := bubble_of(entry))],
        letters=[_paper(letter) for letter in letters_of(ctx.session, case, released_only=True)],
        files=files_of(ctx.session, case, shared_only=True),
        last_seq=max((entry.seq for entry in tracked.messages), default=0),
    )


def _owed(case: Case) -> bool:
    """A merged case is closed, and its answer still to come."""
    return case.is_open or review_asked(case) or case.outcome == Outcome.MERGED


def promise_in(told: Sequence[ToldDate]) -> Promise | None:
    """The nearest day by which something is owed and not yet done."""
    owed = next((d for d in told if d.running and d.kind in PROMISED), None)
    if owed is None:
        return None
    late = owed.on < today()
    text = (MISSED if late else PROMISED)[owed.kind]
    return Promise(text, owed.on, late, FORCES.get(owed.force, ""), owed.provisional)


def meter_in(told: Sequence[ToldDate]) -> Meter | None:
    """How far the time until the written reply is used."""
    reply = max((d for d in told if d.kind == "reply" and d.running), key=_day, default=None)
    if reply is None:
        return None
    n, total = max(0, (today() - reply.since).days), (reply.on - reply.since).days
    first = reply.since + timedelta(days=1)
    return Meter(n, total, first, reply.on, FORCES.get(reply.force, ""))


def _day(told: ToldDate) -> date:
    return told.on


def bubble_of(entry: Entry) -> Bubble | None:
    """What was said in an entry; events without words for the complainant give none."""
    by_code = entry.author_id == complainant_actor(entry.tenant_id).id
    mine = entry.kind == EntryKind.MESSAGE_IN or (entry.verb == "withdraw" and by_code)
    if not mine and entry.kind not in {EntryKind.MESSAGE_OUT, EntryKind.MOVE}:
        return None
    names = tuple(str(name) for name in entry.data.get("files", ()))
    if not entry.body and not names:
        return None
    automatic = entry.author_id == system_actor(entry.tenant_id).id
    return Bubble(mine, "" if automatic else entry.author_name, entry.at, entry.body, names)


def _paper(letter: Any) -> Paper:
    sent = letter.sent_at or letter.released_at
    return Paper(
        str(letter.id), str(letter.document.get("title", "")), letter.number,
        local_date(sent) if sent else None,
    )  # fmt: skip
