"""Two questions, or a question and the product, against each other.

No row or column stands for fewer people than the results page would show by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from huiyin.sdk import TenantContext
from huiyin_survey_satisfaction import hiding, statistics, telling
from huiyin_survey_satisfaction.designs import Question
from huiyin_survey_satisfaction.models import Answer, Campaign, Response
from huiyin_survey_satisfaction.results import MOST_SEGMENTS, REST
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.statistics import Independence


@dataclass(frozen=True, slots=True)
class Cross:
    """Rows and columns by code, the small ones together as ``REST``."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    n: int  # people
    found: Independence


def cross(ctx: TenantContext, campaign: Campaign, across: Question, down: Question | None) -> Cross:
    """``down`` by ``across``, ``None`` standing for the product; counted by the database."""
    pairs = _pairs(campaign, across, down)
    cells = Counter(
        {
            (row, column): int(k)
            for row, column, k in ctx.session.execute(
                select(pairs.c.row, pairs.c.column, func.count()).group_by(
                    pairs.c.row, pairs.c.column
                )
            )
        }
    )
    least = ctx.settings(SurveySatisfactionSettings).batch
    by_row = _people(ctx, pairs, pairs.c.row)
    rows = _kept(down.values() if down else sorted(by_row)[:MOST_SEGMENTS])
    columns = _kept(across.values())
    if telling.hides(campaign) or down is None:
        rows = _together(rows, hiding.small(by_row, least))
    if telling.hides(campaign) and down is not None:
        # The same table turned round must not show what this one hides.
        columns = _together(columns, hiding.small(_people(ctx, pairs, pairs.c.column), least))
    shown = tuple(
        tuple(sum(cells[(r, c)] for r in row for c in column) for column in columns.values())
        for row in rows.values()
    )
    return Cross(
        tuple(rows), tuple(columns), shown,
        ctx.session.scalar(select(func.count(pairs.c.response.distinct()))) or 0,
        statistics.independence(shown) if rows else Independence("none", 0.0, 0, 1.0),
    )  # fmt: skip


def _pairs(campaign: Campaign, across: Question, down: Question | None) -> Any:
    """Each answer to ``across`` beside what stands for its row; only what fits this version."""
    a = aliased(Answer)
    if down is None:
        query = select(
            Response.segment.label("row"), a.value.label("column"), a.response_id.label("response")
        ).join(a, a.response_id == Response.id)
    else:
        b = aliased(Answer)
        query = (
            select(b.value.label("row"), a.value.label("column"), a.response_id.label("response"))
            .join(a, and_(a.response_id == b.response_id, a.tenant_id == b.tenant_id))
            .where(
                b.campaign_id == campaign.id, b.question == down.code, b.item == "",
                b.value.in_(down.values()),
            )
        )  # fmt: skip
    return query.where(
        a.campaign_id == campaign.id, a.question == across.code, a.item == "",
        a.value.in_(across.values()),
    ).subquery()  # fmt: skip


def _people(ctx: TenantContext, pairs: Any, by: Any) -> dict[str, int]:
    """How many people, who may have chosen several answers."""
    rows = ctx.session.execute(select(by, func.count(pairs.c.response.distinct())).group_by(by))
    return {name: int(n) for name, n in rows}


def _kept(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in names}


def _together(
    groups: Mapping[str, tuple[str, ...]], hidden: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    kept = {name: names for name, names in groups.items() if name not in hidden}
    return {**kept, REST: tuple(sorted(hidden))} if hidden else kept
