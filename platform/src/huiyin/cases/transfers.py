"""Letters by which others pass a complaint on: each is owed an answer of its own.

A complaint may come by several of them and from the complainant too.  Every letter has its own
clock, to the day it names; what the complainant is told stops none of them, and none of them
stops what the complainant is owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.stages import Source
from huiyin.clocks import service as clocks
from huiyin.clocks.policy import Force
from huiyin.clocks.rules import Clock, Facts
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local_date, now

_HEARD: Final = frozenset({"transfer_received", "transfer_answered", "extended"})
_DUE_WITHIN: Final = timedelta(days=3 * 366)  # beyond that the year is mistyped


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLetter:
    """A letter as it came.  ``mark`` tells it from the others of its case for ever."""

    mark: str
    source: Source
    received_at: datetime
    number: str = ""
    due_on: date | None = None
    reply_owed: bool = True  # False: its sender asks for no answer, and no clock runs


def check_dates(received_at: datetime, due_on: date | None) -> None:
    """Raises ``Invalid`` for a day to come, or a due date no such letter would name."""
    if received_at > now():
        raise Invalid({"received_at": Message(N_("收到时间不能晚于现在，请核对"))})
    came = local_date(received_at)
    if due_on and due_on < came:
        raise Invalid({"due_on": Message(N_("函件载明的期限早于收到日期，请核对函件"))})
    if due_on and due_on > came + _DUE_WITHIN:
        raise Invalid({"due_on": Message(N_("期限应在收到之后三年以内，请核对函件"))})


def receive_transfer(
    session: ScopedSession, actor: Actor, number: str, letter: TransferLetter, *, words: str = ""
) -> Case:
    """Another letter about a case that is known already: from now on it has a clock of its own.

    Raises ``Invalid`` (``received_at``, ``due_on``) and ``Conflict`` for a mark that is known.
    """
    check_dates(letter.received_at, letter.due_on)
    given = {"letter": letter.mark, "number": letter.number, "source": letter.source.value}

    def apply(case: Case) -> None:
        if any(event["data"].get("letter") == letter.mark for event in case.clock_events):
            raise Conflict(N_("这份转办函已登记"))
        if case.source == Source.DIRECT:
            case.source, case.transfer_number = letter.source.value, letter.number

    deed = Deed(
        "receive_transfer", body=words, apply=apply, clock_at=letter.received_at,
        clock_data={"due_on": letter.due_on, **{k: v for k, v in given.items() if v}},
        data={"source": letter.source.value, "number": letter.number},
        facts={"letter": letter.mark, "source": letter.source.value, "due_on": letter.due_on},
        commits={"transfer_number": letter.number} if letter.number else {},
        outbox_data={"letter": letter.mark},
        clock_event=None if letter.reply_owed else "",
    )  # fmt: skip
    return change(session, actor, number, deed)


def answer_transfer(
    session: ScopedSession, actor: Actor, number: str, words: str, *,
    mark: str, at: datetime | None = None, rev: int | None = None,
) -> Case:  # fmt: skip
    """The answer to one letter went out, at ``at`` or now; its clock alone stops.

    Raises ``Conflict`` when that letter is not owed one, or no longer.
    """

    def apply(case: Case) -> None:
        if mark not in case.letters_owed:
            raise Conflict(N_("这份转办函已登记回复，请刷新页面"))

    deed = Deed(
        "answer_transfer", body=words, apply=apply, clock_at=at,
        clock_data={"letter": mark} if mark else {}, facts={"letter": mark},
        outbox_data={"letter": mark},
    )  # fmt: skip
    return change(session, actor, number, deed, rev=rev)


def extend_transfer(
    session: ScopedSession, actor: Actor, number: str, words: str, *,
    mark: str, due_on: date, granted_at: datetime,
) -> Case:  # fmt: skip
    """The sender of one letter set a later day, at ``granted_at``; its clock alone moves.

    Raises ``Conflict`` for a letter that was answered or names no day, ``Invalid`` (``due_on``,
    ``granted_on``) for a day that is no later, or that was set when the old one had passed.
    """
    deed = Deed("extend_transfer", body=words, clock_at=granted_at)
    deed.clock_data = {"letter": mark, "due_on": due_on}
    deed.outbox_data = {"letter": mark}

    def apply(case: Case) -> None:
        if mark not in case.letters_owed:
            raise Conflict(N_("这份转办函已登记回复，请刷新页面"))
        clock = letter_clock(case, mark)
        _check_extension(clock, due_on, granted_at)
        before, after = clock.due_on.isoformat(), due_on.isoformat()
        moved = {"title": clock.title, "before": before, "after": after, "provisional": False}
        deed.data = {"dates": [moved]}
        deed.facts = {"letter": mark, "previous": before, "due": after}

    deed.apply = apply
    return change(session, actor, number, deed)


def _check_extension(clock: Clock, due_on: date, granted_at: datetime) -> None:
    if clock.origin.force is not Force.TRANSFER_LETTER:
        raise Conflict(N_("函件没有载明期限，没有可以延长的日期"))
    if due_on <= clock.due_on:
        text = Message(N_("新的期限应晚于原期限 {day}"), {"day": clock.due_on.isoformat()})
        raise Invalid({"due_on": text})
    if due_on > local_date(clock.started_at) + _DUE_WITHIN:
        raise Invalid({"due_on": Message(N_("期限应在收到之后三年以内，请核对函件"))})
    if granted_at > now() or granted_at < clock.started_at:
        raise Invalid({"granted_on": Message(N_("应在收到函件之后，不晚于今天，请核对"))})
    if granted_at > clock.due_at:
        raise Invalid({"granted_on": Message(N_("原期限已过，此后的延期不改变届满日"))})


def answer_all(session: ScopedSession, actor: Actor, number: str, words: str, *, rev: int) -> Case:
    """The same words answered every letter that was owed one."""
    case = find(session, actor, number, lock=True)
    owed, seen = case.letters_owed or ("",), case.version
    for mark in owed:
        told = rev if case.version == seen else None  # the version that was looked at, once
        case = answer_transfer(session, actor, number, words, mark=mark, rev=told)
    return case


def letter_clocks(case: Case) -> Mapping[str, Clock]:
    """The clock of each letter about the case, by its mark; the letters alone are replayed."""
    events = [event for event in case.clock_events if event["kind"] in _HEARD]
    found = clocks.replay(events, Facts())
    return {clock.mark: clock for clock in found if clock.kind == "transfer"}


def letter_clock(case: Case, mark: str) -> Clock:
    """Raises ``NotFound`` for a letter that runs no clock."""
    try:
        return letter_clocks(case)[mark]
    except KeyError:
        raise NotFound from None
