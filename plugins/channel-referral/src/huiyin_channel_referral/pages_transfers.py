"""The register of letters of transfer, and one letter with its answer."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    CSV,
    N_,
    XLSX,
    Desk,
    Form,
    FormData,
    Source,
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
from huiyin_channel_referral import extending, matters, register, sheets, transfers
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.register import STATES, Found, Wanted
from huiyin_channel_referral.schemas import DraftForm, ExtendForm, ReplyForm, TransferForm
from huiyin_channel_referral.shared import (
    BODY,
    address,
    attempt,
    files_of_form,
    home,
    names_of,
    one_of,
    rev_of,
    show,
    without_files,
)
from huiyin_channel_referral.terms import READ, REGISTER, REPLY


class HomeController(Controller):
    path = "/"

    @page("/", name="channel_referral:home", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.redirect(home(desk, "/transfers"))


class TransfersController(Controller):
    path = "/transfers"

    @page("/", name="channel_referral:transfers", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, wanted = context_of(desk), _wanted(desk)
        found = register.listing(ctx, wanted)
        rows = found[: register.PAGE]
        asked = {"state": wanted.state, "source": wanted.source, "q": wanted.words}
        more = address(**asked, after=register.after_of(rows[-1])) if len(found) > len(rows) else ""
        return show(
            desk, "transfers.html", rows=rows, wanted=wanted, states=STATES, more=more,
            counts=register.counts(ctx, "owed", "soon", "late", "replied"),
            query=address(**asked).removeprefix("?"), soon_until=register.soon_until(ctx),
        )  # fmt: skip

    @page("/export", name="channel_referral:transfers_file", permission=READ)
    def export(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found = register.listing(ctx, _wanted(desk), most=sheets.MOST + 1)
        heading, lines = sheets.transfers(ctx, found, names_of(ctx))
        ctx.record("transfers_exported", ctx.actor.id, {"rows": len(found)})
        return file_of(desk, ctx, N_("转办台账"), heading, lines)

    @page("/new", name="channel_referral:transfer_new", permission=REGISTER)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        query = desk.request.query_params
        form = defaults(TransferForm, case=query.get("case", "")[:40])
        form.values["received_at"] = today_of(context_of(desk)).isoformat()
        return show(desk, "transfer_form.html", form=form)

    @action("/new", name="channel_referral:transfer_take", permission=REGISTER, limit=BODY)
    def take(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        typed = without_files(data)

        def do(ctx: TenantContext) -> str:
            form, key = parse(TransferForm, typed), matters.key_of(data.get("_key"))
            return f"/transfers/{transfers.take(ctx, form, key, files_of_form(data)).id}"

        def again(form: Form, status: int) -> Response[Any]:
            same = _same(desk, form)
            return show(desk, "transfer_form.html", status=status, form=form, same=same)

        return attempt(desk, typed, do, N_("转办函已登记，期限开始计时"), again)

    @page("/{key:uuid}", name="channel_referral:transfer", permission=READ)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _one(desk, key, Form(), 200)

    @action("/{key:uuid}/scans", name="channel_referral:scans", permission=REGISTER, limit=BODY)
    def scans(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            found = register.find(ctx, key, lock=True)
            transfers.add_scans(ctx, found, files_of_form(data, "scans"))
            return f"/transfers/{key}"

        return _tried(desk, key, without_files(data), do, N_("扫描件已存入案件证据"))

    @action("/{key:uuid}/draft", name="channel_referral:draft", permission=REPLY)
    def draft(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            found = register.find(ctx, key, lock=True)
            transfers.draft(ctx, found, parse(DraftForm, data), rev_of(data))
            return f"/transfers/{key}"

        return _tried(desk, key, data, do, N_("回复稿已保存"))

    @action("/{key:uuid}/reply", name="channel_referral:reply", permission=REPLY, limit=BODY)
    def reply(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        typed = without_files(data)

        def do(ctx: TenantContext) -> str:
            found = register.find(ctx, key, lock=True)
            form = parse(ReplyForm, typed)
            transfers.reply(ctx, found, form, rev_of(data), files_of_form(data))
            return f"/transfers/{key}"

        return _tried(desk, key, typed, do, N_("回复已登记，这份转办函停止计时"))

    @action("/{key:uuid}/extend", name="channel_referral:extend", permission=REGISTER, limit=BODY)
    def extend(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        typed = without_files(data)

        def do(ctx: TenantContext) -> str:
            found, form = register.find(ctx, key, lock=True), parse(ExtendForm, typed)
            files = files_of_form(data, "extension")
            extending.extend(ctx, found, form, rev_of(data), files)
            return f"/transfers/{key}"

        return _tried(desk, key, typed, do, N_("新的期限已登记，这份转办函按新的期限计时"))


def _wanted(desk: Desk) -> Wanted:
    query = desk.request.query_params
    return Wanted(
        state=one_of(desk, "state", STATES),
        source=one_of(desk, "source", {source.value: source for source in Source}),
        words=query.get("q", "").strip()[:100],
        after=query.get("after", ""),
    )


def _same(desk: Desk, form: Form) -> list[Found]:
    """Letters of the same number, to be looked at."""
    try:
        source = Source(str(form.get("source")))
    except ValueError:
        return []
    return list(transfers.duplicates(context_of(desk), source, str(form.get("number")).strip()))


def _one(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    found = register.find(ctx, key)
    if "reply_words" not in form.values:
        form.values["reply_words"] = found.row.draft or found.row.reply_words
        form.values["replied_on"] = (found.row.replied_on or today_of(ctx)).isoformat()
    if "draft" not in form.values:
        form.values["draft"] = found.row.draft
    same = [
        other for other in transfers.duplicates(ctx, Source(found.row.source), found.row.number)
        if other.row.id != key
    ]  # fmt: skip
    return show(
        desk, "transfer.html", status=status, form=form, found=found, names=names_of(ctx),
        same=same, soon_until=register.soon_until(ctx),
    )  # fmt: skip


def _tried(desk: Desk, key: uuid.UUID, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _one(desk, key, form, status))


def file_of(
    desk: Desk, ctx: TenantContext, title: str, heading: list[str], lines: list[Any]
) -> Response[Any]:
    """A register as a file: XLSX, or CSV if that is asked for."""
    name = f"{desk._(title)}-{today_of(ctx)}"
    lines = sheets.told_if_cut(ctx, lines)
    if desk.request.query_params.get("as") == "csv":
        return desk.file(write_csv(heading, lines), f"{name}.csv", CSV)
    return desk.file(write_xlsx({desk._(title): (heading, lines)}), f"{name}.xlsx", XLSX)
