"""Pages of the findings: the list, one finding, its actions, their tests, closing."""

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
    today,
)
from huiyin_checklist_regulatory import evidence, findings, queries, runs
from huiyin_checklist_regulatory.permissions import ACT, READ, REVIEW
from huiyin_checklist_regulatory.schemas import ActionForm, CloseForm, DoneForm, RetestForm
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.shared import asked, attempt, fields_of, home, one_upload, show
from huiyin_checklist_regulatory.views import ItemView

_UPLOAD = evidence.LARGEST + 64 * 1024


class FindingsController(Controller):
    path = "/findings"

    @page("/", name="checklist_regulatory:findings", permission=READ)
    def findings(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        state, severity = asked(desk, "state"), asked(desk, "severity")
        found = queries.findings(ctx, state=state, severity=severity, after=asked(desk, "after"))
        shown = found[: queries.PAGE]
        more = queries.finding_key(shown[-1]) if len(found) > queries.PAGE else ""
        return show(
            desk, "findings.html", findings=shown, counts=queries.action_counts(ctx, shown),
            more=more, today=today(), state=state, severity=severity,
        )  # fmt: skip

    @page("/{finding_id:uuid}", name="checklist_regulatory:finding", permission=READ)
    def finding(self, desk: NamedDependency[Desk], finding_id: FromPath[UUID]) -> Response[Any]:
        return finding_page(desk, finding_id, Form())

    @action("/{finding_id:uuid}/actions", name="checklist_regulatory:plan", permission=REVIEW)
    def plan(
        self, desk: NamedDependency[Desk], finding_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            findings.plan(ctx, finding_id, parse(ActionForm, data), str(data.get("_key", "")))
            return desk.redirect(home(desk, f"/findings/{finding_id}"), N_("整改已安排"))

        return _attempt(desk, finding_id, data, act)

    @action("/{finding_id:uuid}/close", name="checklist_regulatory:close", permission=REVIEW)
    def close(
        self, desk: NamedDependency[Desk], finding_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            findings.close(ctx, finding_id, parse(CloseForm, data))
            return desk.redirect(home(desk, f"/findings/{finding_id}"), N_("问题已关闭"))

        return _attempt(desk, finding_id, data, act)

    @action("/{finding_id:uuid}/reopen", name="checklist_regulatory:reopen", permission=REVIEW)
    def reopen(
        self, desk: NamedDependency[Desk], finding_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            findings.reopen(ctx, finding_id, parse(CloseForm, data))
            return desk.redirect(home(desk, f"/findings/{finding_id}"), N_("问题已重开"))

        return _attempt(desk, finding_id, data, act)


class ActionsController(Controller):
    path = "/actions/{action_id:uuid}"

    @action("/done", name="checklist_regulatory:done", permission=ACT)
    def done(
        self, desk: NamedDependency[Desk], action_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            found = findings.finish(ctx, action_id, parse(DoneForm, data))
            where = home(desk, f"/findings/{found.finding_id}")
            return desk.redirect(where, N_("完成情况已登记，等待其他同事复测"))

        return _attempt_action(desk, action_id, data, act)

    @action("/test", name="checklist_regulatory:test", permission=ACT)
    def test(
        self, desk: NamedDependency[Desk], action_id: FromPath[UUID], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            found = findings.test(ctx, action_id, parse(RetestForm, data))
            return desk.redirect(home(desk, f"/findings/{found.finding_id}"), N_("复测结果已保存"))

        return _attempt_action(desk, action_id, data, act)

    @action("/file", name="checklist_regulatory:action_file", permission=ACT, limit=_UPLOAD)
    def file(
        self, desk: NamedDependency[Desk], action_id: FromPath[UUID], data: UploadData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            name, stream = one_upload(data, N_("请选择文件"))
            found = findings.own_action(ctx, action_id)
            evidence.add_file(ctx, found, name, stream)
            return desk.redirect(home(desk, f"/findings/{found.finding_id}"), N_("证据已保存"))

        return _attempt_action(desk, action_id, fields_of(data), act)


def _attempt(desk: Desk, finding_id: UUID, data: dict[str, Any], act: Any) -> Response[Any]:
    def again(form: Form, code: int) -> Response[Any]:
        return finding_page(desk, finding_id, form, code)

    return attempt(desk, data, act, again)


def _attempt_action(desk: Desk, action_id: UUID, data: dict[str, Any], act: Any) -> Response[Any]:
    finding, _ = findings.action(context_of(desk), action_id)
    return _attempt(desk, finding.id, {**data, "action_id": str(action_id)}, act)


def finding_page(desk: Desk, finding_id: UUID, form: Form, status: int = 200) -> Response[Any]:
    ctx = context_of(desk)
    finding = findings.find(ctx, finding_id)
    run = runs.find(ctx, finding.run_id)
    row = runs.item_by_id(ctx, finding.run_item_id)
    view = ItemView.of_content(row.content, desk.language)
    standing = runs.standing_now(ctx, run, row, view)
    done = findings.actions(ctx, finding_id)
    files = evidence.of_actions(ctx, [a.id for a in done])
    return show(
        desk, "finding.html", status=status, finding=finding, run=run, row=row, view=view,
        standing=standing, verdict=runs.verdict_of(run, row, view, standing), form=form,
        actions=done,
        files={a.id: [f for f in files if f.action_id == a.id] for a in done},
        tests={a.id: findings.may_test(ctx, finding, a) for a in done},
        may_close=findings.may_close(ctx, finding, done), causes=causes(), today=today(),
        people=findings.doers(colleagues(ctx.session)), full=ctx.actor.can(evidence.READS_CASES),
        days=ctx.settings(ChecklistRegulatorySettings).action_days,
    )  # fmt: skip
