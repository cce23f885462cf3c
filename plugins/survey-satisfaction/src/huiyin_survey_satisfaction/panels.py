"""Cards on other pages: beside the case, and where the complainant follows it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, func, select

from huiyin.sdk import N_, Case, Message, Panel, Ready, TenantContext, today
from huiyin_survey_satisfaction import invitations, telling, tokens
from huiyin_survey_satisfaction.models import Campaign, Invitation, Response, Review, Spent
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.wording import OPEN

_ASKED: Final = Ready(
    select(
        Invitation.id.label("invitation"), Invitation.state, Invitation.refusal, Invitation.road,
        Invitation.sent_on, Campaign.title, Campaign.naming, Response.on_day, Response.score,
        Review.id.label("review"), Review.state.label("review_state"),
    )
    .join(Campaign, Campaign.id == Invitation.campaign_id)
    .outerjoin(
        Response,
        and_(Response.invitation_id == Invitation.id, Response.case_id == Invitation.case_id),
    )
    .outerjoin(Review, Review.response_id == Response.id)
    .where(Invitation.case_id == bindparam("case"))
    .order_by(Invitation.id)
)  # fmt: skip


def beside_case(ctx: TenantContext, case: Case) -> Panel | None:
    """Whether the complainant was asked, and what was said if it is signed.

    Whether an unsigned answer came is told at no time: those who handle the case read this.
    """
    lines = {
        row.invitation: (row, telling.title(row, row))
        for row in _ASKED.run(ctx.session, case=case.id)
    }
    if not lines:
        return None
    body = ctx.render(
        "survey_satisfaction/panel.html", lines=list(lines.values()),
        may_review=ctx.actor.can("survey_satisfaction:review"),
    )  # fmt: skip
    return Panel(Message(N_("满意度")), body)


def for_complainant(ctx: TenantContext, case: Case) -> Panel | None:
    """The way to a questionnaire that is open for whoever follows the case."""
    for invitation, campaign in invitations.of_case(ctx, case):
        if invitation.state not in OPEN or invitations.is_over(invitation, campaign, today()):
            continue
        if campaign.state != "running" or _spent(ctx, invitation.id):
            continue
        token = tokens.token_of(ctx.tenant.id, invitation.id)
        body = ctx.render(
            "survey_satisfaction/card.html", campaign=campaign, token=token, invitation=invitation
        )
        return Panel(Message(N_("请您评价")), body)
    return None


def _spent(ctx: TenantContext, invitation: uuid.UUID) -> bool:
    seal = tokens.spent_seal(ctx.tenant.id, invitation)
    return ctx.session.scalar(select(Spent.id).where(Spent.seal == seal)) is not None


def preview(
    ctx: TenantContext, old: SurveySatisfactionSettings, new: SurveySatisfactionSettings
) -> Sequence[Message]:
    """How many of the answers at hand the drafted line would send to a review."""
    said: list[Message] = []
    if old.low_score != new.low_score:
        query = select(func.count()).select_from(Response)
        before = ctx.session.scalar(query.where(Response.score <= old.low_score)) or 0
        after = ctx.session.scalar(query.where(Response.score <= new.low_score)) or 0
        said.append(
            Message(
                N_("已收到的回答中，低分由 {before} 份变为 {after} 份；已开的复核不变"),
                {"before": before, "after": after},
            )
        )
    if old.few != new.few:
        numbers = (
            select(func.count(Response.id).label("n")).group_by(Response.campaign_id).subquery()
        )
        hidden = select(func.count()).select_from(numbers)
        shown = ctx.session.scalar(hidden.where(numbers.c.n < new.few)) or 0
        said.append(Message(N_("只列数目的调查变为 {n} 项"), {"n": shown}))
    if old.batch != new.batch:
        running = select(func.count()).select_from(Campaign).where(Campaign.state == "running")
        said.append(
            Message(
                N_("进行中的 {n} 项调查改为不记名答卷满 {batch} 份时一并计入"),
                {"n": ctx.session.scalar(running) or 0, "batch": new.batch},
            )
        )
    return said
