"""What was declared to end, ends: once a day, a bounded piece of each kind.

The database guards the same time: before it is over, a trigger refuses to delete.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, exists, func, or_, select

from huiyin.sdk import TenantContext, at_local, local_date
from huiyin_checklist_regulatory.models import Action, Evidence, Finding, Run, RunItem, Vouch
from huiyin_checklist_regulatory.terms import FindingState

PURGE: Final = "purge"
FORGET: Final = "forget"
RUNS: Final = 20  # of a hundred items and drawn cases each at most
PIECE: Final = 1000
KEPT: Final = 120  # months: as long as the files of complaints.  The trigger has them too.


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Delete what is past its time; what is left over is for the next day."""
    since = at_local(ends(local_date(ctx.now())))
    done = {"runs": _runs(ctx, since), "vouches": _vouches(ctx, since)}
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def ends(today: date) -> date:
    """The first day that is still kept; of a month without that day, its last."""
    year = today.year - KEPT // 12
    try:
        return today.replace(year=year)
    except ValueError:
        return date(year, today.month, 28)


def _runs(ctx: TenantContext, since: datetime) -> int:
    """Whole runs with answers, drawn cases, findings and files; the seal stays in the ledger.

    A run of which a finding is open, or was closed lately, waits for it.
    """
    alive = exists().where(
        Finding.run_id == Run.id,
        or_(Finding.state == FindingState.OPEN.value, Finding.closed_at >= since),
    )
    ended = func.coalesce(Run.sealed_at, Run.created_at)
    old = select(Run.id).where(ended < since, ~alive).order_by(Run.id).limit(RUNS)
    ids = ctx.session.scalars(old.with_for_update(skip_locked=True)).all()
    if not ids:
        return 0
    keys = _files(ctx, ids)
    for gone in (
        delete(Finding).where(Finding.run_id.in_(ids)),
        delete(Run).where(Run.id.in_(ids)),
    ):
        ctx.session.execute(gone.execution_options(synchronize_session=False))
    if keys:
        ctx.enqueue(FORGET, {"keys": keys})
    return len(ids)


def _files(ctx: TenantContext, runs: Sequence[uuid.UUID]) -> list[str]:
    """The bytes behind answers and actions of these runs."""
    items = select(RunItem.id).where(RunItem.run_id.in_(runs))
    findings = select(Finding.id).where(Finding.run_id.in_(runs))
    actions = select(Action.id).where(Action.finding_id.in_(findings))
    held = select(Evidence.blob_key).where(
        Evidence.blob_key.is_not(None),
        or_(Evidence.run_item_id.in_(items), Evidence.action_id.in_(actions)),
    )
    return [str(key) for key in ctx.session.scalars(held)]


def _vouches(ctx: TenantContext, since: datetime) -> int:
    """Who read a source or ticked it; the item says 待核实 until somebody does so anew."""
    ended = func.coalesce(Vouch.revoked_at, Vouch.at)
    old = select(Vouch.id).where(ended < since).order_by(Vouch.id).limit(PIECE)
    gone = delete(Vouch).where(Vouch.id.in_(old)).returning(Vouch.id)
    return len(ctx.session.execute(gone.execution_options(synchronize_session=False)).all())


def forget(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete the bytes of files that no evidence names any longer."""
    for key in payload["keys"]:
        if not ctx.session.scalar(select(exists().where(Evidence.blob_key == key))):
            ctx.blobs.delete(key)
