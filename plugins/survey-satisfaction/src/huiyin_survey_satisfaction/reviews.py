"""A low score is looked at by somebody who never handled the case, and ends with a cause."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import func, or_, select, tuple_

from huiyin.sdk import (
    N_,
    Case,
    Invalid,
    NotFound,
    TenantContext,
    barred_from_judging,
    barred_from_judging_any,
    causes,
    today,
)
from huiyin_survey_satisfaction.errors import Concluded, HandledIt, HandledOne
from huiyin_survey_satisfaction.models import Campaign, Invitation, Response, Review
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.wording import PERIODIC, State

PAGE: Final = 50


class ReviewForm(msgspec.Struct, frozen=True, kw_only=True):
    finding: Annotated[str, msgspec.Meta(max_length=2_000, title=N_("复核结论"))] = ""
    cause: Annotated[str, msgspec.Meta(max_length=20)] = ""
    training: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A review with what it is about."""

    review: Review
    response: Response
    campaign: str
    number: str  # of the case, if the answer is signed
    mine: bool  # whether this person may conclude it


def open_for(ctx: TenantContext, response: Response, case: Case | None) -> Review:
    """Open the review of a low answer; an unsigned one knows of no case."""
    barred = sorted(_handlers(ctx, response, case))
    days = ctx.settings(SurveySatisfactionSettings).review_days
    review = Review(
        id=uuid.uuid4(), response_id=response.id, case_id=case.id if case else None,
        score=response.score, due_on=today() + timedelta(days=days), barred=barred,
    )  # fmt: skip
    ctx.session.add(review)
    ctx.session.flush()
    ctx.emit("low_score", review.id, {"case": case.id} if case else {})
    return review


def _handlers(ctx: TenantContext, response: Response, case: Case | None) -> frozenset[uuid.UUID]:
    """Who must not judge an answer, on the history as it is now.

    An unsigned answer may be about any case the survey had asked about by then; so whoever
    handled one of them is barred, which joins it to none.
    """
    if case is not None:
        return barred_from_judging(ctx.session, case)
    campaign = ctx.session.get_one(Campaign, (ctx.tenant.id, response.campaign_id))
    if response.signed or campaign.trigger == PERIODIC:
        return frozenset()
    asked_about = select(Invitation.case_id).where(
        Invitation.campaign_id == campaign.id, Invitation.case_id.is_not(None),
        Invitation.made_on <= response.on_day, Invitation.state != State.RESTING.value,
    )  # fmt: skip
    return barred_from_judging_any(ctx.session, asked_about)


def _visible(ctx: TenantContext, state: str, *columns: Any) -> Any:
    """Reviews in a state, but not those of a case in which the reader is named."""
    return (
        select(*columns)
        .select_from(Review)
        .outerjoin(Case, Case.id == Review.case_id)
        .where(or_(Case.id.is_(None), ~(Case.walled.any_() == ctx.actor.id)), Review.state == state)
    )


def listed(
    ctx: TenantContext, state: str, after: uuid.UUID | None = None
) -> tuple[Sequence[Line], str]:
    """One page of reviews by due day, and after which the next begins."""
    query = (
        _visible(ctx, state, Review, Response, Campaign.title, Case.number)
        .join(Response, Response.id == Review.response_id)
        .join(Campaign, Campaign.id == Response.campaign_id)
    )
    if after is not None and (last := ctx.session.get(Review, (ctx.tenant.id, after))):
        query = query.where(tuple_(Review.due_on, Review.id) > tuple_(last.due_on, last.id))
    rows = ctx.session.execute(query.order_by(Review.due_on, Review.id).limit(PAGE + 1)).all()
    lines = [
        Line(review, response, title, number or "", ctx.actor.id not in review.barred)
        for review, response, title, number in rows[:PAGE]
    ]
    return lines, str(lines[-1].review.id) if len(rows) > PAGE else ""


def open_count(ctx: TenantContext) -> int:
    return ctx.session.scalar(_visible(ctx, "open", func.count())) or 0


def find(
    ctx: TenantContext, review_id: uuid.UUID, *, lock: bool = False
) -> tuple[Review, Case | None]:
    """The review and its case.  Raises ``NotFound`` for what this person may not know of."""
    query = select(Review).where(Review.id == review_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    review = ctx.session.scalar(query)
    if review is None:
        raise NotFound
    case = ctx.session.get(Case, (ctx.tenant.id, review.case_id)) if review.case_id else None
    if case is not None and not case.visible_to(ctx.actor):
        raise NotFound
    return review, case


def may_conclude(ctx: TenantContext, review: Review, case: Case | None) -> bool:
    """Judged on the history as it is now, not only as it was when the review was opened."""
    return ctx.actor.id not in _barred(ctx, review, case)


def _barred(ctx: TenantContext, review: Review, case: Case | None) -> set[uuid.UUID]:
    response = ctx.session.get_one(Response, (ctx.tenant.id, review.response_id))
    return set(review.barred) | _handlers(ctx, response, case)


def conclude(ctx: TenantContext, review_id: uuid.UUID, form: ReviewForm) -> Review:
    """End the review with what was found, its cause, and whether training is needed.

    Nobody is sent to a training for an answer that is about no known case.
    Raises ``NotFound``, ``Concluded``, ``HandledIt`` and ``Invalid``.
    """
    review, case = find(ctx, review_id, lock=True)
    if review.state != "open":
        raise Concluded
    barred = _barred(ctx, review, case)
    if ctx.actor.id in barred:
        raise HandledIt if case is not None else HandledOne
    faults = {}
    if not form.finding:
        faults["finding"] = N_("请写明复核发现了什么")
    if form.cause not in causes():
        faults["cause"] = N_("请选择主要根因")
    if faults:
        raise Invalid(faults)
    review.barred = sorted(barred)
    review.state, review.finding = "concluded", form.finding
    review.cause, review.training = form.cause, form.training and case is not None
    review.concluded_by, review.concluded_name = ctx.actor.id, ctx.actor.name
    review.concluded_at = ctx.now()
    ctx.session.flush()
    ctx.emit(
        "review_concluded",
        review.id,
        {"case": case.id if case else "", "cause": form.cause, "training": review.training},
    )
    ctx.record(
        "review_concluded",
        review.id,
        {"cause": form.cause, "training": review.training},
        {"finding": form.finding},
    )
    return review
