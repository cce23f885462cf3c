"""Bringing in call records: upload, look, confirm."""

from __future__ import annotations

import uuid
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    XLSX,
    Desk,
    Form,
    FormData,
    TenantContext,
    UploadData,
    action,
    context_of,
    page,
)
from huiyin_channel_phone import imports
from huiyin_channel_phone.shared import attempt, key_of, show, told, upload_of, without_file
from huiyin_channel_phone.terms import IMPORT

BODY: Final = imports.LARGEST + 1024 * 1024


class ImportsController(Controller):
    path = "/imports"

    @page("/", name="channel_phone:imports", permission=IMPORT)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _imports(desk, Form({"call_backs": "on"}), 200)

    @action("/", name="channel_phone:import_begin", permission=IMPORT, limit=BODY)
    def begin(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            wanted = data.get("call_backs") == "on"
            return f"/imports/{imports.begin(ctx, upload_of(data), call_backs=wanted).id}"

        return attempt(
            desk, without_file(data), do, N_("文件已收到，正在逐行核对"),
            lambda form, status: _imports(desk, form, status),
        )  # fmt: skip

    @page("/template", name="channel_phone:import_template", permission=IMPORT)
    def template(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.file(imports.template(), f"{desk._(N_('话单'))}.xlsx", XLSX)

    @page("/{key:uuid}", name="channel_phone:import_run", permission=IMPORT)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = imports.find(ctx.session, key)
        answer = show(
            desk, "import.html", run=run, wrong=imports.rows_of(ctx, run, "wrong"),
            good=imports.rows_of(ctx, run, "good", 10), run_states=imports.STATES,
            columns=tuple(imports.COLUMNS),
        )  # fmt: skip
        if run.state in {"checking", "applying"}:
            answer.headers["Refresh"] = "3"
        return answer

    @page("/{key:uuid}/errors", name="channel_phone:import_errors", permission=IMPORT)
    def errors(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        run = imports.find(ctx.session, key)
        file = imports.error_file(ctx, run)
        ctx.record("import_errors_read", run.id, {"rows": run.wrong})
        return desk.file(file, f"{desk._(N_('错误行'))}.xlsx", XLSX)

    @action("/{key:uuid}/confirm", name="channel_phone:import_confirm", permission=IMPORT)
    def confirm(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        run = imports.find(ctx.session, key, lock=True)
        return told(
            desk, lambda: imports.confirm(ctx, run), f"/imports/{key}",
            N_("正在导入，可以离开本页"),
        )  # fmt: skip


def _imports(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx: TenantContext = context_of(desk)
    runs = imports.listing(ctx, key_of(desk, "after"))
    more = f"?after={runs[imports.SHOWN - 1].id}" if len(runs) > imports.SHOWN else ""
    return show(
        desk, "imports.html", status=status, form=form, runs=runs[: imports.SHOWN],
        run_states=imports.STATES, columns=tuple(imports.COLUMNS), more=more,
    )  # fmt: skip
