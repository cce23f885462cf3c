"""What the API takes and answers about cases: written out by hand, so that nothing slips in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import Row

from huiyin.cases import gates, queries, workbench
from huiyin.cases.change import NO_CLOCK
from huiyin.cases.models import Case
from huiyin.cases.opened import Opened
from huiyin.cases.schemas import AssignForm, FactsForm, MoveForm, Rev, Shape, Words
from huiyin.cases.stages import STAGE_TITLES, Stage
from huiyin.cases.verbs import FORWARD, VERBS
from huiyin.clocks.policy import amount_label, origin_label, origin_line
from huiyin.clocks.reading import remaining, remaining_message
from huiyin.clocks.rules import Clock
from huiyin.clocks.service import calendar
from huiyin.kit.i18n import N_, Translator
from huiyin.kit.text import mask_name
from huiyin.kit.time import now

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


Meta = msgspec.Meta
LARGEST: Final = 200
_Text = Annotated[str, Meta(max_length=80)]


class PageQuery(Shape, frozen=True, kw_only=True):
    """``after`` is the ``next`` of the page before."""

    after: Annotated[str, Meta(max_length=100, title=N_("下一页"))] = ""
    limit: Annotated[int, Meta(ge=1, le=LARGEST, title=N_("每页件数"))] = queries.PAGE


class ListQuery(PageQuery, frozen=True, kw_only=True):
    """The filters of the page 全部案件."""

    scope: Annotated[str, Meta(pattern="^(mine|team|all)$", title=N_("范围"))] = "all"
    stage: Annotated[_Text, Meta(title=N_("阶段"))] = ""
    group: Annotated[_Text, Meta(title=N_("类别组"))] = ""
    severity: Annotated[_Text, Meta(title=N_("级别"))] = ""
    fund: Annotated[_Text, Meta(title=N_("产品"))] = ""
    source: Annotated[_Text, Meta(title=N_("来源"))] = ""
    due: Annotated[str, Meta(pattern="^soon$", title=N_("时限"))] = ""


class SearchQuery(PageQuery, frozen=True, kw_only=True):
    q: Annotated[str, Meta(min_length=1, max_length=100, title=N_("检索词"))]


class CaseQuery(Shape, frozen=True, kw_only=True):
    """``before`` is the ``older`` of the page before."""

    tab: Annotated[str, Meta(pattern="^(talk|notes|moves)$", title=N_("时间轴"))] = ""
    before: Annotated[int, Meta(ge=1, le=2**31 - 1, title=N_("更早的记录"))] | None = None


class RevBody(Shape, frozen=True, kw_only=True):
    """``rev`` is the version of the case that was read."""

    rev: Rev


class WordsBody(Shape, frozen=True, kw_only=True):
    body: Words


class MoveBody(MoveForm, frozen=True, kw_only=True):
    rev: Rev


class AssignBody(AssignForm, frozen=True, kw_only=True):
    rev: Rev


class FactsBody(FactsForm, frozen=True, kw_only=True):
    """What is not named stays as it is; null clears."""

    rev: Rev


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


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every answer.  Moments carry their zone; dates are days in China."""


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
    received_at: datetime
    next_due_at: datetime | None
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
    started_at: datetime
    stopped_at: datetime | None
    due_on: date
    due_at: datetime
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
    at: datetime
    kind: str
    audience: str
    verb: str
    title: str
    author: str
    body: str
    data: dict[str, Any]


class Complainant(Answer, frozen=True, kw_only=True):
    """Always masked; the full record is shown in the product, with a reason."""

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
    received_at: datetime
    registered_at: datetime
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
    accepted_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    owner: str
    investigator: str
    complainant: Complainant
    clocks: list[ClockAnswer]
    forward: str | None  # the ordinary move out of this stage
    gates: list[GateAnswer]  # what it asks
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


def whole(opened: Opened, lines: Sequence[Row[Any]], _: Translator) -> CaseAnswer:
    """One case with its clocks, the gates of its stage, and a page of its timeline."""
    case = opened.case
    stage = Stage(case.stage)
    shown = lines[: queries.ENTRIES]
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
        title=_(verb.done) if verb else "",
        author=entry.author_name,
        body=entry.body,
        data={name: data[name] for name in _SHOWN if name in data},
    )
