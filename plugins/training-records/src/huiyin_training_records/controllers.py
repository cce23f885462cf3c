"""Pages of this plugin; wiring only."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, context_of, page
from huiyin_training_records.settings import TrainingRecordsSettings


class TrainingRecordsController(Controller):
    @page("/", name="training_records:index", permission="case.read")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desk.page(
            "training_records/index.html", days=ctx.settings(TrainingRecordsSettings).days
        )
