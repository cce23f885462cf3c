"""The card beside a case: its roads, its letters, and those who speak for the complainant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from sqlalchemy import select

from huiyin.sdk import (
    SOURCE_TITLES,
    Case,
    TenantContext,
    local_date,
    visible_cases,
)
from huiyin_channel_referral import agents, papers, register
from huiyin_channel_referral.agents import may_be_told
from huiyin_channel_referral.terms import (
    REGISTER,
    RELATION_TITLES,
    ROAD_TITLES,
    STANDING_TAGS,
    STANDING_TITLES,
)

_MERGED = 20


@dataclass(frozen=True, slots=True)
class Road:
    """One way by which the grievance came, and the other case if it is registered there."""

    name: str
    on: date
    number: str = ""


def panel_of(ctx: TenantContext, case: Case) -> Markup | None:
    """Nothing for a case that came by one road and for which nobody else speaks or asks."""
    letters, people = register.of_case(ctx, case), agents.of_case(ctx, case)
    roads = roads_of(ctx, case, [found.row.received_on for found in letters])
    may_add = ctx.actor.can(REGISTER)
    if not (letters or people or len(roads) > 1 or may_add):
        return None
    told = [(line, *may_be_told(line)) for line in people]
    return ctx.render(
        "channel_referral/panel.html", case=case, roads=roads, letters=letters, people=told,
        titles=ROAD_TITLES, sources=SOURCE_TITLES, relations=RELATION_TITLES,
        standings=STANDING_TITLES, standing_tags=STANDING_TAGS, may_add=may_add,
    )  # fmt: skip


def roads_of(ctx: TenantContext, case: Case, letters: Sequence[date]) -> list[Road]:
    """How this case came, what came to it later, and the cases merged into it."""
    roads = [Road(case.channel, local_date(case.received_at))]
    own = 1 if case.channel == "transfer" else 0
    roads += [Road("transfer", day) for day in letters[own:]]
    roads += [Road(row.kind, row.came_on) for row in papers.of_case(ctx, case) if row.joined]
    merged = ctx.session.execute(
        select(Case.channel, Case.received_at, Case.number)
        .where(Case.master_id == case.id, visible_cases(ctx.actor))
        .order_by(Case.received_at, Case.id)
        .limit(_MERGED)
    )
    return [*roads, *(Road(channel, local_date(at), number) for channel, at, number in merged)]
