"""Rounds: a period is counted under the formula in force, signed by one, published by another."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import and_, func, or_, select

from huiyin.sdk import (
    N_,
    Conflict,
    Figure,
    FigureUnit,
    Invalid,
    Measured,
    Message,
    Nature,
    NotFound,
    Refused,
    TenantContext,
    now,
    today,
)
from huiyin_scoring_incentive import errors, formulas, scoring
from huiyin_scoring_incentive.models import AnyRow, Formula, Round, RoundInput, Score
from huiyin_scoring_incentive.rights import SCORED, SEE
from huiyin_scoring_incentive.schemas import RoundForm

COUNT: Final = "count"
LONGEST: Final = timedelta(days=400)
SMALLEST_TEAM: Final = 5
STATE_TITLES: Final[Mapping[str, str]] = {
    "counting": N_("计算中"),
    "stopped": N_("已停下"),
    "counted": N_("待签署"),
    "signed": N_("待发布"),
    "published": N_("已公布"),
    "dropped": N_("已作废"),
}


# -- opening -----------------------------------------------------------------------------------


def open_round(ctx: TenantContext, form: RoundForm) -> Round:
    """Begin to count a period that is over.

    Raises ``Refused`` for somebody who would be scored, ``Invalid`` at the field, ``Conflict``
    without a formula.
    """
    if ctx.actor.roles & SCORED:
        raise Refused(errors.OWN_SCORE)
    formula = formulas.published(ctx)
    if formula is None:
        raise Conflict(N_("还没有已发布的公式，请先拟定并由另一人发布"))
    _check_period(ctx, form)
    made = Round(
        title=form.title, since=form.since, until=form.until, formula_id=formula.id,
        steps=len(formulas.body_of(formula).terms) + 1,
        opened_by=ctx.actor.id, opener_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    go_on(ctx, made)
    facts = {"formula": formula.hash, "since": made.since, "until": made.until}
    ctx.record("round_opened", made.id, facts)
    return made


def _check_period(ctx: TenantContext, form: RoundForm) -> None:
    if form.until < form.since:
        raise Invalid({"until": Message(N_("截止日不能早于起始日"))})
    if form.until >= today():
        raise Invalid({"until": Message(N_("只能评已经结束的期间，请填写今天以前的日期"))})
    if form.until - form.since > LONGEST:
        raise Invalid({"since": Message(N_("期间最长 {n} 天"), {"n": LONGEST.days})})
    taken = select(Round.id).where(
        Round.since == form.since, Round.until == form.until, Round.state != "dropped"
    )
    if ctx.session.scalar(taken) is not None:
        raise Invalid({"since": Message(N_("这一期间已有一轮评分，重评请先作废未公布的一轮"))})


def go_on(ctx: TenantContext, found: Round) -> None:
    """Have the next step counted, once."""
    payload = {"round": str(found.id), "step": found.steps_done}
    ctx.enqueue(COUNT, payload, object_id=found.id)


def resume(ctx: TenantContext, round_id: uuid.UUID) -> Round:
    """Try again where it stopped."""
    found = locked(ctx, round_id, "stopped")
    found.state, found.stopped_at_figure = "counting", ""
    ctx.session.flush()
    go_on(ctx, found)
    ctx.record("round_resumed", found.id, {"step": found.steps_done})
    return found


# -- two hands ---------------------------------------------------------------------------------


def sign(ctx: TenantContext, round_id: uuid.UUID, seen: str) -> Round:
    """The first of the two who publish.  Raises ``Refused`` for somebody who is scored in it."""
    found = locked(ctx, round_id, "counted")
    _refuse_own(ctx, found)
    _as_seen(found, seen)
    found.state, found.signed_at = "signed", now()
    found.signed_by, found.signer_name = ctx.actor.id, ctx.actor.name
    ctx.session.flush()
    ctx.record("round_signed", found.id, {"scores": found.scores_hash})
    return found


def publish(ctx: TenantContext, round_id: uuid.UUID, seen: str) -> Round:
    """The second, and somebody else: from now on nothing in the round changes."""
    found = locked(ctx, round_id, "signed")
    if found.signed_by == ctx.actor.id:
        raise Refused(errors.SAME_HANDS)
    _refuse_own(ctx, found)
    _as_seen(found, seen)
    found.state, found.published_at = "published", now()
    found.published_by, found.publisher_name = ctx.actor.id, ctx.actor.name
    ctx.session.flush()
    ctx.emit("published", found.id, {})
    facts = {"scores": found.scores_hash, "inputs": found.inputs_hash}
    ctx.record("round_published", found.id, facts)
    return found


def drop(ctx: TenantContext, round_id: uuid.UUID, reason: str) -> Round:
    """Give up a round that is not published; it stays on the list with its reason."""
    found = locked(ctx, round_id, "counting", "stopped", "counted", "signed")
    found.state, found.dropped_reason = "dropped", reason
    ctx.session.flush()
    ctx.record("round_dropped", found.id, {"inputs": found.inputs_hash}, {"reason": reason})
    return found


def _refuse_own(ctx: TenantContext, found: Round) -> None:
    own = select(Score.id).where(Score.round_id == found.id, Score.subject_id == ctx.actor.id)
    if ctx.session.scalar(own.limit(1)) is not None:
        raise Refused(errors.OWN_SCORE)


def _as_seen(found: Round, seen: str) -> None:
    if not seen or seen != found.scores_hash:
        raise Conflict


def locked(ctx: TenantContext, round_id: uuid.UUID, *states: str) -> Round:
    """The round, held until the transaction ends.  Raises ``Conflict`` in any other state."""
    found = ctx.session.scalars(
        select(Round).where(Round.id == round_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    if found.state not in states:
        raise Conflict
    return found


# -- reading -----------------------------------------------------------------------------------


def page(
    ctx: TenantContext, *, after: uuid.UUID | None = None, limit: int = 20
) -> tuple[Sequence[Round], uuid.UUID | None]:
    """Rounds by their last day, newest first; unpublished ones only for those who see all."""
    query = select(Round)
    if not ctx.actor.can(SEE):
        query = query.where(Round.state == "published")
    if after is not None and (last := ctx.session.get(Round, (ctx.tenant.id, after))) is not None:
        query = query.where(
            or_(Round.until < last.until, and_(Round.until == last.until, Round.id < last.id))
        )
    rows = ctx.session.scalars(
        query.order_by(Round.until.desc(), Round.id.desc()).limit(limit + 1)
    ).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def visible(ctx: TenantContext, round_id: uuid.UUID) -> tuple[Round, Formula]:
    """A round and its formula.  Raises ``NotFound`` for one that is not for this person yet."""
    found = ctx.session.get(Round, (ctx.tenant.id, round_id))
    if found is None or (found.state != "published" and not ctx.actor.can(SEE)):
        raise NotFound
    formula = ctx.session.get_one(Formula, (ctx.tenant.id, found.formula_id))
    return found, formula


_BRIEF: Final = (
    Score.id, Score.subject_id, Score.subject_name, Score.department, Score.revision, Score.value,
    Score.low, Score.high, Score.coverage,
)  # fmt: skip


def scores_in(ctx: TenantContext, round_id: uuid.UUID) -> list[AnyRow]:
    """Everybody's score as it stands, with corrections, by name and never by rank."""
    rows = ctx.session.execute(
        select(*_BRIEF).where(Score.round_id == round_id)
        .order_by(Score.subject_name, Score.subject_id, Score.revision)
    )  # fmt: skip
    return list({row.subject_id: row for row in rows}.values())


def people_in(ctx: TenantContext, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How many were scored in each round."""
    rows = ctx.session.execute(
        select(Score.round_id, func.count(func.distinct(Score.subject_id)))
        .where(Score.round_id.in_(list(ids))).group_by(Score.round_id)
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Team:
    """A department's mean; ``name`` is empty for the small ones taken together."""

    name: str
    people: int
    value: Decimal


def teams(rows: Iterable[AnyRow]) -> tuple[list[Team], int]:
    """Means by department, and how many people are in teams too small to be shown.

    Small teams are taken together; are they still too few, nothing is said of them, nor of the
    firm as a whole, from which they could be worked out.
    """
    by: dict[str, list[Decimal]] = {}
    for row in rows:
        if row.value is not None:
            by.setdefault(row.department, []).append(row.value)
    large = {name: found for name, found in by.items() if len(found) >= SMALLEST_TEAM}
    rest = [value for name, found in by.items() if name not in large for value in found]
    shown = [Team(name, len(v), _mean(v)) for name, v in sorted(large.items())]
    if len(rest) >= SMALLEST_TEAM:
        shown.append(Team("", len(rest), _mean(rest)))
        rest = []
    return shown, len(rest)


def _mean(values: Sequence[Decimal]) -> Decimal:
    return scoring.rounded(float(sum(values)) / len(values))


# -- what went in ------------------------------------------------------------------------------


def input_row(found: Round, figure: str, measured: Measured) -> RoundInput:
    """A figure of one person, with everything that was counted, as it is frozen."""
    assert measured.subject is not None  # noqa: S101 - per person
    proofs = [
        {
            "key": p.title.key, "params": {k: _plain(v) for k, v in p.title.params.items()},
            "path": p.path, "counted": p.counted,
        }
        for p in measured.proofs
    ]  # fmt: skip
    return RoundInput(
        round_id=found.id, figure=figure, subject_id=measured.subject, value=measured.value,
        n=measured.n, proofs=proofs,
    )  # fmt: skip


def _plain(value: object) -> str | int | float:
    return value if isinstance(value, int | float) else str(value)


def as_input(row: RoundInput) -> scoring.Input:
    return scoring.Input(row.value, row.n, tuple(p["counted"] for p in row.proofs))


def inputs_of(ctx: TenantContext, round_id: uuid.UUID, subject: uuid.UUID) -> list[RoundInput]:
    """What one person's score was made of."""
    return list(
        ctx.session.scalars(
            select(RoundInput).where(
                RoundInput.round_id == round_id, RoundInput.subject_id == subject
            )
        )
    )


def hash_inputs(found: Round, formula: Formula, rows: Iterable[RoundInput]) -> str:
    """What was counted, under which formula, for which days: equal inputs, equal hashes."""
    content = {
        "formula": formula.hash, "since": found.since, "until": found.until,
        "inputs": sorted(
            [r.figure, str(r.subject_id), r.value, r.n, [p["counted"] for p in r.proofs],
             [p["path"] for p in r.proofs]]
            for r in rows
        ),
    }  # fmt: skip
    return _sha(content)


def hash_scores(scores: Iterable[Score]) -> str:
    """What came out."""
    return _sha(sorted([str(s.subject_id), str(s.value), str(s.coverage)] for s in scores))


def _sha(content: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def frozen_figure(part: scoring.Part) -> Figure:
    """The figure as it was when it was counted, whether or not its plugin is still on."""
    return Figure(
        name=part.figure, title=part.title, definition=part.definition,
        unit=FigureUnit(part.unit), nature=Nature(part.nature), per_person=True,
        measure=lambda _ctx, _period: (),
    )  # fmt: skip
