"""What was declared to end, ends: once a day, a bounded piece of each kind.

The database guards the same time: before it is over, a trigger refuses to delete.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select

from huiyin.sdk import TenantContext, at_local, local_date
from huiyin_scoring_incentive.models import Appeal, Award, Credit, Round, RoundInput, Score

PURGE: Final = "purge"
PIECE: Final = 1000
# Months: as long as the cases from which a score is worked out.  The trigger has them too.
KEPT: Final = 120

Row = type[Appeal] | type[Score] | type[RoundInput] | type[Credit] | type[Award]


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Delete what is past its time; what is left over is for the next day.

    A round itself stays, with its hashes: that there was one, and nothing of anybody in it.
    """
    day = ends(local_date(ctx.now()))
    since = at_local(day)
    rounds = select(Round.id).where(Round.until < day)
    asked = exists().where(Appeal.score_id == Score.id)
    done = {
        "appeals": _piece(ctx, Appeal, Appeal.round_id.in_(rounds)),
        "scores": _piece(ctx, Score, Score.round_id.in_(rounds), ~asked),
        "inputs": _piece(ctx, RoundInput, RoundInput.round_id.in_(rounds)),
        "credits": _piece(ctx, Credit, Credit.at < since),
        "awards": _piece(ctx, Award, Award.nominated_at < since),
    }
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def ends(today: date) -> date:
    """The first day that is still kept; of a month without that day, its last."""
    year = today.year - KEPT // 12
    try:
        return today.replace(year=year)
    except ValueError:
        return date(year, today.month, 28)


def _piece(ctx: TenantContext, table: Row, *conditions: ColumnElement[bool]) -> int:
    old = select(table.id).where(*conditions).order_by(table.id).limit(PIECE)
    gone = delete(table).where(table.id.in_(old)).returning(table.id)
    found = ctx.session.execute(gone.execution_options(synchronize_session=False))
    return len(found.all())
