"""What returns by itself: reminding of actions that fall due, and of those that are late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import N_, Message, TenantContext, add_workdays, today
from huiyin_checklist_regulatory import queries, runs
from huiyin_checklist_regulatory.models import Action, Finding
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.terms import ActionState, FindingState

REMIND: Final = "remind"
SOON: Final = "soon"
LATE: Final = "late"
MOST: Final = 200
UNPROVEN: Final = N_("进行中的自查有 {n} 项答「符合」而没有证据，提交前须补充")


def preview(
    ctx: TenantContext, old: ChecklistRegulatorySettings, new: ChecklistRegulatorySettings
) -> list[Message]:
    """What drafted settings would change for runs and actions in hand."""
    told: list[Message] = []
    if new.require_evidence and not old.require_evidence:
        n = queries.without_evidence(ctx)
        told.append(
            Message(N_("进行中的自查有 {n} 项答「符合」而没有证据，提交前须补充"), {"n": n})
        )
    if new.remind_days != old.remind_days:
        n = queries.due_by(ctx, add_workdays(today(), new.remind_days))
        told.append(Message(N_("将提醒 {n} 项未完成的整改"), {"n": n}))
    return told


def remind(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Mark what is due soon or late, once each; a late one is told to the run as well.

    The mark shows on the owner's own page and on the finding; being late is entered in the book.
    """
    day = today()
    last = add_workdays(day, ctx.settings(ChecklistRegulatorySettings).remind_days)
    rows = ctx.session.execute(
        select(Action, Finding)
        .join(Finding, Finding.id == Action.finding_id)
        .where(
            Action.state == ActionState.OPEN.value, Finding.state == FindingState.OPEN.value,
            Action.due_on <= last, Action.reminded != LATE,
        )
        .order_by(Action.due_on, Action.id)
        .limit(MOST)
        .with_for_update(of=Action, skip_locked=True)
    ).all()  # fmt: skip
    late = []
    for action, finding in rows:
        if action.due_on < day:
            action.reminded = LATE
            runs.tell(ctx, runs.find(ctx, finding.run_id), "action_late", finding.number)
            late.append((action, finding))
        else:
            action.reminded = SOON
    ctx.session.flush()
    for action, finding in late:
        facts = {"finding": finding.number, "owner": action.owner_id, "due_on": action.due_on}
        ctx.record("action_late", action.id, facts)
