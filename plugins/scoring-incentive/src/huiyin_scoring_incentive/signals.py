"""Signals that somebody may be playing to the score: questions to a supervisor, no verdicts.

Each compares a person's cases with the pool they came from by an exact test, corrected for how
many people were compared.  Below twenty cases there are counts and no percentages.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    CaseRecord,
    FigureFailed,
    Message,
    NotFound,
    Part,
    Period,
    Severity,
    TenantContext,
    closed_cases,
    colleagues,
)
from huiyin_scoring_incentive import statistics as stats
from huiyin_scoring_incentive.models import Credit
from huiyin_scoring_incentive.rights import is_scored
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings

SMALL: Final = 20  # below: counts, no percentages
LEVEL: Final = 0.05  # of being wrong once over all people compared
HARD: Final = frozenset({Severity.S3.value, Severity.S4.value})
MOST_CASES: Final = 50  # listed for one person

Holds = Callable[[CaseRecord], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """One person beside the others: ``k`` of ``n``, and ``others_k`` of ``others_n``."""

    id: uuid.UUID
    name: str
    k: int
    n: int
    others_k: int
    others_n: int
    chance: float  # of a difference like this or larger by luck alone
    raised: bool
    cases: tuple[str, ...]  # the numbers behind it

    @property
    def share(self) -> float | None:
        return self.k / self.n if self.n >= SMALL else None

    @property
    def others_share(self) -> float | None:
        return self.others_k / self.others_n if self.others_n >= SMALL else None


@dataclass(frozen=True, slots=True)
class Signal:
    """What is looked for, how it is worked out, and everybody's numbers."""

    code: str
    title: str
    definition: Message
    question: str  # what to ask before thinking ill of anybody
    counted: str  # what k counts
    lines: tuple[Line, ...] = ()
    unknown: str = ""  # why there are no numbers

    @property
    def raised(self) -> int:
        return sum(line.raised for line in self.lines)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who thank each other."""

    names: tuple[str, str]
    counts: tuple[int, int]


def signals(ctx: TenantContext, period: Period) -> list[Signal]:
    """Every signal for the period; cases in which the reader is named are not among them."""
    records = closed_cases(ctx.session, ctx.actor, period)
    names = {c.id: c.name for c in colleagues(ctx.session) if is_scored(c)}
    early = ctx.settings(ScoringIncentiveSettings).early_share
    found = [
        _cherry(records, names),
        _premature(records, names, early),
        _reopened(records, names),
    ]
    return [*found, *_surveys(ctx, records, names, period)]


# -- the four -----------------------------------------------------------------------------------


def is_hard(record: CaseRecord) -> bool:
    return record.severity in HARD or record.complexity == "complex"


def _cherry(records: Sequence[CaseRecord], names: Mapping[uuid.UUID, str]) -> Signal:
    return Signal(
        "cherry", N_("挑件"),
        Message(N_("本人首接的投诉中，重大以上或复杂的件数，与其他人首接的投诉相比明显偏少")),
        N_("是谁分派的？是否按技能、值班或产品分派，或新人只接简单件？"), N_("难件"),
        compare(records, names, is_hard, fewer=True),
    )  # fmt: skip


def is_premature(record: CaseRecord, early: int) -> bool:
    """Answered early in its time, and later opened again."""
    if not record.reopened:
        return False
    for clock in record.clocks:
        if clock.kind == "reply" and clock.stopped_at is not None:
            whole = (clock.due_at - record.received_at).total_seconds()
            used = (clock.stopped_at - record.received_at).total_seconds()
            return whole > 0 and used / whole * 100 < early
    return False


def _premature(records: Sequence[CaseRecord], names: Mapping[uuid.UUID, str], early: int) -> Signal:
    said = Message(
        N_("答复时限用去不足 {n}% 即书面答复，后来又重启或复核的件数，明显多于其他人"), {"n": early}
    )
    return Signal(
        "premature", N_("过早办结"), said,
        N_("投诉人为什么不接受？事实是否本来就清楚，重启是否出于新的情况？"), N_("过早办结"),
        compare(records, names, lambda r: is_premature(r, early), fewer=False),
    )  # fmt: skip


def _reopened(records: Sequence[CaseRecord], names: Mapping[uuid.UUID, str]) -> Signal:
    return Signal(
        "reopened", N_("办结后重启"),
        Message(N_("本人首接的投诉办结前后被重启或复核的件数，明显多于其他人")),
        N_("重启是因为办得不好，还是难件更多？请先看案件构成"), N_("重启或复核"),
        compare(records, names, lambda r: r.reopened > 0, fewer=False),
    )  # fmt: skip


_INVITED: Final = "survey_satisfaction:invited"
_ANSWERED: Final = "survey_satisfaction:response_rate"


def _surveys(
    ctx: TenantContext,
    records: Sequence[CaseRecord],
    names: Mapping[uuid.UUID, str],
    period: Period,
) -> list[Signal]:
    """Whose cases are rarely asked about, and whose rarely answer when asked.

    Nobody is asked about a case that was not carried through; those are not among them.
    """
    records = [record for record in records if record.finished]
    invited, why = _cases_in(ctx, _INVITED, period)
    answered, why_not = _cases_in(ctx, _ANSWERED, period)
    asked = Signal(
        "invited", N_("回访选择：邀请"),
        Message(N_("本人首接的投诉中，发出满意度邀请的件数，与其他人相比明显偏少")),
        N_("邀请由系统发出还是由人决定？投诉人是否没有留下联系方式？"), N_("已邀请"),
    )  # fmt: skip
    told = Signal(
        "answered", N_("回访选择：答卷"),
        Message(N_("记名调查已邀请的投诉中，收到答卷的件数，与其他人相比明显偏少")),
        N_("邀请何时、以什么方式送达？是否有人劝阻作答？"), N_("已答"),
    )  # fmt: skip
    # Of unsigned surveys nobody knows who answered: their cases say nothing of answers.
    known = [r for r in records if r.number in answered]
    return [
        _without(asked, why)
        if why
        else _with(asked, compare(records, names, lambda r: r.number in invited, fewer=True)),
        _without(told, why_not)
        if why_not
        else _with(told, compare(known, names, lambda r: answered[r.number] > 0, fewer=True)),
    ]


def _with(signal: Signal, lines: tuple[Line, ...]) -> Signal:
    return Signal(
        signal.code, signal.title, signal.definition, signal.question, signal.counted, lines
    )


def _without(signal: Signal, why: str) -> Signal:
    return Signal(
        signal.code, signal.title, signal.definition, signal.question, signal.counted, (), why
    )


def _cases_in(ctx: TenantContext, figure: str, period: Period) -> tuple[dict[str, float], str]:
    """Which cases stand behind a figure, by number; or why that cannot be said."""
    try:
        measured = ctx.figures().measure(figure, period)
    except NotFound:
        return {}, N_("满意度问卷插件未启用，无法判断")
    except FigureFailed:
        return {}, N_("满意度问卷插件暂时算不出，请稍后再看")
    found = {
        proof.path.rpartition("/")[2]: proof.counted
        for m in measured
        for proof in m.proofs
        if proof.path.startswith("/w/cases/")
    }
    if not found and any(m.n for m in measured):
        return {}, N_("问卷没有与案件对应，无法判断")
    return found, ""


# -- comparing ----------------------------------------------------------------------------------


def compare(
    records: Iterable[CaseRecord],
    names: Mapping[uuid.UUID, str],
    holds: Holds,
    *,
    fewer: bool,
) -> tuple[Line, ...]:
    """Each owner's cases against everybody else's; raised where luck is a poor explanation.

    The chance is hypergeometric: as if the person's cases had been drawn from the pool blindly.
    """
    by: dict[uuid.UUID, list[CaseRecord]] = defaultdict(list)
    pool: list[CaseRecord] = []
    for record in records:
        pool.append(record)
        for who in record.who(Part.OWNER):
            by[who].append(record)
    marked = sum(holds(r) for r in pool)
    people = [who for who in by if who in names]
    lines = []
    for who in people:
        n, k = len(by[who]), sum(holds(r) for r in by[who])
        tail = stats.at_most if fewer else stats.at_least
        chance = tail(k, n, marked, len(pool))
        shown = [r.number for r in by[who] if holds(r) is not fewer][:MOST_CASES]
        lines.append(
            Line(
                who, names[who], k, n, marked - k, len(pool) - n, chance,
                raised=len(people) > 1 and chance * len(people) <= LEVEL, cases=tuple(shown),
            )
        )  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (not line.raised, line.name)))


def mutual(ctx: TenantContext, period: Period) -> list[Pair]:
    """Pairs who thanked each other often, confirmed or not."""
    least = ctx.settings(ScoringIncentiveSettings).mutual_thanks
    rows = ctx.session.execute(
        select(Credit.doer_id, Credit.doer_name, Credit.by_id, Credit.by_name).where(
            Credit.kind == "help", Credit.state.in_(("waiting", "confirmed")),
            Credit.at >= period.begin, Credit.at < period.end,
        )
    ).all()  # fmt: skip
    counts = Counter((r.by_id, r.doer_id) for r in rows)
    names = {r.doer_id: r.doer_name for r in rows} | {r.by_id: r.by_name for r in rows}
    return [
        Pair((names[a], names[b]), (n, counts[b, a]))
        for (a, b), n in sorted(counts.items(), key=lambda item: names[item[0][0]])
        if a < b and min(n, counts[b, a]) >= least
    ]
