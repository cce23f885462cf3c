"""Appeals: the person asks, somebody who had no hand in the score decides and gives reasons.

A correction leaves things out of what was frozen, or sets one figure right, and works the score out
again against the same pool; it stands beside the first score, which stays.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import and_, or_, select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Refused,
    TenantContext,
    local_date,
    now,
    today,
    whole,
)
from huiyin_scoring_incentive import corrections, errors, formulas, rounds, scoring
from huiyin_scoring_incentive.models import Appeal, Formula, Round, Score
from huiyin_scoring_incentive.rights import DECIDE, SEE
from huiyin_scoring_incentive.schemas import AppealForm, DecisionForm
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings

STATE_TITLES: Final[Mapping[str, str]] = {
    "open": N_("待决定"),
    "decided": N_("已决定"),
    "withdrawn": N_("已撤回"),
}
OUTCOME_TITLES: Final[Mapping[str, str]] = {
    "upheld": N_("支持"),
    "partly": N_("部分支持"),
    "dismissed": N_("维持原分"),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A score with all that belongs to it."""

    score: Score
    round: Round
    formula: Formula
    parts: tuple[scoring.Part, ...]
    others: Sequence[Score]  # the same person's other revisions in this round
    appeal: Appeal | None

    @property
    def unscored(self) -> Message | None:
        """Why there is no score, or nothing."""
        return scoring.unscored(self.parts, formulas.body_of(self.formula).coverage)


def parts_of(score: Score) -> tuple[scoring.Part, ...]:
    return msgspec.convert(score.parts, tuple[scoring.Part, ...])


def explain(ctx: TenantContext, score_id: uuid.UUID) -> Explained:
    """One score.  Raises ``NotFound`` for another's, unless this person may see all of them."""
    score = ctx.session.get(Score, (ctx.tenant.id, score_id))
    if score is None:
        raise NotFound
    found, formula = rounds.visible(ctx, score.round_id)
    own = score.subject_id == ctx.actor.id
    if not own and not ctx.actor.can(SEE):
        raise NotFound
    others = ctx.session.scalars(
        select(Score).where(
            Score.round_id == score.round_id, Score.subject_id == score.subject_id,
            Score.id != score.id,
        ).order_by(Score.revision)
    ).all()  # fmt: skip
    appeal = ctx.session.scalars(
        select(Appeal).where(
            Appeal.round_id == score.round_id, Appeal.subject_id == score.subject_id
        )
    ).one_or_none()
    return Explained(score, found, formula, parts_of(score), others, appeal)


def until(ctx: TenantContext, found: Round) -> date | None:
    """The last day on which an appeal may be filed."""
    if found.published_at is None:
        return None
    days = ctx.settings(ScoringIncentiveSettings).appeal_days
    return local_date(found.published_at) + timedelta(days=days)


# -- asking ------------------------------------------------------------------------------------


def file(ctx: TenantContext, score_id: uuid.UUID, form: AppealForm) -> Appeal:
    """The person whose score it is asks for a decision.  Raises ``Refused``, ``Conflict``."""
    told = explain(ctx, score_id)
    if told.score.subject_id != ctx.actor.id:
        raise Refused(errors.NOT_YOURS)
    if told.appeal is not None or told.score.revision != 1:
        raise Conflict(N_("这一得分已经申诉过，决定以第一次申诉为准"))
    last = until(ctx, told.round)
    if last is None or today() > last:
        raise Conflict(errors.TOO_LATE)
    if form.figure and form.figure not in {p.figure for p in told.parts}:
        raise Invalid({"figure": Message(N_("请从给出的选项中选择"))})
    made = Appeal(
        round_id=told.round.id, score_id=score_id, subject_id=ctx.actor.id,
        subject_name=ctx.actor.name, figure=form.figure, grounds=form.grounds,
        barred=_makers(told),
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    facts = {"round": told.round.id, "score": score_id, "figure": form.figure}
    ctx.record("appeal_filed", made.id, facts, {"grounds": form.grounds})
    return made


def _makers(told: Explained) -> list[uuid.UUID]:
    """Everybody who had a hand in the score: by formula or by round."""
    r, f = told.round, told.formula
    hands = [*f.authors, f.published_by, r.opened_by, r.signed_by, r.published_by]
    return sorted({hand for hand in hands if hand is not None})


def withdraw(ctx: TenantContext, appeal_id: uuid.UUID) -> Appeal:
    found = _locked(ctx, appeal_id)
    if found.subject_id != ctx.actor.id:
        raise NotFound
    found.state = "withdrawn"
    ctx.session.flush()
    ctx.record("appeal_withdrawn", found.id, {"score": found.score_id})
    return found


# -- deciding ----------------------------------------------------------------------------------


def bar(ctx: TenantContext, appeal: Appeal) -> str:
    """Why this person may not decide, or nothing."""
    if appeal.subject_id == ctx.actor.id:
        return errors.OWN_APPEAL
    if ctx.actor.id in appeal.barred:
        return errors.MADE_IT
    return ""


def decide(ctx: TenantContext, appeal_id: uuid.UUID, form: DecisionForm) -> Appeal:
    """Say what becomes of it.  Raises ``Refused`` for whoever made the score, ``Invalid``."""
    found = _locked(ctx, appeal_id)
    if reason := bar(ctx, found):
        raise Refused(reason)
    if form.outcome == "dismissed" and (form.leave_out or form.figure):
        raise Invalid({"leave_out": Message(N_("维持原分时不能剔除事项或更正数值，请取消"))})
    if form.outcome != "dismissed" and not (form.leave_out or form.figure):
        said = N_("请勾选要剔除的事项，或更正一项指标的数值，得分据此重新计算")
        raise Invalid({"leave_out": Message(said)})
    left_out = list(dict.fromkeys(form.leave_out))
    corrected = None
    if form.outcome != "dismissed":
        corrected = _correct(ctx, found, left_out, form)
    found.state, found.outcome, found.reason = "decided", form.outcome, form.reason
    found.decided_by, found.decider_name = ctx.actor.id, ctx.actor.name
    found.decided_at, found.left_out = now(), left_out
    facts: dict[str, Any] = {
        "outcome": form.outcome, "score": found.score_id, "left_out": len(left_out),
        "set": {name: str(value) for name, value in found.corrected.items()},
    }  # fmt: skip
    if corrected is not None:
        facts["corrected"] = corrected.id
    ctx.session.flush()
    ctx.record("appeal_decided", found.id, facts, {"reason": form.reason})
    return found


def _correct(
    ctx: TenantContext, appeal: Appeal, left_out: Sequence[str], form: DecisionForm
) -> Score:
    """The score once more, from what was frozen without what is left out, and with what is set."""
    first = ctx.session.get_one(Score, (ctx.tenant.id, appeal.score_id))
    found, formula = rounds.visible(ctx, appeal.round_id)
    parts = {part.figure: part for part in parts_of(first)}
    gone = _positions(left_out)
    correction = corrections.asked(form, parts, gone)
    given = _given(ctx, appeal, gone, parts)
    if correction is not None:
        given[correction.figure] = correction.given
        appeal.corrected = correction.as_json()
    figures = {name: rounds.frozen_figure(part) for name, part in parts.items()}
    pools = msgspec.convert(found.pool, dict[str, scoring.Pool])
    result = scoring.score_of(formulas.body_of(formula), figures, pools, given)
    told = result.parts if correction is None else correction.marked(result)
    made = Score(
        round_id=first.round_id, subject_id=first.subject_id, subject_name=first.subject_name,
        department=first.department, revision=first.revision + 1, value=result.value,
        low=result.low, high=result.high, coverage=result.coverage, parts=scoring.plain(told),
        appeal_id=appeal.id,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    return made


def _given(
    ctx: TenantContext, appeal: Appeal, gone: dict[str, set[int]], parts: Mapping[str, scoring.Part]
) -> dict[str, scoring.Input]:
    """What was frozen of the person, without what is left out."""
    given: dict[str, scoring.Input] = {}
    for row in rounds.inputs_of(ctx, appeal.round_id, appeal.subject_id):
        positions = gone.pop(row.figure, set())
        if any(not 0 <= at < len(row.proofs) for at in positions):
            raise Invalid({"leave_out": Message(N_("请从给出的选项中选择"))})
        whole = rounds.as_input(row)
        counts = row.figure in parts and parts[row.figure].unit == "count"
        given[row.figure] = whole.fewer(positions) if counts else whole.without(positions)
    if gone:
        raise Invalid({"leave_out": Message(N_("请从给出的选项中选择"))})
    return given


def _positions(chosen: Sequence[str]) -> dict[str, set[int]]:
    """``figure|3`` is the fourth thing counted of that figure."""
    found: dict[str, set[int]] = defaultdict(set)
    for item in chosen:
        figure, _, at = item.rpartition("|")
        place = whole(at, most=6)
        if not figure or place is None:
            raise Invalid({"leave_out": Message(N_("请从给出的选项中选择"))})
        found[figure].add(place)
    return found


def _locked(ctx: TenantContext, appeal_id: uuid.UUID) -> Appeal:
    found = ctx.session.scalars(
        select(Appeal).where(Appeal.id == appeal_id).with_for_update()
    ).one_or_none()
    if found is None or (found.subject_id != ctx.actor.id and not ctx.actor.can(DECIDE)):
        raise NotFound
    if found.state != "open":
        raise Conflict(N_("这件申诉已经办结"))
    return found


# -- reading -----------------------------------------------------------------------------------


def get(ctx: TenantContext, appeal_id: uuid.UUID) -> Appeal:
    """An appeal of one's own, or any for those who decide."""
    found = ctx.session.get(Appeal, (ctx.tenant.id, appeal_id))
    if found is None or (found.subject_id != ctx.actor.id and not ctx.actor.can(DECIDE)):
        raise NotFound
    return found


def page(
    ctx: TenantContext, *, after: uuid.UUID | None = None, limit: int = 20
) -> tuple[Sequence[Appeal], uuid.UUID | None]:
    """Appeals, newest first: all for those who decide, else one's own."""
    query = select(Appeal)
    if not ctx.actor.can(DECIDE):
        query = query.where(Appeal.subject_id == ctx.actor.id)
    if after is not None and (last := ctx.session.get(Appeal, (ctx.tenant.id, after))):
        query = query.where(
            or_(
                Appeal.filed_at < last.filed_at,
                and_(Appeal.filed_at == last.filed_at, Appeal.id < last.id),
            )
        )
    rows = ctx.session.scalars(
        query.order_by(Appeal.filed_at.desc(), Appeal.id.desc()).limit(limit + 1)
    ).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
