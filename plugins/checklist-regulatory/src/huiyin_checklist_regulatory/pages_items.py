"""The page of one item of a run: its source, its answer, what stands behind it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    TenantContext,
    UploadData,
    action,
    causes,
    colleagues,
    context_of,
    page,
    parse,
)
from huiyin_checklist_regulatory import evidence, findings, live, queries, report, runs
from huiyin_checklist_regulatory.models import Evidence, Run
from huiyin_checklist_regulatory.permissions import ANSWER, READ, REVIEW, RUN
from huiyin_checklist_regulatory.schemas import (
    AnswerForm,
    AssignForm,
    FigureForm,
    FindingForm,
    LinkForm,
)
from huiyin_checklist_regulatory.shared import attempt, fields_of, home, one_upload, show
from huiyin_checklist_regulatory.terms import EvidenceKind, RunState
from huiyin_checklist_regulatory.views import ItemView, why

_ITEM = "/runs/{run_id:uuid}/items/{position:int}"
_UPLOAD = evidence.LARGEST + 64 * 1024


class ItemController(Controller):
    path = _ITEM

    @page("/", name="checklist_regulatory:item", permission=READ)
    def item(
        self, desk: NamedDependency[Desk], run_id: FromPath[UUID], position: FromPath[int]
    ) -> Response[Any]:
        return item_page(desk, run_id, position, Form())

    @action("/answer", name="checklist_regulatory:answer", permission=ANSWER)
    def answer(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            runs.answer(ctx, run_id, position, parse(AnswerForm, data))
            return desk.redirect(_next_open(desk, ctx, run_id, position), N_("结论已保存"))

        return _attempt(desk, run_id, position, data, act)

    @action("/assign", name="checklist_regulatory:assign", permission=RUN)
    def assign(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            runs.assign(ctx, run_id, position, parse(AssignForm, data).assignee)
            return desk.redirect(item_path(desk, run_id, position), N_("已分派"))

        return _attempt(desk, run_id, position, data, act)

    @action("/figure", name="checklist_regulatory:add_figure", permission=ANSWER)
    def figure(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            run, row = runs.answering(ctx, run_id, position)
            runs.took_part(ctx, run)
            evidence.add_figure(ctx, row, parse(FigureForm, data).figure)
            return desk.redirect(
                item_path(desk, run_id, position), N_("系统数据已引用，提交时定格")
            )

        return _attempt(desk, run_id, position, data, act)

    @action("/link", name="checklist_regulatory:add_link", permission=ANSWER)
    def link(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            run, row = runs.answering(ctx, run_id, position)
            runs.took_part(ctx, run)
            evidence.add_link(ctx, row, parse(LinkForm, data))
            return desk.redirect(item_path(desk, run_id, position), N_("证据已关联"))

        return _attempt(desk, run_id, position, data, act)

    @action("/file", name="checklist_regulatory:add_file", permission=ANSWER, limit=_UPLOAD)
    def file(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: UploadData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            name, stream = one_upload(data, N_("请选择文件"))
            run, row = runs.answering(ctx, run_id, position)
            runs.took_part(ctx, run)
            evidence.add_file(ctx, row, name, stream)
            return desk.redirect(item_path(desk, run_id, position), N_("证据已保存"))

        return _attempt(desk, run_id, position, fields_of(data), act)

    @action(
        "/evidence/{evidence_id:uuid}/remove", name="checklist_regulatory:remove_evidence",
        permission=ANSWER,
    )  # fmt: skip
    def remove(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        evidence_id: FromPath[UUID],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            run, row = runs.answering(ctx, run_id, position)
            runs.took_part(ctx, run)
            evidence.remove(ctx, row, evidence_id)
            return desk.redirect(item_path(desk, run_id, position), N_("证据已移除"))

        return _attempt(desk, run_id, position, data, act)

    @action("/finding", name="checklist_regulatory:raise", permission=REVIEW)
    def finding(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            raised = findings.raise_finding(ctx, run_id, position, parse(FindingForm, data))
            return desk.redirect(home(desk, f"/findings/{raised.id}"), N_("问题已登记，请安排整改"))

        return _attempt(desk, run_id, position, data, act)


class EvidenceController(Controller):
    path = "/evidence"

    @page("/{evidence_id:uuid}", name="checklist_regulatory:evidence", permission=READ)
    def read(self, desk: NamedDependency[Desk], evidence_id: FromPath[UUID]) -> Response[Any]:
        row, content = evidence.read_file(context_of(desk), evidence_id)
        return desk.file(content, row.title, "application/octet-stream")


def item_path(desk: Desk, run_id: UUID, position: int) -> str:
    return home(desk, f"/runs/{run_id}/items/{position}")


def _attempt(
    desk: Desk, run_id: UUID, position: int, data: dict[str, Any], act: Any
) -> Response[Any]:
    def again(form: Form, code: int) -> Response[Any]:
        return item_page(desk, run_id, position, form, code)

    return attempt(desk, data, act, again)


def _next_open(desk: Desk, ctx: TenantContext, run_id: UUID, position: int) -> str:
    """The next item without an answer that this person may give, else the run."""
    rows = [r for r in runs.items(ctx, run_id) if r.answer is None and runs.may_answer(ctx, r)]
    later = [r for r in rows if r.position > position] or rows
    return item_path(desk, run_id, later[0].position) if later else home(desk, f"/runs/{run_id}")


def item_page(
    desk: Desk, run_id: UUID, position: int, form: Form, status: int = 200
) -> Response[Any]:
    ctx = context_of(desk)
    run, row = runs.find(ctx, run_id), runs.item(ctx, run_id, position)
    view = ItemView.of_content(row.content, desk.language)
    stored = {"answer": row.answer or "", "note": row.note}
    if not form.values:
        form.values = {**stored, "title": view.text[:200]}
        form.values["severity"] = view.item.severity_if_fail
    elif form.get("seen") not in {"", str(row.rev)}:
        form.beside(Form(stored))
    standing = runs.standing_now(ctx, run, row, view)
    may = run.state == RunState.OPEN and ctx.actor.can(ANSWER) and runs.may_answer(ctx, row)
    return show(
        desk, "item.html", status=status, run=run, row=row, view=view, standing=standing,
        verdict=runs.verdict_of(run, row, view, standing), reasons=why(row.reasons, desk.language),
        proofs=_proofs(ctx, run, evidence.of_item(ctx, row.id)), form=form, may_answer=may,
        figures=live.choices(ctx) if may else [], suggested=view.item.figures,
        people=runs.answerers(colleagues(ctx.session)), total=len(runs.items(ctx, run_id)),
        previous=queries.previous(ctx, run, row.item_id),
        finding=queries.findings_of_run(ctx, run_id).get(row.id), causes=causes(),
        full=ctx.actor.can(evidence.READS_CASES), pack_title=report.pack_title(run, desk.language),
    )  # fmt: skip


def _proofs(
    ctx: TenantContext, run: Run, rows: list[Evidence]
) -> list[tuple[Evidence, live.Reading | None]]:
    """Each with its figure: live while the run is open, as frozen afterwards."""
    return [(row, _reading(ctx, run, row)) for row in rows]


def _reading(ctx: TenantContext, run: Run, row: Evidence) -> live.Reading | None:
    if row.kind != EvidenceKind.FIGURE:
        return None
    if run.state != RunState.OPEN and row.frozen:
        return live.reading_of(row.frozen)
    return live.read(ctx, row.figure, runs.period_of(run))
