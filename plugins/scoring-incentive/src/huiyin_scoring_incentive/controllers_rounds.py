"""Rounds, scores and appeals; wiring only."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    TenantContext,
    action,
    context_of,
    defaults,
    or_again,
    page,
    parse,
    today,
)
from huiyin_scoring_incentive import appeals, formulas, papers, rounds
from huiyin_scoring_incentive.rights import DECIDE, OWN, PUBLISH, WRITE, Reader
from huiyin_scoring_incentive.schemas import AppealForm, DecisionForm, ReasonForm, RoundForm
from huiyin_scoring_incentive.shared import PDF, after, home, proofs, show, titles


class RoundController(Controller):
    path = "/rounds"

    @page("/", name="scoring_incentive:rounds", permission=OWN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found, more = rounds.page(ctx, after=after(desk))
        counts = rounds.people_in(ctx, [r.id for r in found])
        return show(
            desk, ctx, "rounds.html", rounds=found, more=more, counts=counts,
            states=rounds.STATE_TITLES,
        )  # fmt: skip

    @page("/new", name="scoring_incentive:round_new", permission=WRITE)
    def ask(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, quarter = context_of(desk), formulas.last_quarter()
        title = ctx.text(
            N_("{year} 年第 {q} 季度"), year=quarter.since.year, q=(quarter.since.month + 2) // 3
        )
        form = defaults(RoundForm, title=title, since=quarter.since, until=quarter.until)
        return _round_new(desk, form, 200)

    @action("/new", name="scoring_incentive:round_open", permission=WRITE)
    def open(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            made = rounds.open_round(context_of(desk), parse(RoundForm, data))
            return desk.redirect(home(desk, f"/rounds/{made.id}"), N_("已开始计算"))

        return or_again(desk, data, act, partial(_round_new, desk))

    @page("/{round_id:uuid}", name="scoring_incentive:round", permission=OWN)
    def one(self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        return _round(desk, ctx, round_id)

    @action("/{round_id:uuid}/sign", name="scoring_incentive:round_sign", permission=PUBLISH)
    def sign(
        self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            rounds.sign(context_of(desk), round_id, str(data.get("hash", "")))
            said = N_("已签署，须由另一位同事发布")
            return desk.redirect(home(desk, f"/rounds/{round_id}"), said)

        return or_again(desk, data, act, partial(_round_again, desk, round_id))

    @action("/{round_id:uuid}/publish", name="scoring_incentive:round_publish", permission=PUBLISH)
    def publish(
        self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            rounds.publish(context_of(desk), round_id, str(data.get("hash", "")))
            return desk.redirect(home(desk, f"/rounds/{round_id}"), N_("得分已公布，不再更改"))

        return or_again(desk, data, act, partial(_round_again, desk, round_id))

    @action("/{round_id:uuid}/resume", name="scoring_incentive:round_resume", permission=WRITE)
    def resume(
        self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            rounds.resume(context_of(desk), round_id)
            return desk.redirect(home(desk, f"/rounds/{round_id}"), N_("已接着计算"))

        return or_again(desk, data, act, partial(_round_again, desk, round_id))

    @action("/{round_id:uuid}/drop", name="scoring_incentive:round_drop", permission=WRITE)
    def drop(
        self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            rounds.drop(context_of(desk), round_id, parse(ReasonForm, data).reason)
            return desk.redirect(home(desk, "/rounds"), N_("这一轮已作废"))

        return or_again(desk, data, act, partial(_round_again, desk, round_id))


def _round_new(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    formula = formulas.published(ctx)
    return show(desk, ctx, "round_new.html", status=status, form=form, formula=formula)


def _round_again(desk: Desk, round_id: uuid.UUID, form: Form, status: int) -> Response[Any]:
    return _round(desk, context_of(desk), round_id, form, status)


def _round(
    desk: Desk,
    ctx: TenantContext,
    round_id: uuid.UUID,
    form: Form | None = None,
    status: int = 200,
) -> Response[Any]:
    found, formula = rounds.visible(ctx, round_id)
    can = Reader.of(desk.actor)
    rows = rounds.scores_in(ctx, round_id) if found.state not in {"counting", "stopped"} else []
    teams, hidden = rounds.teams(rows)
    if not can.sees:
        # Colleagues see their own score and the department they are in.
        teams = [t for t in teams if t.name and t.name == desk.actor.department]
        rows, hidden = [row for row in rows if row.subject_id == desk.actor.id], 0
    response = show(
        desk, ctx, "round.html", status=status, form=form or Form(), round=found,
        formula=formula, rows=rows, teams=teams, hidden=hidden, states=rounds.STATE_TITLES,
        figures=titles(ctx), smallest=rounds.SMALLEST_TEAM,
    )  # fmt: skip
    if any(row.subject_id != ctx.actor.id for row in rows):
        ctx.record("round_read", found.id, {"people": len(rows), "as": "page"})
    return response


class ScoreController(Controller):
    path = "/scores/{score_id:uuid}"

    @page("/", name="scoring_incentive:score", permission=OWN)
    def explain(self, desk: NamedDependency[Desk], score_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        told = appeals.explain(ctx, score_id)
        return _score(desk, ctx, told)

    @page("/pdf", name="scoring_incentive:score_pdf", permission=OWN)
    def paper(self, desk: NamedDependency[Desk], score_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        told = appeals.explain(ctx, score_id)
        shown = proofs(desk, ctx, papers.rows_of(ctx, told.score))
        content = papers.explanation_pdf(ctx, told, shown)
        _record_reading(ctx, told, "pdf")
        return desk.file(content, f"score-{told.round.until}.pdf", PDF)

    @page("/appeal", name="scoring_incentive:appeal_new", permission=OWN)
    def ask(self, desk: NamedDependency[Desk], score_id: FromPath[uuid.UUID]) -> Response[Any]:
        return _appeal_new(desk, score_id, defaults(AppealForm), 200)

    @action("/appeal", name="scoring_incentive:appeal_file", permission=OWN)
    def file(
        self, desk: NamedDependency[Desk], score_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            made = appeals.file(context_of(desk), score_id, parse(AppealForm, data))
            said = N_("申诉已提交，由未经手这一得分的同事决定")
            return desk.redirect(home(desk, f"/appeals/{made.id}"), said)

        return or_again(desk, data, act, partial(_appeal_new, desk, score_id))


def _appeal_new(desk: Desk, score_id: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    told = appeals.explain(ctx, score_id)
    return show(
        desk, ctx, "appeal_new.html", status=status, told=told, form=form,
        last=appeals.until(ctx, told.round), own=told.score.subject_id == ctx.actor.id,
    )  # fmt: skip


def _score(desk: Desk, ctx: TenantContext, told: appeals.Explained) -> Response[Any]:
    own = told.score.subject_id == ctx.actor.id
    last = appeals.until(ctx, told.round)
    response = show(
        desk, ctx, "score.html", told=told, own=own, last=last,
        every=desk.request.query_params.get("all") == "1",
        open=last is not None and today() <= last,
        shown=proofs(desk, ctx, papers.rows_of(ctx, told.score)),
        outcomes=appeals.OUTCOME_TITLES, appeal_states=appeals.STATE_TITLES,
    )  # fmt: skip
    _record_reading(ctx, told, "page")
    return response


def _record_reading(ctx: TenantContext, told: appeals.Explained, how: str) -> None:
    """Looking at another person's score leaves an entry."""
    if told.score.subject_id != ctx.actor.id:
        facts = {"subject": told.score.subject_id, "round": told.round.id, "as": how}
        ctx.record("score_read", told.score.id, facts)


class AppealController(Controller):
    path = "/appeals"

    @page("/", name="scoring_incentive:appeals", permission=OWN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found, more = appeals.page(ctx, after=after(desk))
        return show(
            desk, ctx, "appeals.html", appeals=found, more=more, states=appeals.STATE_TITLES,
            outcomes=appeals.OUTCOME_TITLES,
        )  # fmt: skip

    @page("/{appeal_id:uuid}", name="scoring_incentive:appeal", permission=OWN)
    def one(self, desk: NamedDependency[Desk], appeal_id: FromPath[uuid.UUID]) -> Response[Any]:
        return _appeal(desk, appeal_id, defaults(DecisionForm), 200)

    @action("/{appeal_id:uuid}/decide", name="scoring_incentive:appeal_decide",
            permission=DECIDE)  # fmt: skip
    def decide(
        self, desk: NamedDependency[Desk], appeal_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            appeals.decide(context_of(desk), appeal_id, parse(DecisionForm, data))
            said = N_("已作出决定，本人可在申诉页看到")
            return desk.redirect(home(desk, f"/appeals/{appeal_id}"), said)

        return or_again(desk, data, act, partial(_appeal, desk, appeal_id))

    @action("/{appeal_id:uuid}/withdraw", name="scoring_incentive:appeal_withdraw", permission=OWN)
    def withdraw(
        self, desk: NamedDependency[Desk], appeal_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            appeals.withdraw(context_of(desk), appeal_id)
            return desk.redirect(home(desk, f"/appeals/{appeal_id}"), N_("申诉已撤回"))

        return or_again(desk, data, act, partial(_appeal, desk, appeal_id))


def _appeal(desk: Desk, appeal_id: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    found = appeals.get(ctx, appeal_id)
    told = appeals.explain(ctx, found.score_id)
    return show(
        desk, ctx, "appeal.html", status=status, appeal=found, told=told, form=form,
        bar=appeals.bar(ctx, found), states=appeals.STATE_TITLES, outcomes=appeals.OUTCOME_TITLES,
        shown=proofs(desk, ctx, papers.rows_of(ctx, told.score)),
        own=found.subject_id == ctx.actor.id,
    )  # fmt: skip
