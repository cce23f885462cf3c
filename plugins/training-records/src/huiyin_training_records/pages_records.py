"""Coverage, records and imports as managers and readers see them."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.sdk import (
    CSV,
    N_,
    XLSX,
    Conflict,
    Desk,
    Form,
    FormData,
    TenantContext,
    UploadData,
    action,
    context_of,
    defaults,
    page,
    parse,
    write_csv,
    write_xlsx,
)
from huiyin_training_records import assigning, certificates, coverage, imports, quiz, records
from huiyin_training_records.models import Course
from huiyin_training_records.schemas import ReasonForm, RecogniseForm
from huiyin_training_records.shared import (
    BODY,
    attempt,
    home,
    key_of,
    people_of,
    show,
    told,
    upload_of,
    without_file,
)
from huiyin_training_records.terms import COVERAGE, MANAGE, READ, ROLE_TITLES

GAPS = 100


class CoverageController(Controller):
    path = "/manage"

    @page("/", name="training_records:coverage", permission=COVERAGE)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Persons are named to those who read records; others see posts."""
        ctx = context_of(desk)
        found = coverage.on(ctx, assigning.today_of(ctx))
        return show(desk, "coverage.html", found=found, gaps=found.gaps[:GAPS], roles=ROLE_TITLES)

    @page("/export", name="training_records:coverage_file", permission=READ)
    def export(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found = coverage.on(ctx, assigning.today_of(ctx))
        file = write_xlsx(coverage.sheets(ctx, found))
        ctx.record(
            "coverage_exported",
            ctx.actor.id,
            {"day": found.day.isoformat(), "rows": len(found.gaps)},
        )
        return desk.file(file, f"{desk._(N_('培训覆盖'))}-{found.day}.xlsx", XLSX)

    @action("/remind", name="training_records:remind", permission=MANAGE)
    def remind(
        self,
        desk: NamedDependency[Desk],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:
        ctx = context_of(desk)
        n = assigning.assign_by_post(ctx)
        told_now = assigning.remind(ctx)
        ctx.record("reminded", ctx.actor.id, {"assigned": n, "reminded": told_now})
        return desk.redirect(home(desk, "/manage"), N_("已补派缺口并提醒临期和逾期人员"))


class RecordsController(Controller):
    path = "/manage/records"

    @page("/", name="training_records:records", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        person, course = key_of(desk, "person"), key_of(desk, "course")
        rows = records.listing(
            ctx, account_id=person, course_id=course, after=key_of(desk, "after")
        )
        query = "".join(f"&{k}={v}" for k, v in (("person", person), ("course", course)) if v)
        more = len(rows) > records.PAGE
        return show(
            desk, "records.html", rows=rows[: records.PAGE], person=str(person or ""),
            course=str(course or ""), people=people_of(ctx), courses=_courses(ctx), query=query,
            more=f"?after={rows[records.PAGE - 1].id}{query}" if more else "",
        )  # fmt: skip

    @page("/export", name="training_records:records_file", permission=READ)
    def export(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        rows = records.listing(
            ctx, account_id=key_of(desk, "person"), course_id=key_of(desk, "course"),
            most=records.MOST,
        )  # fmt: skip
        heading, lines = records.sheet(ctx, rows)
        name = f"{desk._(N_('培训记录'))}-{assigning.today_of(ctx)}"
        ctx.record("records_exported", ctx.actor.id, {"rows": len(rows)})
        if desk.request.query_params.get("as") == "csv":
            return desk.file(write_csv(heading, lines), f"{name}.csv", CSV)
        file = write_xlsx({desk._(N_("培训记录")): (heading, lines)})
        return desk.file(file, f"{name}.xlsx", XLSX)

    @page("/new", name="training_records:recognise_page", permission=MANAGE)
    def recognise_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _recognise(desk, defaults(RecogniseForm), 200)

    @action("/new", name="training_records:recognise", permission=MANAGE)
    def recognise(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            return f"/manage/records/{records.recognise(ctx, parse(RecogniseForm, data)).id}"

        return attempt(
            desk, data, do, N_("已认定，证书已生成"),
            lambda form, status: _recognise(desk, form, status),
        )  # fmt: skip

    @page("/{key:uuid}", name="training_records:record", permission=READ)
    def show_one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _record(desk, key, Form(), 200)

    @action("/{key:uuid}/cancel", name="training_records:cancel", permission=MANAGE)
    def cancel(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            row = records.find(ctx, key, lock=True)
            records.cancel(ctx, row, parse(ReasonForm, data).reason)
            return f"/manage/records/{key}"

        return _tried(desk, key, {**data, "at": "cancel"}, do, N_("培训已取消"))

    @action("/{key:uuid}/withdraw", name="training_records:withdraw", permission=MANAGE)
    def withdraw(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            row = records.find(ctx, key, lock=True)
            records.withdraw(ctx, row, parse(ReasonForm, data).reason)
            return f"/manage/records/{key}"

        return _tried(desk, key, {**data, "at": "withdraw"}, do, N_("导入的记录已撤回"))

    @action("/{key:uuid}/revoke", name="training_records:revoke", permission=MANAGE)
    def revoke(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            row = records.find(ctx, key, lock=True)
            found = certificates.of(ctx.session, row.id)
            if found is None:
                raise Conflict(N_("这项培训没有证书"))
            certificates.revoke(ctx, found, parse(ReasonForm, data).reason)
            return f"/manage/records/{key}"

        return _tried(desk, key, {**data, "at": "revoke"}, do, N_("证书已撤销"))

    @action("/{key:uuid}/grant", name="training_records:grant", permission=MANAGE)
    def grant(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        row = records.find(ctx, key, lock=True)
        return told(
            desk, lambda: records.grant_attempt(ctx, row), f"/manage/records/{key}",
            N_("已增加一次测验"),
        )  # fmt: skip


class ImportsController(Controller):
    path = "/manage/imports"

    @page("/", name="training_records:imports", permission=MANAGE)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _imports(desk, Form(), 200)

    @action("/", name="training_records:import_begin", permission=MANAGE, limit=BODY)
    def begin(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            return f"/manage/imports/{imports.begin(ctx, upload_of(data)).id}"

        return attempt(
            desk, without_file(data), do, N_("文件已收到，正在逐行核对"),
            lambda form, status: _imports(desk, form, status),
        )  # fmt: skip

    @page("/template", name="training_records:import_template", permission=MANAGE)
    def template(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.file(imports.template(), f"{desk._(N_('培训记录'))}.xlsx", XLSX)

    @page("/{key:uuid}", name="training_records:import", permission=MANAGE)
    def show_one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = imports.find(ctx.session, key)
        answer = show(
            desk, "import.html", run=run, wrong=imports.wrong_rows(ctx, run),
            states=imports.STATES, columns=(*imports.COLUMNS, *imports.OPTIONAL),
        )  # fmt: skip
        if run.state in {"checking", "applying"}:
            answer.headers["Refresh"] = "3"
        return answer

    @page("/{key:uuid}/errors", name="training_records:import_errors", permission=MANAGE)
    def errors(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = imports.find(ctx.session, key)
        file = imports.error_file(ctx, run)
        ctx.record("import_errors_read", run.id, {"rows": run.wrong})
        return desk.file(file, f"{desk._(N_('错误行'))}.xlsx", XLSX)

    @action("/{key:uuid}/confirm", name="training_records:import_confirm", permission=MANAGE)
    def confirm(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        run = imports.find(ctx.session, key, lock=True)
        return told(
            desk, lambda: imports.confirm(ctx, run), f"/manage/imports/{key}",
            N_("正在导入，可以离开本页"),
        )  # fmt: skip


def _courses(ctx: TenantContext) -> list[tuple[str, str]]:
    rows = ctx.session.execute(
        select(Course.id, Course.code, Course.title).where(~Course.retired).order_by(Course.code)
    )
    return [(str(key), f"{code} {title}") for key, code, title in rows]


def _recognise(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    people = [(str(p.id), p.name) for p in people_of(ctx) if p.id != ctx.actor.id]
    return show(
        desk, "recognise.html", status=status, form=form, people=people, courses=_courses(ctx)
    )


def _record(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    found = records.whole(ctx, key)
    return show(
        desk, "record.html", status=status, form=form, found=found,
        attempts=quiz.attempts_of(ctx, key), is_own=found.assignment.account_id == ctx.actor.id,
    )  # fmt: skip


def _tried(desk: Desk, key: uuid.UUID, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _record(desk, key, form, status))


def _imports(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    runs = imports.listing(ctx, key_of(desk, "after"))
    more = len(runs) > imports.SHOWN
    return show(
        desk, "imports.html", status=status, form=form, runs=runs[: imports.SHOWN],
        states=imports.STATES, columns=(*imports.COLUMNS, *imports.OPTIONAL),
        more=f"?after={runs[imports.SHOWN - 1].id}" if more else "",
    )  # fmt: skip
