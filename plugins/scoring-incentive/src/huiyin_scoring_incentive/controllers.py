"""Pages of this plugin; wiring only."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, context_of, page
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings


class ScoringIncentiveController(Controller):
    @page("/", name="scoring_incentive:index", permission="case.read")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desk.page(
            "scoring_incentive/index.html", days=ctx.settings(ScoringIncentiveSettings).days
        )
