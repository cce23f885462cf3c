"""A low score is looked at by somebody who never handled the case, and ends with a cause."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

import msgspec
from sqlalchemy import or_, select

from huiyin.sdk import (
    N_,
    Case,
    Invalid,
    NotFound,
    TenantContext,
    barred_from_judging,
    causes,
    today,
)
from huiyin_survey_satisfaction.errors import Concluded, HandledIt
from huiyin_survey_satisfaction.models import Campaign, Response, Review
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

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
    barred = sorted(barred_from_judging(ctx.session, case)) if case else []
    days = ctx.settings(SurveySatisfactionSettings).review_days
    review = Review(
        id=uuid.uuid4(), response_id=response.id, case_id=case.id if case else None,
        score=response.score, due_on=today() + timedelta(days=days), barred=barred,
    )  # fmt: skip
    ctx.session.add(review)
    ctx.session.flush()
    ctx.emit("low_score", review.id, {"case": case.id} if case else {})
    return review


def _visible(ctx: TenantContext, *, state: str = "") -> list[Line]:
    query = (
        select(Review, Response, Campaign.title, Case.number, Case.walled)
        .join(Response, Response.id == Review.response_id)
        .join(Campaign, Campaign.id == Response.campaign_id)
        .outerjoin(Case, Case.id == Review.case_id)
        .where(or_(Case.id.is_(None), ~(Case.walled.any_() == ctx.actor.id)))
    )
    if state:
        query = query.where(Review.state == state)
    rows = ctx.session.execute(query.order_by(Review.due_on, Review.id).limit(PAGE * 4))
    return [
        Line(review, response, title, number or "", ctx.actor.id not in review.barred)
        for review, response, title, number, _ in rows
    ]


def listed(ctx: TenantContext, state: str, after: str = "") -> tuple[Sequence[Line], str]:
    """One page of reviews by due day, and where the next begins."""
    lines = _visible(ctx, state=state)
    ids = [str(line.review.id) for line in lines]
    begin = ids.index(after) + 1 if after in ids else 0
    shown = lines[begin : begin + PAGE]
    more = str(shown[-1].review.id) if len(lines) > begin + PAGE else ""
    return shown, more


def open_count(ctx: TenantContext) -> int:
    return len(_visible(ctx, state="open"))


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
    barred = set(review.barred) | (barred_from_judging(ctx.session, case) if case else set())
    return ctx.actor.id not in barred


def conclude(ctx: TenantContext, review_id: uuid.UUID, form: ReviewForm) -> Review:
    """End the review with what was found, its cause, and whether training is needed.

    Raises ``NotFound``, ``Concluded``, ``HandledIt`` and ``Invalid``.
    """
    review, case = find(ctx, review_id, lock=True)
    if review.state != "open":
        raise Concluded
    if not may_conclude(ctx, review, case):
        raise HandledIt
    faults = {}
    if not form.finding:
        faults["finding"] = N_("请写明复核发现了什么")
    if form.cause not in causes():
        faults["cause"] = N_("请选择主要根因")
    if faults:
        raise Invalid(faults)
    if case is not None:
        review.barred = sorted(barred_from_judging(ctx.session, case))
    review.state, review.finding = "concluded", form.finding
    review.cause, review.training = form.cause, form.training
    review.concluded_by, review.concluded_name = ctx.actor.id, ctx.actor.name
    review.concluded_at = ctx.now()
    ctx.session.flush()
    ctx.emit(
        "review_concluded",
        review.id,
        {"case": case.id if case else "", "cause": form.cause, "training": form.training},
    )
    ctx.record(
        "review_concluded",
        review.id,
        {"cause": form.cause, "training": form.training},
        {"finding": form.finding},
    )
    return review
