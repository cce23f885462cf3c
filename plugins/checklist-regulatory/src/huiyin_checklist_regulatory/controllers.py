"""Pages of this plugin; wiring only."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, context_of, page
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings


class ChecklistRegulatoryController(Controller):
    @page("/", name="checklist_regulatory:index", permission="case.read")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desk.page(
            "checklist_regulatory/index.html", days=ctx.settings(ChecklistRegulatorySettings).days
        )
