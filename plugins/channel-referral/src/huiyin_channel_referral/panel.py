"""The card beside a case: its roads, its letters, and those who speak for the complainant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased

from huiyin.sdk import (
    SOURCE_TITLES,
    Case,
    Investor,
    Ready,
    TenantContext,
    local_date,
    visible_cases,
)
from huiyin_channel_referral import agents, papers, register
from huiyin_channel_referral.agents import may_be_told
from huiyin_channel_referral.models import Agent, Paper, Transfer
from huiyin_channel_referral.terms import (
    REGISTER,
    RELATION_TITLES,
    ROAD_TITLES,
    STANDING_TAGS,
    STANDING_TITLES,
)

_MERGED: Final = 20
_LIKELY: Final = 5


@dataclass(frozen=True, slots=True)
class Road:
    """One way by which the grievance came, and the other case if it is registered there."""

    name: str
    on: date
    number: str = ""


def _known() -> Ready:
    """What there is at all, whoever may know of it; most cases have nothing of the kind."""
    case, complainant = bindparam("case", type_=Uuid), bindparam("complainant", type_=Uuid)
    other, merged, letter = aliased(Case), aliased(Case), aliased(Case)
    mine, theirs = aliased(Investor), aliased(Investor)
    same = exists(other.id).where(
        mine.id == complainant, _same_person(mine, theirs), other.complainant_id == theirs.id,
        other.state == "open", other.id != case,
    )  # fmt: skip
    about = or_(letter.id == case, letter.master_id == case)
    return Ready(
        select(
            exists(Transfer.id).where(Transfer.case_id == letter.id, about).label("letters"),
            exists(Agent.id).where(Agent.case_id == case).label("people"),
            exists(Paper.id).where(Paper.case_id == case, Paper.joined).label("papers"),
            exists(merged.id).where(merged.master_id == case).label("merged"),
            same.label("same"),
        )
    )


def _same_person(mine: Any, theirs: Any) -> ColumnElement[bool]:
    """By telephone or address, as they stand."""
    return or_(
        and_(mine.phone != "", theirs.phone == mine.phone),
        and_(mine.email != "", theirs.email == mine.email),
    )


_KNOWN: Final = _known()


def panel_of(ctx: TenantContext, case: Case) -> Markup | None:
    """Nothing for a case that came by one road and for which nobody else speaks or asks."""
    known = _KNOWN.run(ctx.session, case=case.id, complainant=case.complainant_id).one()
    letters = register.of_matter(ctx, case) if known.letters else []
    people = agents.of_case(ctx, case) if known.people else []
    # The letter it was filed with, elsewhere or here, is the road of the case itself.
    later = [found.row for found in letters if found.row.case_id == case.id and found.row.mark]
    roads = [Road(case.channel, local_date(case.received_at))]
    if later or known.papers or known.merged:
        roads = roads_of(ctx, case, [row.received_on for row in later])
    may_add = ctx.actor.can(REGISTER)
    same = likely_same(ctx, case) if known.same else []
    if not (letters or people or same or len(roads) > 1 or may_add):
        return None
    told = [(line, *may_be_told(line)) for line in people]
    return ctx.render(
        "channel_referral/panel.html", case=case, roads=roads, letters=letters, people=told,
        titles=ROAD_TITLES, sources=SOURCE_TITLES, relations=RELATION_TITLES,
        standings=STANDING_TITLES, standing_tags=STANDING_TAGS, may_add=may_add,
        same=same,
    )  # fmt: skip


def likely_same(ctx: TenantContext, case: Case) -> list[tuple[str, str, str]]:
    """Open cases of the same telephone or address: perhaps the same grievance by another road.

    Shown to be looked at; nothing is joined by itself.
    """
    if case.state != "open" or case.complainant_id is None:
        return []
    mine, theirs = aliased(Investor), aliased(Investor)
    same = _same_person(mine, theirs)
    rows = ctx.session.execute(
        select(Case.number, Case.title, Case.channel)
        .join(theirs, and_(theirs.tenant_id == Case.tenant_id, theirs.id == Case.complainant_id))
        .join(mine, and_(mine.tenant_id == Case.tenant_id, mine.id == case.complainant_id))
        .where(same, Case.id != case.id, Case.state == "open", visible_cases(ctx.actor))
        .order_by(Case.received_at, Case.id)
        .limit(_LIKELY)
    )
    return [(number, title, channel) for number, title, channel in rows]


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
