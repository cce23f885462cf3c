"""What was declared to end, ends: once a day, a bounded piece of each kind.

Only of cases that are closed.  The lines of the registers stay; names, telephone numbers and
what was written in free words go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import and_, exists, or_, select, update

from huiyin.sdk import Case, TenantContext, at_local
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.models import Agent, Paper, Transfer

PURGE: Final = "purge"
MONTHS: Final = 240  # after the case was closed
PIECE: Final = 1000


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Blank what is past its time; what is left over is for the next day."""
    done = {
        "agents": _blank(ctx, Agent, "name", "phone", "note", "reason", checks=[]),
        "papers": _blank(ctx, Paper, "visitors", "notes", "late_reason"),
        "transfers": _blank(
            ctx, Transfer, "contact", "note", "draft", "reply_words", "late_reason"
        ),
    }
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def ends(ctx: TenantContext) -> date:
    """Cases closed before this day are past their time."""
    day = today_of(ctx)
    month = day.year * 12 + day.month - 1 - MONTHS
    return date(month // 12, month % 12 + 1, min(day.day, 28))


def _blank(ctx: TenantContext, model: Any, *texts: str, **more: Any) -> int:
    """Empty these columns of the rows that have anything in one of them."""
    over = exists().where(
        and_(
            Case.tenant_id == model.tenant_id, Case.id == model.case_id,
            Case.closed_at < at_local(ends(ctx)),
        )
    )  # fmt: skip
    kept = or_(*(getattr(model, name) != "" for name in texts))
    old = select(model.id).where(kept, over).order_by(model.id).limit(PIECE)
    emptied = {**dict.fromkeys(texts, ""), **more}
    blank = update(model).where(model.id.in_(old)).values(**emptied).returning(model.id)
    return len(ctx.session.execute(blank.execution_options(synchronize_session=False)).all())
