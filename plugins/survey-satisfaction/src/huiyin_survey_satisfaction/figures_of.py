"""The numbers that other plugins may quote."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import case, func, literal, select

from huiyin.sdk import (
    N_,
    Case,
    CaseRecord,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    TenantContext,
    closed_cases,
)
from huiyin_survey_satisfaction.models import Campaign, Invitation, Response
from huiyin_survey_satisfaction.wording import ASKED, Naming, State

Stratum = tuple[str, str]


def _rated(ctx: TenantContext, period: Period) -> list[tuple[CaseRecord, float]]:
    """Closed cases of the period that were rated in a signed answer, with their score."""
    records = {record.id: record for record in closed_cases(ctx.session, ctx.actor, period)}
    if not records:
        return []
    rows = ctx.session.execute(
        select(Response.case_id, func.avg(Response.score))
        .where(Response.case_id.in_(list(records)), Response.score.is_not(None))
        .group_by(Response.case_id)
    )
    return [(records[case_id], float(score)) for case_id, score in rows]


def rating(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """Indirect standardisation: what was rated, over what cases of the same kind are rated, times
    the mean of all.  So nobody does worse for being given the hard cases."""
    rated = _rated(ctx, period)
    if not rated:
        return []
    whole = sum(score for _, score in rated) / len(rated)
    strata: dict[Stratum, list[float]] = defaultdict(list)
    for record, score in rated:
        strata[_stratum(record)].append(score)
    expected = {kind: sum(scores) / len(scores) for kind, scores in strata.items()}
    mine: dict[uuid.UUID, list[tuple[CaseRecord, float]]] = defaultdict(list)
    for record, score in rated:
        for handler in record.handlers:
            mine[handler].append((record, score))
    return [
        _adjusted(handler, cases, expected, whole)
        for handler, cases in sorted(mine.items(), key=lambda pair: str(pair[0]))
    ]


def _stratum(record: CaseRecord) -> Stratum:
    return record.category or "", record.severity or ""


def _adjusted(
    handler: uuid.UUID, cases: Sequence[tuple[CaseRecord, float]],
    expected: dict[Stratum, float], whole: float,
) -> Measured:  # fmt: skip
    seen = sum(score for _, score in cases)
    hoped = sum(expected[_stratum(record)] for record, _ in cases)
    value = min(100.0, seen / hoped * whole) if hoped else whole
    proofs = tuple(
        Proof(
            Message(N_("案件 {number} 评分 {score}"), {"number": r.number, "score": f"{s:.0f}"}),
            f"/w/cases/{r.number}", s,
        )
        for r, s in cases
    )  # fmt: skip
    return Measured(value, len(cases), handler, proofs)


def response_rate(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """The share of everybody; proved case by case only where all answers are signed.

    Elsewhere a case with a proof, or without one, would say who did not answer.
    """
    rows = ctx.session.execute(
        select(Invitation.state, func.count())
        .where(*_sent_within(period))
        .group_by(Invitation.state)
    )  # fmt: skip
    states: dict[str, int] = {state: n for state, n in rows}  # noqa: C416 - typed so
    answered = sum(states.get(s.value, 0) for s in (State.ANSWERED, State.TURNED_IN))
    asked = sum(states.values())
    if not asked:
        return []
    told = (Campaign.naming == Naming.SIGNED.value,)
    return [Measured(answered / asked, asked, proofs=_proofs(ctx, period, _ANSWERED, *told))]


def invited(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """Each case that was asked about; by whom it was answered is not said."""
    proofs = _proofs(ctx, period, literal(1))
    return [Measured(float(len(proofs)), len(proofs), proofs=proofs)] if proofs else []


_ANSWERED: Final = case((Invitation.state == State.ANSWERED.value, 1), else_=0)


def _sent_within(period: Period) -> tuple[Any, ...]:
    return (
        Invitation.sent_on >= period.since, Invitation.sent_on <= period.until,
        Invitation.state.in_([state.value for state in ASKED]),
    )  # fmt: skip


def _proofs(ctx: TenantContext, period: Period, counted: Any, *only: Any) -> tuple[Proof, ...]:
    """The cases asked about in the period, each once; not those the reader is named in."""
    rows = ctx.session.execute(
        select(Case.number, func.max(counted))
        .join(Invitation, Invitation.case_id == Case.id)
        .join(Campaign, Campaign.id == Invitation.campaign_id)
        .where(*_sent_within(period), *only, ~(Case.walled.any_() == ctx.actor.id))
        .group_by(Case.number)
        .order_by(Case.number)
    )
    return tuple(
        Proof(Message(N_("案件 {number}"), {"number": number}), f"/w/cases/{number}", float(value))
        for number, value in rows
    )


FIGURES: Final = (
    Figure(
        name="survey_satisfaction:rating", title=N_("投资者评分"), unit=FigureUnit.POINTS,
        nature=Nature.RATING, per_person=True, measure=rating,
        definition=N_(
            "期内办结、本人经手且有记名回答的投诉的平均得分，按类别与级别作间接标准化，折算为 0–100"
        ),
    ),
    Figure(
        name="survey_satisfaction:response_rate", title=N_("问卷回收率"), unit=FigureUnit.SHARE,
        nature=Nature.CONTROL, measure=response_rate,
        definition=N_("期内发出的邀请中已作答的比例，不记名的以成批标记为准；只逐件列出记名调查的案件"),
    ),
    Figure(
        name="survey_satisfaction:invited", title=N_("已邀请案件"), unit=FigureUnit.COUNT,
        nature=Nature.VOLUME, measure=invited,
        definition=N_("期内就其发出邀请的投诉件数，只说明数量，不说明好坏"),
    ),
)  # fmt: skip
