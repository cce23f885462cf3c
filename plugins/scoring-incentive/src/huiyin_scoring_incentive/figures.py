"""What this plugin counts itself: help, lessons adopted, and the published score."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    TenantContext,
)
from huiyin_scoring_incentive.models import Credit, Round, Score

HERE: Final = "/w/x/scoring-incentive"
_SAID: Final = {
    "help": N_("案件 {number}：{who} 致谢，第三人已确认"),
    "lesson": N_("案件 {number} 的经验教训由 {who} 采纳，第三人已确认"),
}


def _credits(kind: str, ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """Confirmed credits by whoever earned them; the named of a case hear nothing of it."""
    rows = ctx.session.execute(
        select(Credit.doer_id, Credit.case_number, Credit.by_name)
        .join(Case, Case.id == Credit.case_id)
        .where(
            Credit.kind == kind, Credit.state == "confirmed",
            Credit.at >= period.begin, Credit.at < period.end,
            ~(Case.walled.any_() == ctx.actor.id), ~(Case.walled.any_() == Credit.doer_id),
        ).order_by(Credit.id)
    )  # fmt: skip
    found: dict[uuid.UUID, list[Proof]] = defaultdict(list)
    for doer, number, by in rows:
        said = Message(_SAID[kind], {"number": number, "who": by})
        found[doer].append(Proof(said, f"/w/cases/{number}", 1.0))
    return [Measured(float(len(p)), len(p), who, tuple(p)) for who, p in found.items()]


def _scores(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """The latest published score of everybody, of rounds that lie within the period."""
    rows = ctx.session.execute(
        select(Score.id, Score.subject_id, Score.value, Round.title)
        .join(Round, Round.id == Score.round_id)
        .where(Round.state == "published", Round.since >= period.since, Round.until <= period.until)
        .order_by(Round.until, Round.published_at, Score.revision)
    )
    latest = {row.subject_id: row for row in rows}
    return [
        Measured(
            None if row.value is None else float(row.value), int(row.value is not None), who,
            (Proof(Message(N_("评分「{title}」"), {"title": row.title}), f"{HERE}/scores/{row.id}",
                   float(row.value or 0)),),
        )
        for who, row in latest.items()
    ]  # fmt: skip


FIGURES: Final = (
    Figure(
        name="scoring_incentive:peer_help", title=N_("协助同事"), unit=FigureUnit.COUNT,
        nature=Nature.LEARNING, per_person=True, measure=partial(_credits, "help"),
        definition=N_("期内由参与同一投诉的同事致谢、并经第三人确认的协助次数，本人不能为自己登记"),
    ),
    Figure(
        name="scoring_incentive:lessons_adopted", title=N_("经验教训被采纳"),
        unit=FigureUnit.COUNT, nature=Nature.LEARNING, per_person=True,
        measure=partial(_credits, "lesson"),
        definition=N_("期内本人写下的经验教训被其他同事采纳、并经第三人确认的次数"),
    ),
    Figure(
        name="scoring_incentive:score", title=N_("处理质量得分"), unit=FigureUnit.POINTS,
        nature=Nature.QUALITY, per_person=True, measure=_scores,
        definition=N_("期内最近一轮已公布的得分，申诉更正的按更正后的得分"),
    ),
)  # fmt: skip
