"""What became of closed cases, read for counting: a fixed number of queries for any period."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, func, select

from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.stages import FINISHED, CaseState, IntakeType, Part
from huiyin.clocks.events import ClockState
from huiyin.clocks.models import ClockRow
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.plugins.figures import Period

# Verbs that say something went back: the plan to its drafter, the case to its investigators.
RETURNED: Final = "return_plan"
REOPENED: Final = ("review", "reopen", "reopen_intake")
HANDLERS: Final = frozenset({Part.OWNER, Part.INVESTIGATOR, Part.ASSISTANT, Part.DRAFTER})


@dataclass(frozen=True, slots=True)
class ClockOutcome:
    """How one clock of a closed case ended; those that were called off are not among them."""

    kind: str
    stage: str
    title: str
    due_at: datetime
    stopped_at: datetime | None

    @property
    def kept(self) -> bool:
        return self.stopped_at is not None and self.stopped_at <= self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """One closed case: what it was, how it ended, who had which part, what went back."""

    id: uuid.UUID
    number: str
    channel: str
    category: str | None
    severity: str | None
    complexity: str
    amount: Decimal | None
    finding: str | None
    cause: str | None
    outcome: str | None
    fund_id: uuid.UUID | None
    received_at: datetime
    answered_at: datetime | None
    closed_at: datetime
    owner_id: uuid.UUID | None
    facts: Mapping[str, Any]
    returned: int
    reopened: int
    parts: Mapping[Part, frozenset[uuid.UUID]]
    clocks: tuple[ClockOutcome, ...]
    walled: Sequence[uuid.UUID] = ()  # those named in it: they may not learn of it

    def who(self, *parts: Part) -> frozenset[uuid.UUID]:
        """Everybody who ever held one of these parts."""
        return frozenset().union(*(self.parts.get(part, frozenset()) for part in parts))

    @property
    def finished(self) -> bool:
        """Whether it was carried through to an answer, and not withdrawn, declined, merged or
        passed on."""
        return self.outcome in FINISHED

    @property
    def handlers(self) -> frozenset[uuid.UUID]:
        """Everybody who had a hand in it before it was judged."""
        return self.who(*HANDLERS)


def closed_cases(session: ScopedSession, actor: Actor, period: Period) -> list[CaseRecord]:
    """Complaints closed within the period in whatever way, oldest first, in four queries.

    Those in which ``actor`` is named are left out: nothing a person reads may tell of them.
    """
    chosen = select(Case.id).where(
        Case.state == CaseState.CLOSED.value,
        Case.closed_at >= period.begin,
        Case.closed_at < period.end,
        Case.intake_type == IntakeType.COMPLAINT.value,
        ~(Case.walled.any_() == actor.id),
    )
    cases = session.execute(_COLUMNS.where(Case.id.in_(chosen)).order_by(Case.closed_at, Case.id))
    found = cases.all()
    if not found:
        return []
    parts = _parts(session, chosen)
    went_back = _went_back(session, chosen)
    clocks = _clocks(session, chosen)
    return [
        CaseRecord(
            **row._mapping,  # noqa: SLF001 - public in SQLAlchemy
            returned=went_back[row.id][RETURNED],
            reopened=sum(went_back[row.id][verb] for verb in REOPENED),
            parts={part: frozenset(who) for part, who in parts[row.id].items()},
            clocks=tuple(clocks[row.id]),
        )
        for row in found
    ]


_COLUMNS: Final = select(
    Case.id, Case.number, Case.channel, Case.category, Case.severity, Case.complexity, Case.amount,
    Case.finding, Case.cause, Case.outcome, Case.fund_id, Case.received_at, Case.answered_at,
    Case.closed_at, Case.owner_id, Case.facts, Case.walled,
)  # fmt: skip

_Chosen = Select[uuid.UUID]


def _parts(
    session: ScopedSession, chosen: _Chosen
) -> Mapping[uuid.UUID, Mapping[Part, set[uuid.UUID]]]:
    parts: dict[uuid.UUID, dict[Part, set[uuid.UUID]]] = defaultdict(lambda: defaultdict(set))
    rows = session.execute(
        select(Participation.case_id, Participation.part, Participation.account_id).where(
            Participation.case_id.in_(chosen)
        )
    )
    for case_id, part, account_id in rows:
        parts[case_id][Part(part)].add(account_id)
    return parts


def _went_back(session: ScopedSession, chosen: _Chosen) -> Mapping[uuid.UUID, Mapping[str, int]]:
    counts: dict[uuid.UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = session.execute(
        select(Entry.case_id, Entry.verb, func.count())
        .where(Entry.case_id.in_(chosen), Entry.verb.in_((RETURNED, *REOPENED)))
        .group_by(Entry.case_id, Entry.verb)
    )
    for case_id, verb, count in rows:
        counts[case_id][verb] = count
    return counts


def _clocks(session: ScopedSession, chosen: _Chosen) -> Mapping[uuid.UUID, Sequence[ClockOutcome]]:
    clocks: dict[uuid.UUID, list[ClockOutcome]] = defaultdict(list)
    rows = session.execute(
        select(
            ClockRow.case_id, ClockRow.kind, ClockRow.stage, ClockRow.title, ClockRow.due_at,
            ClockRow.stopped_at,
        )
        .where(ClockRow.case_id.in_(chosen), ClockRow.state != ClockState.CANCELLED.value)
        .order_by(ClockRow.due_at, ClockRow.key)
    )  # fmt: skip
    for case_id, kind, stage, title, due_at, stopped_at in rows:
        clocks[case_id].append(ClockOutcome(kind, stage, title, due_at, stopped_at))
    return clocks
