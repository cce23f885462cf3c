"""The first page, the formula, the signals; wiring only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    Invalid,
    Message,
    NotFound,
    Period,
    TenantContext,
    action,
    context_of,
    defaults,
    or_again,
    page,
    parse,
    whole,
)
from huiyin_scoring_incentive import formulas, queries, rounds, signals, thanks
from huiyin_scoring_incentive.balance import LIMITS
from huiyin_scoring_incentive.lint import choices, lint
from huiyin_scoring_incentive.models import Formula
from huiyin_scoring_incentive.rights import OWN, PUBLISH, SIGNALS, WRITE, Reader
from huiyin_scoring_incentive.schemas import MOST_TERMS, Body, HeadForm, Term, number
from huiyin_scoring_incentive.shared import home, show, titles

_FIELDS: Final = ("weight", "floor", "target", "minimum", "strength", "cap")
_HEAD: Final = ("title", "reason", "rev")


class HomeController(Controller):
    @page("/", name="scoring_incentive:home", permission=OWN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, can = context_of(desk), Reader.of(desk.actor)
        return show(
            desk, ctx, "home.html",
            scores=queries.own_scores(ctx), formula=formulas.published(ctx),
            todo=queries.waiting(
                ctx, publishes=can.publishes, decides=can.decides, awards=can.awards
            ),
            to_confirm=thanks.waiting(ctx), states=rounds.STATE_TITLES,
            recent=rounds.page(ctx, limit=5)[0] if can.sees else (),
        )  # fmt: skip

    @page("/signals", name="scoring_incentive:signals", permission=SIGNALS)
    def look(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        period, wrong = _asked_period(desk)
        return show(
            desk, ctx, "signals.html", period=period, wrong=wrong,
            found=signals.signals(ctx, period), pairs=signals.mutual(ctx, period),
            small=signals.SMALL,
        )  # fmt: skip


def _asked_period(desk: Desk) -> tuple[Period, str]:
    """The days asked for, at most 400 of them; else the last quarter, and why."""
    given = desk.request.query_params
    if not given.get("since") and not given.get("until"):
        return formulas.last_quarter(), ""
    try:
        period = Period(date.fromisoformat(given["since"]), date.fromisoformat(given["until"]))
    except (ValueError, KeyError):
        return formulas.last_quarter(), N_("日期格式不对，已改为上一季度")
    if (period.until - period.since).days > 400:
        return formulas.last_quarter(), N_("期间最长 400 天，已改为上一季度")
    return period, ""


class FormulaController(Controller):
    path = "/formula"

    @page("/", name="scoring_incentive:formula", permission=OWN)
    def current(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return _show_version(desk, ctx, formulas.published(ctx))

    @page("/v/{number:int}", name="scoring_incentive:version", permission=OWN)
    def one(self, desk: NamedDependency[Desk], number: FromPath[int]) -> Response[Any]:
        ctx = context_of(desk)
        return _show_version(desk, ctx, formulas.version(ctx, min(number, 2**31 - 1)))

    @page("/draft", name="scoring_incentive:draft", permission=WRITE)
    def edit(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        draft = formulas.draft_of(ctx)
        if draft is None:
            raise NotFound
        body = formulas.body_of(draft)
        tried = formulas.preview(ctx, body, formulas.last_quarter())
        return _editor(desk, ctx, draft, as_form(draft, body), tried)

    @action("/draft/begin", name="scoring_incentive:begin", permission=WRITE)
    def begin(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:  # noqa: ARG002
        formulas.begin(context_of(desk))
        return desk.redirect(home(desk, "/formula/draft"))

    @action("/draft/preview", name="scoring_incentive:preview", permission=WRITE)
    def try_out(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        draft = formulas.draft_of(ctx)
        if draft is None:
            raise NotFound
        body = read_body(data)
        faults = lint(body, ctx.figures())
        if faults:
            form = Form.failed(data, Invalid(faults), desk._)
            return _editor(desk, ctx, draft, form, None, status=422, block="preview")
        tried = formulas.preview(ctx, body, formulas.last_quarter())
        return _editor(desk, ctx, draft, Form(data), tried, block="preview")

    @action("/draft", name="scoring_incentive:save", permission=WRITE)
    def save(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            formulas.save(ctx, *read_draft(ctx, data))
            said = N_("草稿已保存，须由拟定人以外的同事发布")
            return desk.redirect(home(desk, "/formula/draft"), said)

        return or_again(desk, data, act, partial(_draft_again, desk))

    @action("/draft/publish", name="scoring_incentive:publish_formula", permission=PUBLISH)
    def publish(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            found = formulas.publish(context_of(desk), str(data.get("hash", "")))
            said = Message(N_("公式第 {n} 版已发布"), {"n": found.version})
            return desk.redirect(home(desk, "/formula"), said)

        def again(form: Form, status: int) -> Response[Any]:
            ctx = context_of(desk)
            found = formulas.draft_of(ctx) or formulas.published(ctx)
            return _show_version(desk, ctx, found, form, status)

        return or_again(desk, data, act, again)

    @action("/draft/drop", name="scoring_incentive:drop_formula", permission=WRITE)
    def drop(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:  # noqa: ARG002
        formulas.drop(context_of(desk))
        return desk.redirect(home(desk, "/formula"), N_("草稿已放弃"))


def read_draft(ctx: TenantContext, data: Mapping[str, Any]) -> tuple[HeadForm, Body]:
    """The whole draft of the form.  Raises ``Invalid`` with all faults of both parts."""
    faults: dict[str, Message] = {}
    head = HeadForm(title="", reason="")
    try:
        head = parse(HeadForm, {name: data.get(name) for name in _HEAD})
    except Invalid as wrong:
        faults |= wrong.fields
    body = read_body(data)
    faults |= lint(body, ctx.figures())
    if faults:
        raise Invalid(faults)
    return head, body


def read_body(data: Mapping[str, Any]) -> Body:
    """The indicators of the form; a row without an indicator is a row taken away."""
    terms = []
    for index in range(MOST_TERMS):
        figure = str(data.get(f"figure-{index}") or "").strip()[:120]
        if not figure:
            continue
        given = {field: number(data.get(f"{field}-{index}", "")) for field in _FIELDS}
        terms.append(Term(figure=figure, **given))
    return Body(terms=tuple(terms), coverage=number(data.get("coverage", "")))


def as_form(draft: Formula, body: Body) -> Form:
    """The draft as the editor shows it."""
    values: dict[str, Any] = {"title": draft.title, "reason": draft.reason, "rev": str(draft.rev)}
    values["coverage"] = f"{body.coverage:g}"
    for index, term in enumerate(body.terms):
        values[f"figure-{index}"] = term.figure
        values |= {f"{field}-{index}": f"{getattr(term, field):g}" for field in _FIELDS}
    return defaults(HeadForm, **values)


def _editor(
    desk: Desk, ctx: TenantContext, draft: Formula, form: Form,
    tried: formulas.Preview | None, *, status: int = 200, block: str = "",
) -> Response[Any]:  # fmt: skip
    body = formulas.body_of(draft)
    old = formulas.published(ctx)
    return show(
        desk, ctx, "formula_edit.html", status=status, block=block, draft=draft, form=form,
        tried=tried, choices=choices(ctx.figures()), rows=range(MOST_TERMS), limits=LIMITS,
        figures=titles(ctx), changes=formulas.diff(formulas.body_of(old) if old else None, body),
        own=desk.actor.id in draft.authors,
    )  # fmt: skip


def _draft_again(desk: Desk, form: Form, status: int) -> Response[Any]:
    """The refused draft on the newest one, or on the formula in force once there is none."""
    ctx = context_of(desk)
    draft = formulas.draft_of(ctx)
    if draft is None:
        return _show_version(desk, ctx, formulas.published(ctx), form, status)
    if form.get("rev") != str(draft.rev):
        form.beside(as_form(draft, formulas.body_of(draft)))
        form.values["rev"] = str(draft.rev)
    return _editor(desk, ctx, draft, form, None, status=status)


def _show_version(
    desk: Desk,
    ctx: TenantContext,
    found: Formula | None,
    form: Form | None = None,
    status: int = 200,
) -> Response[Any]:
    body = formulas.body_of(found) if found else None
    old = formulas.before(ctx, found) if found else None
    changes = formulas.diff(formulas.body_of(old), body) if old and body else []
    draft = formulas.draft_of(ctx) if Reader.of(desk.actor).publishes else None
    before = whole(desk.request.query_params.get("before", "")) or 0
    return show(
        desk, ctx, "formula.html", status=status, form=form or Form(), formula=found,
        body=body, old=old, changes=changes,
        draft=draft, own=bool(draft and desk.actor.id in draft.authors), limits=LIMITS,
        listed=formulas.versions(ctx, before=before), figures=titles(ctx),
    )  # fmt: skip
