"""For programs: coverage per post, and one's own trainings."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, api, context_of, parse
from huiyin_training_records import assigning, coverage, records
from huiyin_training_records.schemas import DayForm
from huiyin_training_records.terms import COVERAGE, LEARN

MOST = 200


class ApiController(Controller):
    @api("GET", "/coverage", name="training_records:api_coverage", permission=COVERAGE)
    def cover(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Shares between 0 and 1; ``null`` where nothing is required.  No person is named."""
        ctx = context_of(desk)
        asked = parse(DayForm, dict(desk.request.query_params))
        found = coverage.on(ctx, min(asked.on or assigning.today_of(ctx), assigning.today_of(ctx)))
        return desk.json(
            {
                "on": found.day, "required": found.required, "valid": found.valid,
                "share": found.share,
                "posts": [
                    {"role": c.role, "course": c.course, "required": c.required,
                     "valid": c.valid, "share": c.share}
                    for c in found.courses
                ],
            }
        )  # fmt: skip

    @api("GET", "/assignments", name="training_records:api_assignments", permission=LEARN)
    def assignments(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """The caller's own, the newest first."""
        ctx = context_of(desk)
        mine = records.listing(ctx, account_id=ctx.actor.id, most=MOST)
        return desk.json(
            {
                "assignments": [
                    {"id": r.id, "course": r.course, "standing": r.standing, "origin": r.origin,
                     "due_on": r.line.due_on, "completed_on": r.line.completed_on,
                     "valid_until": r.line.valid_until}
                    for r in mine
                ]
            }
        )  # fmt: skip
