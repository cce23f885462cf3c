"""Pages of the runs: the list, a new one, the run itself, handing in, reviewing, the report."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    XLSX,
    Desk,
    Form,
    FormData,
    Message,
    TenantContext,
    action,
    categories,
    colleagues,
    context_of,
    defaults,
    page,
    parse,
    today,
)
from huiyin_checklist_regulatory import evidence, findings, packs, queries, report, runs, seal
from huiyin_checklist_regulatory.permissions import ANSWER, READ, REVIEW, RUN
from huiyin_checklist_regulatory.schemas import ReviewForm, RunForm, SampleForm
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.shared import asked, attempt, home, show


class RunsController(Controller):
    path = "/runs"

    @page("/", name="checklist_regulatory:runs", permission=READ)
    def runs(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        state, after = asked(desk, "state"), asked(desk, "after")
        found = queries.runs(ctx, state=state, after=after)
        shown = found[: queries.PAGE]
        more = queries.run_key(shown[-1]) if len(found) > queries.PAGE else ""
        return show(
            desk, "runs.html", runs=shown, progress=queries.progress(ctx, shown), state=state,
            more=more,
        )  # fmt: skip

    @page("/new", name="checklist_regulatory:new_run", permission=RUN)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        since, until = last_quarter(today())
        size = context_of(desk).settings(ChecklistRegulatorySettings).sample_size
        pack = asked(desk, "pack")
        form = defaults(RunForm, since=since, until=until, sample_size=size, pack=pack)
        return _new_page(desk, form)

    @action("/new", name="checklist_regulatory:begin", permission=RUN)
    def begin(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            run = runs.begin(ctx, parse(RunForm, data), str(data.get("_key", "")))
            return desk.redirect(home(desk, f"/runs/{run.id}"), N_("自查已发起"))

        return attempt(desk, data, act, lambda form, code: _new_page(desk, form, code))

    @page("/{run_id:uuid}", name="checklist_regulatory:run", permission=READ)
    def run(self, desk: NamedDependency[Desk], run_id: FromPath[UUID]) -> Response[Any]:
        return run_page(desk, run_id, Form())

    @action("/{run_id:uuid}/submit", name="checklist_regulatory:submit", permission=RUN)
    def submit(
        self, desk: NamedDependency[Desk], run_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            runs.submit(ctx, run_id)
            return desk.redirect(home(desk, f"/runs/{run_id}"), N_("已提交，请没有经手的同事复核"))

        return attempt(desk, data, act, lambda form, code: run_page(desk, run_id, form, code))

    @action("/{run_id:uuid}/review", name="checklist_regulatory:review", permission=REVIEW)
    def review(
        self, desk: NamedDependency[Desk], run_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            form = parse(ReviewForm, data)
            run = runs.review(ctx, run_id, form)
            if form.decision == "return":
                return desk.redirect(home(desk, f"/runs/{run_id}"), N_("已退回，可继续填写"))
            findings.raise_rest(ctx, run)
            return desk.redirect(home(desk, f"/runs/{run_id}"), N_("已复核封存"))

        typed = {**data, "at": "review"}
        return attempt(desk, typed, act, lambda form, code: run_page(desk, run_id, form, code))

    @action(
        "/{run_id:uuid}/sample/{case_id:uuid}", name="checklist_regulatory:judge",
        permission=ANSWER,
    )  # fmt: skip
    def judge(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        case_id: FromPath[UUID],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            runs.judge_sample(ctx, run_id, case_id, parse(SampleForm, data))
            return desk.redirect(home(desk, f"/runs/{run_id}#sample"), N_("抽查结果已保存"))

        def again(form: Form, code: int) -> Response[Any]:
            form.values["case_id"] = str(case_id)
            return run_page(desk, run_id, form, code)

        return attempt(desk, data, act, again)

    @page("/{run_id:uuid}/report.pdf", name="checklist_regulatory:pdf", permission=READ)
    def pdf(self, desk: NamedDependency[Desk], run_id: FromPath[UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = runs.find(ctx, run_id)
        content = report.pdf(ctx, report.report_of(ctx, run))
        _exported(ctx, run_id, "pdf")
        return desk.file(content, f"{run.number}.pdf", "application/pdf", inline=True)

    @page("/{run_id:uuid}/report.xlsx", name="checklist_regulatory:xlsx", permission=READ)
    def xlsx(self, desk: NamedDependency[Desk], run_id: FromPath[UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = runs.find(ctx, run_id)
        content = report.xlsx(ctx, report.report_of(ctx, run))
        _exported(ctx, run_id, "xlsx")
        return desk.file(content, f"{run.number}.xlsx", XLSX)


def _exported(ctx: TenantContext, run_id: UUID, kind: str) -> None:
    ctx.record("run_exported", run_id, {"kind": kind})


def last_quarter(day: date) -> tuple[date, date]:
    """The first and last day of the quarter before the one of ``day``."""
    begun = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    until = begun - timedelta(days=1)
    return date(until.year, until.month - 2, 1), until


def _new_page(desk: Desk, form: Form, status: int = 200) -> Response[Any]:
    ctx = context_of(desk)
    people = runs.answerers(colleagues(ctx.session))
    usable = [shelf for shelf in packs.shelves(ctx) if shelf.current]
    types = [(code, entry.title) for code, entry in categories().items()]
    return show(
        desk, "run_new.html", status=status, form=form, shelves=usable, people=people, types=types
    )


def run_page(desk: Desk, run_id: UUID, form: Form, status: int = 200) -> Response[Any]:
    ctx = context_of(desk)
    run = runs.find(ctx, run_id)
    whole = report.report_of(ctx, run)
    intact = not run.seal or seal.content_hash(ctx, run) == run.seal
    return show(
        desk, "run.html", status=status, run=run, report=whole, form=form, intact=intact,
        pack_title=report.pack_title(run, desk.language), events=queries.events(ctx, run.id),
        lacking=_lacking(ctx, whole),
        barred=runs.barred(ctx, run), today=today(), full=ctx.actor.can(evidence.READS_CASES),
    )  # fmt: skip


def _lacking(ctx: TenantContext, whole: report.Report) -> list[Message]:
    if whole.run.state != "open":
        return []
    return runs.missing(ctx, [line.row for line in whole.lines])
