"""Counting a round, one figure a step, so that progress shows and a stop loses nothing."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from huiyin.sdk import (
    FigureFailed,
    NotFound,
    Period,
    TenantContext,
    colleagues,
)
from huiyin_scoring_incentive import formulas, rounds, scoring
from huiyin_scoring_incentive.models import Formula, Round, RoundInput, Score
from huiyin_scoring_incentive.rights import is_scored


def count(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """One step.  Done twice it does nothing the second time."""
    found = ctx.session.scalars(
        select(Round).where(Round.id == uuid.UUID(payload["round"])).with_for_update()
    ).one_or_none()
    if found is None or found.state != "counting" or found.steps_done != payload["step"]:
        return
    formula = ctx.session.get_one(Formula, (ctx.tenant.id, found.formula_id))
    terms = formulas.body_of(formula).terms
    if found.steps_done < len(terms):
        _measure(ctx, found, terms[found.steps_done].figure)
    else:
        _settle(ctx, found, formula)


def _measure(ctx: TenantContext, found: Round, figure: str) -> None:
    try:
        measured = ctx.figures().measure(figure, Period(found.since, found.until))
    except (NotFound, FigureFailed):
        _stop(ctx, found, figure)
        return
    people = {c.id for c in colleagues(ctx.session) if is_scored(c)}
    ctx.session.add_all(rounds.input_row(found, figure, m) for m in measured if m.subject in people)
    found.steps_done += 1
    ctx.session.flush()
    rounds.go_on(ctx, found)


def _stop(ctx: TenantContext, found: Round, figure: str) -> None:
    """Better no round than one that says nothing of an indicator it promised."""
    found.state, found.stopped_at_figure = "stopped", figure
    ctx.session.flush()
    ctx.record("round_stopped", found.id, {"figure": figure})


def _settle(ctx: TenantContext, found: Round, formula: Formula) -> None:
    """All is measured: work out the scores, freeze them, and say so in the ledger."""
    body = formulas.body_of(formula)
    book = ctx.figures()
    known = {figure.name: figure for figure in book}
    if gone := [term.figure for term in body.terms if term.figure not in known]:
        _stop(ctx, found, gone[0])
        return
    figures = {term.figure: known[term.figure] for term in body.terms}
    rows = ctx.session.scalars(select(RoundInput).where(RoundInput.round_id == found.id)).all()
    inputs: dict[str, dict[uuid.UUID, scoring.Input]] = defaultdict(dict)
    for row in rows:
        inputs[row.figure][row.subject_id] = rounds.as_input(row)
    people = [c for c in colleagues(ctx.session) if is_scored(c)]
    results, pools = scoring.scores(body, figures, inputs, [c.id for c in people])
    made = [
        Score(
            round_id=found.id, subject_id=c.id, subject_name=c.name, department=c.department,
            value=r.value, low=r.low, high=r.high, coverage=r.coverage,
            parts=scoring.plain(r.parts),
        )
        for c, r in ((c, results[c.id]) for c in people)
    ]  # fmt: skip
    ctx.session.add_all(made)
    found.pool = {name: scoring.plain(pool) for name, pool in pools.items()}
    found.inputs_hash = rounds.hash_inputs(found, formula, rows)
    found.scores_hash = rounds.hash_scores(made)
    found.state, found.steps_done = "counted", found.steps_done + 1
    ctx.session.flush()
    facts = {
        "formula": formula.hash, "inputs": found.inputs_hash, "scores": found.scores_hash,
        "people": len(made),
    }  # fmt: skip
    ctx.record("round_counted", found.id, facts)
