"""The public commendations, and what programs may ask; wiring only."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import PUBLIC, Desk, api, context_of, page
from huiyin_scoring_incentive import appeals, awards, queries, rounds
from huiyin_scoring_incentive.rights import OWN, SEE
from huiyin_scoring_incentive.shared import after


class CommendationController(Controller):
    path = "/commendations"

    @page("/", name="scoring_incentive:commendations", permission=PUBLIC)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found, more = awards.public(ctx, after=after(desk))
        return desk.page("scoring_incentive/commendations.html", awards=found, more=more)


class ScoreApi(Controller):
    @api("GET", "/me", name="scoring_incentive:api_me", permission=OWN)
    def me(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """The caller's own published scores with their parts, newest first."""
        ctx = context_of(desk)
        found = [appeals.explain(ctx, row.id) for row in queries.own_scores(ctx, limit=4)]
        return desk.json(
            {
                "scores": [
                    {
                        "id": told.score.id, "round": told.round.id, "title": told.round.title,
                        "since": told.round.since, "until": told.round.until,
                        "formula": told.formula.version, "value": told.score.value,
                        "low": told.score.low, "high": told.score.high,
                        "coverage": told.score.coverage, "revision": told.score.revision,
                        "parts": told.parts,
                    }
                    for told in found
                ]
            }
        )  # fmt: skip

    @api("GET", "/rounds", name="scoring_incentive:api_rounds", permission=OWN)
    def rounds(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Rounds, newest first; unpublished ones only for those who see all scores."""
        ctx = context_of(desk)
        found, more = rounds.page(ctx, after=after(desk))
        return desk.json(
            {
                "rounds": [
                    {
                        "id": r.id, "title": r.title, "since": r.since, "until": r.until,
                        "state": r.state, "published_at": r.published_at,
                        "inputs_sha256": r.inputs_hash, "scores_sha256": r.scores_hash,
                    }
                    for r in found
                ],
                "next": more,
            }
        )  # fmt: skip

    @api("GET", "/rounds/{round_id:uuid}", name="scoring_incentive:api_round", permission=SEE)
    def round(self, desk: NamedDependency[Desk], round_id: FromPath[uuid.UUID]) -> Response[Any]:
        """Everybody's score in one round, as it stands; reading it is entered in the ledger."""
        ctx = context_of(desk)
        found, formula = rounds.visible(ctx, round_id)
        rows = rounds.scores_in(ctx, round_id)
        response = desk.json(
            {
                "id": found.id, "title": found.title, "state": found.state,
                "formula": formula.version,
                "scores": [
                    {
                        "subject": r.subject_id, "name": r.subject_name,
                        "department": r.department, "value": r.value, "low": r.low,
                        "high": r.high, "coverage": r.coverage, "revision": r.revision,
                    }
                    for r in rows
                ],
            }
        )  # fmt: skip
        ctx.record("round_read", found.id, {"people": len(rows), "as": "api"})
        return response
