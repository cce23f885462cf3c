"""Pages of this plugin; wiring only."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, context_of, page
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings


class SurveySatisfactionController(Controller):
    @page("/", name="survey_satisfaction:index", permission="case.read")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desk.page(
            "survey_satisfaction/index.html", days=ctx.settings(SurveySatisfactionSettings).days
        )
