"""What the first page and the API ask for: a fixed number of statements, however much there is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from huiyin.sdk import TenantContext
from huiyin_scoring_incentive.models import AnyRow, Appeal, Award, Formula, Reward, Round, Score


def own_scores(ctx: TenantContext, *, limit: int = 8) -> list[AnyRow]:
    """One's own published scores as they stand, newest round first."""
    rows = ctx.session.execute(
        select(
            Score.id, Score.round_id, Score.value, Score.low, Score.high, Score.coverage,
            Score.revision, Round.title, Round.since, Round.until, Round.published_at,
        )
        .join(Round, Round.id == Score.round_id)
        .where(Score.subject_id == ctx.actor.id, Round.state == "published")
        .order_by(Round.until.desc(), Round.id, Score.revision.desc())
        .limit(limit * 2)
    )  # fmt: skip
    latest: dict[uuid.UUID, AnyRow] = {}
    for row in rows:
        latest.setdefault(row.round_id, row)
    return list(latest.values())[:limit]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for this person; each empty when it is not theirs to do."""

    draft: Formula | None
    rounds: Sequence[Round]
    appeals: Sequence[Appeal]
    rewards: Sequence[Reward]
    consents: Sequence[Award]


def waiting(ctx: TenantContext, *, publishes: bool, decides: bool, awards: bool) -> Waiting:
    """Everything a person is asked for, in five statements at most."""
    me, session = ctx.actor.id, ctx.session
    draft, rounds, appeals, rewards = None, [], [], []
    if publishes:
        draft = session.scalars(select(Formula).where(Formula.state == "draft")).one_or_none()
        rounds = list(session.scalars(
            select(Round).where(Round.state.in_(("counting", "stopped", "counted", "signed")))
            .order_by(Round.until.desc(), Round.id).limit(10)
        ))  # fmt: skip
    if decides:
        appeals = list(session.scalars(
            select(Appeal).where(Appeal.state == "open", Appeal.subject_id != me)
            .order_by(Appeal.id).limit(10)
        ))  # fmt: skip
    if awards:
        rewards = list(session.scalars(
            select(Reward).where(Reward.state == "listed").order_by(Reward.year).limit(5)
        ))  # fmt: skip
    consents = session.scalars(
        select(Award).where(
            Award.nominee_id == me, Award.state == "granted", Award.consented_at.is_(None)
        ).order_by(Award.id.desc()).limit(5)
    ).all()  # fmt: skip
    return Waiting(draft, rounds, appeals, rewards, consents)
