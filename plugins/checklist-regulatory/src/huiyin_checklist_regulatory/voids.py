"""Findings whose ground is gone: the item they rest on no longer stands not met.

A run that comes back may be answered otherwise.  The finding then stays on record, void, with
the reason; the same item found not met again is the same finding, taken up again.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from huiyin.sdk import N_, TenantContext
from huiyin_checklist_regulatory.models import Finding, Run, RunEvent, RunItem
from huiyin_checklist_regulatory.terms import Answer, FindingState

GROUNDLESS: Final = N_("自查退回后，这一项的结论不再是「不符合」")


def tell(ctx: TenantContext, run: Run, what: str, note: str = "") -> None:
    """A line of the run's history."""
    ctx.session.add(
        RunEvent(
            run_id=run.id, what=what, note=note, by_id=ctx.actor.id, by_name=ctx.actor.name,
            at=ctx.now(),
        )
    )  # fmt: skip


def settle(ctx: TenantContext, run: Run, row: RunItem) -> None:
    """Bring the finding of an item, if there is one, into line with its answer."""
    found = ctx.session.scalar(
        select(Finding).where(Finding.run_item_id == row.id).with_for_update()
    )
    if found is None:
        return
    if row.answer == Answer.NOT_MET:
        _revive(ctx, run, row, found)
    elif found.state == FindingState.OPEN:
        _void(ctx, run, found)


def _void(ctx: TenantContext, run: Run, finding: Finding) -> None:
    finding.state, finding.closing_note = FindingState.VOID.value, GROUNDLESS
    finding.closed_name, finding.closed_at = ctx.actor.name, ctx.now()
    finding.rev += 1
    tell(ctx, run, "finding_void", finding.number)
    ctx.record("finding_voided", finding.id, {"number": finding.number, "run": run.number})


def _revive(ctx: TenantContext, run: Run, row: RunItem, finding: Finding) -> None:
    """Not met again; and whoever says so now does not close it."""
    if finding.state == FindingState.OPEN and row.answered_by is not None:
        finding.answered_by = row.answered_by
    if finding.state != FindingState.VOID or row.answered_by is None:
        return
    finding.state, finding.answered_by = FindingState.OPEN.value, row.answered_by
    finding.closed_name, finding.closed_at, finding.closing_note = "", None, ""
    finding.rev += 1
    tell(ctx, run, "finding", finding.number)
    ctx.record("finding_revived", finding.id, {"number": finding.number, "run": run.number})
