"""Pages of the packs: what there is, what it says, bringing in, taking into use, vouching."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    XLSX,
    Desk,
    Form,
    FormData,
    NotFound,
    TenantContext,
    UploadData,
    action,
    context_of,
    local_date,
    page,
    parse,
)
from huiyin_checklist_regulatory import library, packfile, packs, packtable, report
from huiyin_checklist_regulatory.packfile import MOST_BYTES, Pack
from huiyin_checklist_regulatory.packs import Shelf
from huiyin_checklist_regulatory.permissions import PACKS, READ, VOUCH
from huiyin_checklist_regulatory.schemas import VouchForm
from huiyin_checklist_regulatory.shared import attempt, home, one_upload, show
from huiyin_checklist_regulatory.standing import standing_of
from huiyin_checklist_regulatory.views import ItemView, item_applies, why

_ROOM = 64 * 1024  # a form around its file


class PacksController(Controller):
    path = "/packs"

    @page("/", name="checklist_regulatory:packs", permission=READ)
    def packs(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        unanswered = len(library.facts()) - len(packs.answers(ctx))
        return show(desk, "packs.html", shelves=packs.shelves(ctx), unanswered=unanswered)

    @page("/{pack_id:str}", name="checklist_regulatory:pack", permission=READ)
    def pack(self, desk: NamedDependency[Desk], pack_id: FromPath[str]) -> Response[Any]:
        return _pack_page(desk, pack_id, Form())

    @page("/{pack_id:str}/export", name="checklist_regulatory:pack_export", permission=READ)
    def export(self, desk: NamedDependency[Desk], pack_id: FromPath[str]) -> Response[Any]:
        """The pack in force as JSON, with what this firm vouches for beside it."""
        ctx = context_of(desk)
        pack = packs.shelf(ctx, pack_id).shown
        content = msgspec.json.format(msgspec.json.encode(_exported(ctx, pack)), indent=2)
        return desk.file(content, f"{pack_id}-{pack.version}.json", "application/json")

    @page("/{pack_id:str}/diff/{version:str}", name="checklist_regulatory:diff", permission=READ)
    def diff(
        self, desk: NamedDependency[Desk], pack_id: FromPath[str], version: FromPath[str]
    ) -> Response[Any]:
        ctx = context_of(desk)
        shelf = packs.shelf(ctx, pack_id)
        new = packs.known_version(ctx, pack_id, version)
        if shelf.current is None:
            raise NotFound
        old = packs.pack_of(shelf.current)
        changes = [
            (
                change,
                ItemView.of_pack(old, change.old, desk.language) if change.old else None,
                ItemView.of_pack(new, change.new, desk.language) if change.new else None,
            )
            for change in packs.difference(old, new)
        ]
        return show(desk, "diff.html", old=old, new=new, changes=changes, form=Form())

    @action("/{pack_id:str}/adopt", name="checklist_regulatory:adopt", permission=PACKS)
    def adopt(
        self, desk: NamedDependency[Desk], pack_id: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            packs.adopt(ctx, pack_id, str(data.get("version", ""))[:40])
            return desk.redirect(home(desk, f"/packs/{pack_id}"), N_("已启用，新的自查用这个版本"))

        return attempt(desk, data, act, lambda form, code: _pack_page(desk, pack_id, form, code))

    @action(
        "/{pack_id:str}/items/{item_id:str}/vouch", name="checklist_regulatory:vouch",
        permission=VOUCH,
    )  # fmt: skip
    def vouch(
        self,
        desk: NamedDependency[Desk],
        pack_id: FromPath[str],
        item_id: FromPath[str],
        data: FormData,
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            packs.vouch(ctx, pack_id, item_id, parse(VouchForm, data))
            return desk.redirect(home(desk, f"/packs/{pack_id}#item-{item_id}"), N_("已登记"))

        def again(form: Form, code: int) -> Response[Any]:
            return _pack_page(desk, pack_id, form, code, item_id)

        return attempt(desk, data, act, again)

    @action("/vouches/{vouch_id:uuid}/revoke", name="checklist_regulatory:revoke", permission=VOUCH)
    def revoke(
        self,
        desk: NamedDependency[Desk],
        vouch_id: FromPath[UUID],
        data: FormData,  # noqa: ARG002 - it carries the form token, and no words
    ) -> Response[Any]:
        row = packs.revoke(context_of(desk), vouch_id)
        return desk.redirect(
            home(desk, f"/packs/{row.pack_id}#item-{row.item_id}"), N_("已撤销登记")
        )


def _exported(ctx: TenantContext, pack: Pack) -> dict[str, Any]:
    vouched, imported = packs.vouches(ctx, pack.pack_id), packs.is_imported(pack.pack_id)
    held = {
        item.item_id: standing_of(
            item, vouched.get(packfile.item_hash(pack, item), ()), imported=imported
        ).as_json()
        for item in pack.items
    }
    return {"pack": msgspec.to_builtins(pack), "sha256": pack.hash(), "standing": held}


def _pack_page(
    desk: Desk, pack_id: str, form: Form, status: int = 200, at_item: str = ""
) -> Response[Any]:
    ctx = context_of(desk)
    shelf: Shelf = packs.shelf(ctx, pack_id)
    pack, language = shelf.shown, desk.language
    known, vouched = packs.answers(ctx), packs.vouches(ctx, pack_id)
    lines = []
    for item in pack.items:
        there = vouched.get(packfile.item_hash(pack, item), [])
        concerns, reasons = item_applies(pack, item, known)
        view = ItemView.of_pack(pack, item, language)
        held = standing_of(item, there, imported=shelf.imported)
        lines.append((view, held, there, concerns, why(reasons, language)))
    return show(
        desk, "pack.html", status=status, shelf=shelf, pack=pack, lines=lines, form=form,
        at_item=at_item, today=local_date(ctx.now()),
    )  # fmt: skip


class FactsController(Controller):
    path = "/facts"

    @page("/", name="checklist_regulatory:facts", permission=READ)
    def facts(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _facts_page(desk, Form())

    @action("/", name="checklist_regulatory:answer_facts", permission=PACKS)
    def answer(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        given = {
            k: str(v[-1] if isinstance(v, list) else v)[:10]
            for k, v in data.items()
            if not k.startswith("_")
        }

        def act(ctx: TenantContext) -> Response[Any]:
            packs.answer_facts(ctx, given, seen=_seen(data.get("_seen")))
            return desk.redirect(home(desk, "/facts"), N_("已保存，新的自查按这些事实判断是否适用"))

        return attempt(desk, data, act, lambda form, code: _facts_page(desk, form, code))


def _facts_page(desk: Desk, form: Form, status: int = 200) -> Response[Any]:
    rows = packs.fact_rows(context_of(desk))
    if not form.values:
        form.values = {key: "yes" if row.value else "no" for key, row in rows.items()}
    seen = max((row.at for row in rows.values()), default=None)
    return show(
        desk, "facts.html", status=status, facts=library.facts().values(), rows=rows, form=form,
        seen=seen.isoformat() if seen else "",
    )  # fmt: skip


def _seen(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class ImportsController(Controller):
    path = "/imports"

    @page("/", name="checklist_regulatory:imports", permission=PACKS)
    def imports(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _imports_page(desk, Form())

    @action("/", name="checklist_regulatory:import", permission=PACKS, limit=MOST_BYTES + 1 + _ROOM)
    def bring_in(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            name, stream = one_upload(data, N_("请选择清单包文件"))
            entry = packs.bring_in(ctx, stream.read(MOST_BYTES + 1), name)
            if not entry.accepted:
                said = Form(
                    {}, {}, desk._(N_("文件没有导入，什么也没有改变；请按下列说明改正后重新上传"))
                )
                return _imports_page(desk, said, 422, entry)
            where = home(desk, f"/packs/{entry.pack_id}")
            return desk.redirect(where, N_("已导入，请另一位同事核对后启用"))

        return attempt(desk, data, act, lambda form, code: _imports_page(desk, form, code))

    @page("/sample", name="checklist_regulatory:pack_sample", permission=PACKS)
    def sample(self, desk: NamedDependency[Desk]) -> Response[Any]:
        pack = library.shipped()["cn-pfm-self"]
        return desk.file(packtable.sample(pack), "pack-sample.xlsx", XLSX)

    @page("/{import_id:uuid}/faults", name="checklist_regulatory:faults", permission=PACKS)
    def faults(self, desk: NamedDependency[Desk], import_id: FromPath[UUID]) -> Response[Any]:
        ctx = context_of(desk)
        entry = packs.import_of(ctx, import_id)
        if entry.accepted:
            raise NotFound
        return desk.file(report.fault_sheet(ctx, entry.faults), f"{entry.file_name}.xlsx", XLSX)


def _imports_page(desk: Desk, form: Form, status: int = 200, refused: Any = None) -> Response[Any]:
    ctx = context_of(desk)
    faults = [(f, packs.fault_message(f)) for f in refused.faults] if refused else []
    return show(
        desk, "imports.html", status=status, form=form, refused=refused, faults=faults,
        entries=packs.imports(ctx),
    )  # fmt: skip
