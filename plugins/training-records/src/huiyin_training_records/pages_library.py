"""The library of regulations."""

from __future__ import annotations

import uuid
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
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
    colleagues,
    context_of,
    defaults,
    page,
    parse,
)
from huiyin_training_records import library, linking, seeding
from huiyin_training_records.library_models import Edition, Instrument
from huiyin_training_records.schemas import (
    EditionForm,
    InstrumentForm,
    LinkForm,
    NotesForm,
    TickForm,
)
from huiyin_training_records.shared import attempt, home, rev_of, show
from huiyin_training_records.terms import (
    CONFIDENCE_TITLES,
    FORCE_TITLES,
    LEARN,
    MANAGE,
    SCOPE_TITLES,
    STATUS_TITLES,
    VERIFY,
)

WORDS: Final[dict[str, Any]] = {
    "forces": FORCE_TITLES,
    "scopes": SCOPE_TITLES,
    "confidences": CONFIDENCE_TITLES,
    "statuses": STATUS_TITLES,
}
_FIELDS = frozenset(msgspec.structs.fields(InstrumentForm)[n].name for n in range(5))


class LibraryController(Controller):
    path = "/library"

    @page("/", name="training_records:library", permission=LEARN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, asked = context_of(desk), desk.request.query_params
        chosen = {name: asked.get(name, "")[:60] for name in ("q", "force", "scope", "state")}
        rows = library.search(
            ctx, words=chosen["q"], force=chosen["force"], scope=chosen["scope"],
            state=chosen["state"], after=asked.get("after", "")[:20],
        )  # fmt: skip
        more = ""
        if len(rows) > library.PAGE:
            last = rows[library.PAGE - 1].instrument.key
            more = "?" + urlencode({**{k: v for k, v in chosen.items() if v}, "after": last})
        every, ticked = library.tally(ctx)
        return show(
            desk, "library.html", rows=rows[: library.PAGE], more=more, chosen=chosen,
            every=every, ticked=ticked, **WORDS,
        )  # fmt: skip

    @action("/load", name="training_records:library_load", permission=MANAGE)
    def load(
        self,
        desk: NamedDependency[Desk],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:
        seeding.sow(context_of(desk))
        return desk.redirect(home(desk, "/library"), N_("法规资料已载入，核对前均标为待核实"))

    @page("/new", name="training_records:instrument_new", permission=MANAGE)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _new(desk, Form(), 200)

    @action("/new", name="training_records:instrument_create", permission=MANAGE)
    def create(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            first = {k: v for k, v in data.items() if k in _FIELDS or k.startswith("_")}
            rest = {k: v for k, v in data.items() if k not in _FIELDS}
            made = library.enter(ctx, parse(InstrumentForm, first), parse(EditionForm, rest))
            return f"/library/{made.key}"

        return attempt(
            desk, data, do, N_("文件已录入，核对前标为待核实"),
            lambda form, status: _new(desk, form, status),
        )  # fmt: skip

    @page("/{key:str}", name="training_records:instrument", permission=LEARN)
    def show_one(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
        return _instrument(desk, key, Form(), 200)

    @action("/{key:str}/notes", name="training_records:notes", permission=MANAGE)
    def notes(
        self, desk: NamedDependency[Desk], key: FromPath[str], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            library.note(ctx, library.find(ctx, key), parse(NotesForm, data))
            return f"/library/{key}"

        return _tried(desk, key, data, do, N_("备注已保存"))

    @action("/{key:str}/link", name="training_records:link", permission="case.read")
    def link(
        self, desk: NamedDependency[Desk], key: FromPath[str], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            linking.link(ctx, library.find(ctx, key), parse(LinkForm, data))
            return f"/library/{key}"

        return _tried(desk, key, data, do, N_("已关联案件"))


class EditionController(Controller):
    path = "/library/{key:str}/editions"

    @page("/new", name="training_records:edition_new", permission=MANAGE)
    def new(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
        return _edition(desk, key, None, defaults(EditionForm), 200)

    @action("/new", name="training_records:edition_create", permission=MANAGE)
    def create(
        self, desk: NamedDependency[Desk], key: FromPath[str], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            library.add_edition(ctx, library.find(ctx, key), parse(EditionForm, data))
            return f"/library/{key}"

        return attempt(
            desk, data, do, N_("版本已添加，核对前标为待核实"),
            lambda form, status: _edition(desk, key, None, form, status),
        )  # fmt: skip

    @page("/{edition:uuid}/edit", name="training_records:edition_edit", permission=MANAGE)
    def edit(
        self, desk: NamedDependency[Desk], key: FromPath[str], edition: FromPath[uuid.UUID]
    ) -> Response[Any]:
        ctx = context_of(desk)
        instrument = library.find(ctx, key)
        row = library.edition_of(ctx, instrument, edition)
        return _edition(desk, key, row, _filled(ctx, instrument, row), 200)

    @action("/{edition:uuid}/edit", name="training_records:edition_change", permission=MANAGE)
    def change(
        self, desk: NamedDependency[Desk], key: FromPath[str], edition: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        def find(ctx: TenantContext) -> Edition:
            return library.edition_of(ctx, library.find(ctx, key), edition)

        def do(ctx: TenantContext) -> str:
            form = parse(EditionForm, data)
            library.change_edition(ctx, library.find(ctx, key), find(ctx), form, rev_of(data))
            return f"/library/{key}"

        def again(form: Form, status: int) -> Response[Any]:
            ctx = context_of(desk)
            row = find(ctx)
            if row.rev != rev_of(data):
                form.beside(_filled(ctx, library.find(ctx, key), row))
            return _edition(desk, key, row, form, status)

        return attempt(desk, data, do, N_("版本已保存，须重新核对"), again)

    @action("/{edition:uuid}/tick", name="training_records:tick", permission=VERIFY)
    def tick(
        self, desk: NamedDependency[Desk], key: FromPath[str], edition: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        def do(ctx: TenantContext) -> str:
            instrument = library.find(ctx, key)
            row = library.edition_of(ctx, instrument, edition)
            library.tick(ctx, instrument, row, parse(TickForm, data))
            return f"/library/{key}"

        return _tried(desk, key, data, do, N_("已记为核对无误"))

    @action("/{edition:uuid}/untick", name="training_records:untick", permission=VERIFY)
    def untick(
        self, desk: NamedDependency[Desk], key: FromPath[str], edition: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        instrument = library.find(ctx, key)
        library.untick(ctx, instrument, library.edition_of(ctx, instrument, edition))
        return desk.redirect(home(desk, f"/library/{key}"), N_("已改回待核实"))


def _tried(desk: Desk, key: str, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _instrument(desk, key, form, status))


def _filled(ctx: TenantContext, instrument: Instrument, row: Edition) -> Form:
    shown = next(s for s in library.editions(ctx, instrument) if s.edition is row)
    known = {
        field.name: getattr(row, field.name)
        for field in msgspec.structs.fields(EditionForm)
        if field.name != "articles"
    }
    return defaults(EditionForm, **known, articles=library.typed_articles(shown.articles))


def _new(desk: Desk, form: Form, status: int) -> Response[Any]:
    return show(desk, "instrument_form.html", status=status, form=form, **WORDS)


def _instrument(desk: Desk, key: str, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    instrument = library.find(ctx, key)
    return show(
        desk, "instrument.html", status=status, form=form, instrument=instrument,
        editions=library.editions(ctx, instrument), links=linking.links_of(ctx, instrument),
        names={person.id: person.name for person in colleagues(ctx.session, former=True)},
        may_verify=desk.actor.can(VERIFY), may_link=desk.actor.can("case.read"),
        notes_mark=library.mark(instrument.notes), **WORDS,
    )  # fmt: skip


def _edition(desk: Desk, key: str, row: Edition | None, form: Form, status: int) -> Response[Any]:
    instrument = library.find(context_of(desk), key)
    return show(
        desk, "edition_form.html", status=status, form=form, instrument=instrument, edition=row,
        **WORDS,
    )  # fmt: skip
