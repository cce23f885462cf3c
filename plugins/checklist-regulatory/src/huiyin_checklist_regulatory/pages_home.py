"""The first page: the strip, what waits for the reader, the latest runs and findings."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, context_of, page, today
from huiyin_checklist_regulatory import queries, sections
from huiyin_checklist_regulatory.permissions import READ
from huiyin_checklist_regulatory.shared import show

LATEST = 5


class HomeController(Controller):
    @page("/", name="checklist_regulatory:index", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        cells = sections.strip(ctx)
        latest = queries.runs(ctx, n=LATEST)[:LATEST]
        found = queries.findings(ctx, state="open", n=LATEST)[:LATEST]
        return show(
            desk, "index.html", cells=cells, tally=sections.tally(cells), runs=latest,
            progress=queries.progress(ctx, latest), findings=found,
            counts=queries.action_counts(ctx, found), my_items=queries.my_items(ctx),
            my_actions=queries.my_actions(ctx), to_test=queries.to_test(ctx),
            to_review=queries.to_review(ctx), today=today(),
        )  # fmt: skip
