"""The register of letters by post and of visits."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    TenantContext,
    UploadData,
    action,
    colleagues,
    context_of,
    defaults,
    page,
    parse,
)
from huiyin_channel_referral import matters, papers, sheets
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.pages_transfers import file_of
from huiyin_channel_referral.schemas import PaperForm
from huiyin_channel_referral.shared import (
    BODY,
    address,
    attempt,
    files_of_form,
    key_in,
    names_of,
    one_of,
    show,
    without_files,
)
from huiyin_channel_referral.terms import LETTER, READ, REGISTER, ROAD_TITLES, VISIT

KINDS = {LETTER: ROAD_TITLES[LETTER], VISIT: ROAD_TITLES[VISIT]}


class PapersController(Controller):
    path = "/papers"

    @page("/", name="channel_referral:papers", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, kind = context_of(desk), one_of(desk, "kind", KINDS)
        found = papers.listing(ctx, kind=kind, after=key_in(desk))
        rows = found[: papers.PAGE]
        more = address(kind=kind, after=str(rows[-1].row.id)) if len(found) > len(rows) else ""
        return show(
            desk, "papers.html", rows=rows, kind=kind, kinds=KINDS, more=more,
            names=names_of(ctx), query=address(kind=kind).removeprefix("?"),
        )  # fmt: skip

    @page("/export", name="channel_referral:papers_file", permission=READ)
    def export(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found = papers.listing(ctx, kind=one_of(desk, "kind", KINDS), most=sheets.MOST + 1)
        heading, lines = sheets.papers(ctx, found, names_of(ctx))
        ctx.record("papers_exported", ctx.actor.id, {"rows": len(found)})
        return file_of(desk, ctx, N_("信函与来访"), heading, lines)

    @page("/new", name="channel_referral:paper_new", permission=REGISTER)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        query = desk.request.query_params
        form = defaults(
            PaperForm, case=query.get("case", "")[:40],
            kind=one_of(desk, "kind", KINDS) or LETTER, received_by=desk.actor.id,
        )  # fmt: skip
        form.values["received_at"] = today_of(context_of(desk)).isoformat()
        return _form(desk, form, 200)

    @action("/new", name="channel_referral:paper_take", permission=REGISTER, limit=BODY)
    def take(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        typed = without_files(data)

        def do(ctx: TenantContext) -> str:
            form, key = parse(PaperForm, typed), matters.key_of(data.get("_key"))
            signed = files_of_form(data, "signature")
            row = papers.take(ctx, form, key, files_of_form(data), signed)
            return f"/papers/{row.id}"

        return attempt(
            desk, typed, do, N_("已登记"), lambda form, status: _form(desk, form, status)
        )

    @page("/{key:uuid}", name="channel_referral:paper", permission=READ)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        return show(desk, "paper.html", line=papers.find(ctx, key), names=names_of(ctx))


def _form(desk: Desk, form: Form, status: int) -> Response[Any]:
    people = [(str(p.id), p.name) for p in colleagues(context_of(desk).session)]
    return show(desk, "paper_form.html", status=status, form=form, people=people, kinds=KINDS)
