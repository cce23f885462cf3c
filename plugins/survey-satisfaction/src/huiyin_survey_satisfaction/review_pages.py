"""Low scores to be looked at, and what came of them."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Case,
    Desk,
    Form,
    FormData,
    Message,
    action,
    causes,
    context_of,
    or_again,
    page,
    parse,
)
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction import responses, reviews
from huiyin_survey_satisfaction.models import Review


class ReviewController(Controller):
    path = "/reviews"

    @page("/", name="survey_satisfaction:reviews", permission=desks.REVIEW)
    def listed(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        state = "concluded" if desk.request.query_params.get("state") == "concluded" else "open"
        after = desk.request.query_params.get("after")
        lines, more = reviews.listed(ctx, state, desks.uuid_of(after) if after else None)
        return desks.show(
            desk, "reviews.html", lines=lines, more=more, state=state, causes=causes()
        )

    @page("/{review:str}", name="survey_satisfaction:review", permission=desks.REVIEW)
    def review(self, desk: NamedDependency[Desk], review: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found, case = reviews.find(ctx, desks.uuid_of(review))
        return _page(desk, found, case, Form())

    @action("/{review:str}", name="survey_satisfaction:conclude", permission=desks.REVIEW)
    def conclude(
        self, desk: NamedDependency[Desk], review: FromPath[str], data: FormData
    ) -> Response[Any]:
        id_ = desks.uuid_of(review)

        def act() -> Response[Any]:
            reviews.conclude(context_of(desk), id_, parse(reviews.ReviewForm, data))
            return desk.redirect(desks.staff(desk, "/reviews"), Message(N_("复核结论已记录")))

        def again(form: Form, status: int) -> Response[Any]:
            found, case = reviews.find(context_of(desk), id_)
            return _page(desk, found, case, form, status=status)

        return or_again(desk, data, act, again)


def _page(
    desk: Desk, review: Review, case: Case | None, form: Form, *, status: int = 200
) -> Response[Any]:
    ctx = context_of(desk)
    response, campaign, design, answers = responses.whole(ctx, review.response_id)
    if review.state == "open":
        ctx.record("answer_read", response.id, {"review": review.id})
    return desks.show(
        desk, "review.html", status=status, review=review, case=case, response=response,
        campaign=campaign, design=design, answers=answers, form=form, causes=causes(),
        may=reviews.may_conclude(ctx, review, case),
    )  # fmt: skip
