"""What is kept no longer than the manifest declares, and how it is let go of.

In pieces, so that no run holds a table for long; what is left waits for the next hour.  The
tallies, and with them all results, stay: they say nothing about anybody.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import delete, select, update

from huiyin.sdk import TenantContext, today
from huiyin_survey_satisfaction import sheets
from huiyin_survey_satisfaction.campaigns import months_after
from huiyin_survey_satisfaction.models import Answer, Invitation, Response, Sheet
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

CONTACT_MONTHS: Final = 36  # at most; a firm may choose fewer
WORDS_MONTHS: Final = 120
SHEET_MONTHS: Final = 6
# An unsigned sheet is good until the end of the month after it was begun.
_SHEET_LASTS: Final = 2
PIECE: Final = 1_000


def forget(ctx: TenantContext) -> None:
    """One piece of everything that is past its time."""
    _contacts(ctx)
    _words(ctx)
    _sheets(ctx)


def _before(months: int) -> date:
    """The day so many months ago."""
    return months_after(today(), -months) or today()


def _contacts(ctx: TenantContext) -> None:
    """Names and mailboxes of those who were asked."""
    months = min(ctx.settings(SurveySatisfactionSettings).contact_months, CONTACT_MONTHS)
    old = _ids(
        ctx,
        select(Invitation.id).where(
            Invitation.made_on < _before(months), (Invitation.name != "") | (Invitation.email != "")
        ),
    )
    ctx.session.execute(
        update(Invitation)
        .where(Invitation.id.in_(old))
        .values(name="", email="")
        .execution_options(synchronize_session=False)
    )


def _words(ctx: TenantContext) -> None:
    """What people wrote and handed in; what they ticked stays with its tally."""
    rows = ctx.session.execute(
        select(Answer.id, Answer.blob_key)
        .join(Response, Response.id == Answer.response_id)
        .where(Response.on_day < _before(WORDS_MONTHS), Answer.words != "")
        .limit(PIECE)
    ).all()
    if not rows:
        return
    ctx.session.execute(
        delete(Answer)
        .where(Answer.id.in_([id_ for id_, _ in rows]))
        .execution_options(synchronize_session=False)
    )
    _let_go(ctx, [key for _, key in rows if key])
    ctx.record("words_forgotten", ctx.tenant.id, {"answers": len(rows)})


def _sheets(ctx: TenantContext) -> None:
    """Sheets whose links are past their day, and handed in ones that found no company."""
    begun = (Sheet.expires_on < today()) & (Sheet.state != "done")
    alone = Sheet.expires_on < _before(SHEET_MONTHS - _SHEET_LASTS)
    rows = ctx.session.execute(
        select(Sheet.id, Sheet.state, Sheet.answers).where(begun | alone).limit(PIECE)
    ).all()
    if not rows:
        return
    ctx.session.execute(
        delete(Sheet)
        .where(Sheet.id.in_([id_ for id_, _, _ in rows]))
        .execution_options(synchronize_session=False)
    )
    _let_go(ctx, [key for _, _, answers in rows for key in _keys(answers)])
    if handed_in := sum(state == "done" for _, state, _ in rows):
        ctx.record("sheets_forgotten", ctx.tenant.id, {"sheets": handed_in})


def _ids(ctx: TenantContext, query: Any) -> Sequence[uuid.UUID]:
    found: Sequence[uuid.UUID] = ctx.session.scalars(query.limit(PIECE)).all()
    return found


def _keys(answers: Mapping[str, Any]) -> list[str]:
    return [g["key"] for g in answers.values() if isinstance(g, dict) and "key" in g]


def _let_go(ctx: TenantContext, keys: Sequence[str]) -> None:
    if keys:
        ctx.enqueue(sheets.FORGET, {"keys": list(keys)})


def forget_bytes(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete the bytes whose rows are gone."""
    keys = payload["keys"]
    held = set(ctx.session.scalars(select(Answer.blob_key).where(Answer.blob_key.in_(keys))))
    for key in keys:
        if key not in held:
            ctx.blobs.delete(key)
