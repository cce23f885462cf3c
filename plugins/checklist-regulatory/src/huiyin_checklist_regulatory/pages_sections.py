"""Pages of the twenty sections: the strip, one section with its history, assessing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    NotFound,
    TenantContext,
    action,
    context_of,
    page,
    parse,
    today,
)
from huiyin_checklist_regulatory import evidence, library, live, sections
from huiyin_checklist_regulatory.models import SectionRecord
from huiyin_checklist_regulatory.permissions import ASSESS, READ
from huiyin_checklist_regulatory.schemas import SectionForm
from huiyin_checklist_regulatory.shared import attempt, home, show
from huiyin_checklist_regulatory.terms import SectionState


class SectionsController(Controller):
    path = "/sections"

    @page("/", name="checklist_regulatory:sections", permission=READ)
    def strip(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        cells = sections.strip(ctx)
        records = records_of(ctx, [cell.newest for cell in cells if cell.newest])
        return show(
            desk, "sections.html", cells=cells, tally=sections.tally(cells), records=records,
            past=_past(ctx),
        )  # fmt: skip

    @page("/{no:int}", name="checklist_regulatory:section", permission=READ)
    def section(self, desk: NamedDependency[Desk], no: FromPath[int]) -> Response[Any]:
        return _page(desk, no, Form())

    @action("/{no:int}", name="checklist_regulatory:assess", permission=ASSESS)
    def assess(
        self, desk: NamedDependency[Desk], no: FromPath[int], data: FormData
    ) -> Response[Any]:
        def act(ctx: TenantContext) -> Response[Any]:
            sections.assess(ctx, no, parse(SectionForm, data))
            return desk.redirect(home(desk, f"/sections/{no}"), N_("自评已保存"))

        return attempt(desk, data, act, lambda form, code: _page(desk, no, form, code))


def _past(ctx: TenantContext) -> list[tuple[Any, ...]]:
    """The ends of the last quarters at which anything had been assessed."""
    known = [(end, cells, sections.tally(cells)) for end, cells in sections.past(ctx)]
    return [row for row in known if row[2][SectionState.UNASSESSED] < library.SECTIONS]


def _page(desk: Desk, no: int, form: Form, status: int = 200) -> Response[Any]:
    ctx = context_of(desk)
    cells = sections.strip(ctx)
    cell = next((c for c in cells if c.section.no == no), None)
    if cell is None:
        raise NotFound
    past = sections.history(ctx, no)
    if not form.values:
        form.values = {
            "state": cell.state.value if cell.newest else "", "record_kind": "note",
            "record_on": today().isoformat(),
        }  # fmt: skip
    return show(
        desk, "section.html", status=status, cell=cell, cells=cells, history=past, form=form,
        records=records_of(ctx, past), figures=sections.choices(ctx),
        oldest=sections.oldest(today()), last=library.SECTIONS,
    )  # fmt: skip


def records_of(ctx: TenantContext, rows: Iterable[SectionRecord]) -> dict[Any, str]:
    """What is shown of each record: a case only to those who may know of it; at most one query."""
    rows = list(rows)
    cases = {row.record for row in rows if row.record_kind == "link" and "://" not in row.record}
    known = evidence.known_numbers(ctx, sorted(cases))
    shown: dict[Any, str] = {}
    for row in rows:
        if row.frozen:
            reading = live.reading_of(row.frozen)
            shown[row.id] = f"{ctx.text(reading.title)} {reading.shown} (n={reading.n})"
        elif row.record in cases and row.record not in known:
            shown[row.id] = ctx.text(N_("一件案件"))
        else:
            shown[row.id] = row.record
    return shown
