"""What the API answers about cases: written out by hand, so that nothing slips in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row

from huiyin.cases import gates, queries, timeline, workbench
from huiyin.cases.api_waiting import Asked, MergedCase, MoveOffered, asked, merged, moves
from huiyin.cases.change import NO_CLOCK
from huiyin.cases.models import Case
from huiyin.cases.opened import Opened
from huiyin.cases.stages import STAGE_TITLES, Stage
from huiyin.cases.verbs import FORWARD, VERBS
from huiyin.clocks.policy import amount_label, origin_label, origin_line
from huiyin.clocks.reading import remaining, remaining_message
from huiyin.clocks.rules import Clock
from huiyin.clocks.service import calendar
from huiyin.kit.i18n import Translator
from huiyin.kit.text import mask_name
from huiyin.kit.time import now
from huiyin.web.desk import Desk
from huiyin.web.programs import Answer, Moment

# What of a line's data is for readers; the rest serves the ledger and the page.
_SHOWN: Final = (
    "from",
    "to",
    "changed",
    "gate",
    "part",
    "master",
    "title",
    "channel",
    "source",
    "late_reason",
    "calendar",
    "dates",
)

# What stands on the case under the very name the answer has for it.
_SAME: Final = (
    "number",
    "title",
    "story",
    "wish",
    "intake_type",
    "source",
    "transfer_number",
    "channel",
    "language",
    "received_at",
    "registered_at",
    "category",
    "severity",
    "complexity",
    "fund_id",
    "amount",
    "finding",
    "cause",
    "stage",
    "state",
    "outcome",
    "accepted_at",
    "answered_at",
    "closed_at",
)


class ListedCase(Answer, frozen=True, kw_only=True):
    number: str
    title: str
    category: str | None
    severity: str | None
    source: str
    stage: str
    stage_label: str
    state: str
    outcome: str | None
    received_at: Moment
    next_due_at: Moment | None
    time_left: str
    complainant: str  # masked
    fund: str
    owner: str
    amount: Decimal | None


class CasePage(Answer, frozen=True, kw_only=True):
    """``next`` goes into ``after`` for the following page; null when there is none."""

    cases: list[ListedCase]
    next: str | None


class Origin(Answer, frozen=True, kw_only=True):
    """The word a number rests on; 待核实 as long as nobody has read its text."""

    label: str
    line: str
    instrument: str
    article: str
    confidence: str


class ClockAnswer(Answer, frozen=True, kw_only=True):
    key: str
    kind: str
    title: str
    state: str
    started_at: Moment
    stopped_at: Moment | None
    due_on: date
    due_at: Moment
    limit: str
    remaining: str
    provisional: bool
    origin: Origin


class GateAnswer(Answer, frozen=True, kw_only=True):
    """``how`` is column (edit the facts), attest, or verb (done elsewhere in the product)."""

    name: str
    title: str
    how: str
    met: bool
    hint: str


class EntryAnswer(Answer, frozen=True, kw_only=True):
    seq: int
    at: Moment
    kind: str
    audience: str
    verb: str
    title: str
    author: str
    body: str
    data: dict[str, Any]


class Complainant(Answer, frozen=True, kw_only=True):
    """Always masked; revealing shows the whole, with a reason."""

    anonymous: bool
    name: str
    contact: str


class CaseAnswer(Answer, frozen=True, kw_only=True):
    number: str
    rev: int
    title: str
    story: str
    wish: str
    intake_type: str
    source: str
    transfer_number: str
    channel: str
    language: str
    received_at: Moment
    registered_at: Moment
    category: str | None
    severity: str | None
    complexity: str
    fund: str
    fund_id: uuid.UUID | None
    amount: Decimal | None
    finding: str | None
    cause: str | None
    stage: str
    stage_label: str
    state: str
    outcome: str | None
    accepted_at: Moment | None
    answered_at: Moment | None
    closed_at: Moment | None
    owner: str
    investigator: str
    complainant: Complainant
    clocks: list[ClockAnswer]
    forward: str | None  # the ordinary move out of this stage
    gates: list[GateAnswer]  # what it asks
    moves: list[MoveOffered]
    asked: list[Asked]
    master: str  # number of the case that this one is handled under
    merged: list[MergedCase]
    timeline: list[EntryAnswer]  # newest first
    older: int | None  # goes into ``before`` for the lines before


class Changed(Answer, frozen=True, kw_only=True):
    """The case after the act; ``rev`` is what the next change must name."""

    number: str
    rev: int
    stage: str
    state: str


class Registered(Answer, frozen=True, kw_only=True):
    """``code`` is for the complainant and is kept nowhere."""

    number: str
    code: str


def listed(rows: Sequence[Any], _: Translator) -> list[ListedCase]:
    moment = now()
    return [
        ListedCase(
            number=row.number,
            title=row.title,
            category=row.category,
            severity=row.severity,
            source=row.source,
            stage=row.stage,
            stage_label=_(STAGE_TITLES[Stage(row.stage)]),
            state=row.state,
            outcome=row.outcome,
            received_at=row.received_at,
            next_due_at=None if row.next_due_at == NO_CLOCK else row.next_due_at,
            time_left=_(queries.time_left(row.next_due_at, moment)[1]),
            complainant="" if row.anonymous else mask_name(row.complainant or ""),
            fund=row.fund or row.fund_text,
            owner=row.owner or "",
            amount=row.amount,
        )
        for row in rows
    ]


def whole(desk: Desk, opened: Opened, lines: Sequence[Row[Any]]) -> CaseAnswer:
    """One case with its clocks, what can be done to it, and a page of its timeline."""
    case, _ = opened.case, desk._
    stage = Stage(case.stage)
    shown = lines[: timeline.ENTRIES]
    return CaseAnswer(
        **{name: getattr(case, name) for name in _SAME},
        rev=case.version,
        stage_label=_(STAGE_TITLES[stage]),
        fund=case.fund.short_name if case.fund else case.fund_text,
        owner=opened.owner,
        investigator=opened.investigator,
        complainant=_complainant(case),
        clocks=[_clock(c, _) for c in workbench.clocks_of(case, opened.promised)],
        forward=FORWARD[stage] if case.is_open else None,
        gates=[_gate(g, _) for g in gates.states(case, gates.EXIT[stage])],
        moves=moves(desk, opened),
        asked=asked(desk, case),
        master=opened.master,
        merged=merged(opened),
        timeline=[_entry(line, _) for line in shown],
        older=shown[-1].seq if len(lines) > len(shown) else None,
    )


def changed(case: Case) -> Changed:
    return Changed(number=case.number, rev=case.version, stage=case.stage, state=case.state)


def _complainant(case: Case) -> Complainant:
    who = None if case.anonymous else case.complainant
    return Complainant(
        anonymous=case.anonymous,
        name=who.masked_name if who else "",
        contact=who.masked_contact if who else "",
    )


def _clock(clock: Clock, _: Translator) -> ClockAnswer:
    origin = clock.origin
    return ClockAnswer(
        key=clock.key,
        kind=clock.kind,
        title=_(clock.title),
        state=clock.state.value,
        started_at=clock.started_at,
        stopped_at=clock.stopped_at,
        due_on=clock.due_on,
        due_at=clock.due_at,
        limit=_(amount_label(clock.amount, clock.unit)),
        remaining=_(remaining_message(remaining(clock, now(), calendar()))),
        provisional=clock.provisional,
        origin=Origin(
            label=_(origin_label(origin)),
            line=_(origin_line(origin)),
            instrument=_(origin.instrument),
            article=_(origin.article),
            confidence=origin.confidence.value,
        ),
    )


def _gate(state: gates.GateState, _: Translator) -> GateAnswer:
    gate = state.gate
    return GateAnswer(
        name=gate.name, title=_(gate.title), how=gate.how.value, met=state.met, hint=_(gate.hint)
    )


def _entry(entry: Row[Any], _: Translator) -> EntryAnswer:
    verb = VERBS.get(entry.verb)
    data: Mapping[str, Any] = entry.data
    return EntryAnswer(
        seq=entry.seq,
        at=entry.at,
        kind=entry.kind,
        audience=entry.audience,
        verb=entry.verb,
        title=_.context("done", verb.done) if verb else "",
        author=entry.author_name,
        body=entry.body,
        data={name: data[name] for name in _SHOWN if name in data},
    )
