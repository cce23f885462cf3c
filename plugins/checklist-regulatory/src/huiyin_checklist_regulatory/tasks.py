"""What returns by itself: reminding of actions that fall due, and of those that are late."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import or_, select

from huiyin.sdk import (
    N_,
    Mail,
    Message,
    TenantContext,
    Undeliverable,
    add_workdays,
    can_mail,
    mail_address,
    send_mail,
    today,
)
from huiyin_checklist_regulatory import queries, runs, voids
from huiyin_checklist_regulatory.models import Action, Finding
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.terms import ActionState, FindingState

REMIND: Final = "remind"
MAIL: Final = "mail"
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

    The mark shows on the owner's own page and on the finding, and the owner gets a mail; being late
    is entered in the book.
    """
    day = today()
    last = add_workdays(day, ctx.settings(ChecklistRegulatorySettings).remind_days)
    rows = ctx.session.execute(
        select(Action, Finding)
        .join(Finding, Finding.id == Action.finding_id)
        .where(
            Action.state == ActionState.OPEN.value, Finding.state == FindingState.OPEN.value,
            Action.due_on <= last, Action.reminded != LATE,
            # What was told already would fill the piece, and hide what comes after it.
            or_(Action.reminded != SOON, Action.due_on < day),
        )
        .order_by(Action.due_on, Action.id)
        .limit(MOST)
        .with_for_update(of=Action, skip_locked=True)
    ).all()  # fmt: skip
    late = []
    for action, finding in rows:
        level = LATE if action.due_on < day else SOON
        if action.reminded == level:
            continue
        action.reminded = level
        told = {"action": str(action.id), "level": level}
        ctx.enqueue(MAIL, told, key=f"{action.id}:{level}:{action.failures}")
        if level == LATE:
            voids.tell(ctx, runs.find(ctx, finding.run_id), "action_late", finding.number)
            late.append((action, finding))
    ctx.session.flush()
    for action, finding in late:
        facts = {"finding": finding.number, "owner": action.owner_id, "due_on": action.due_on}
        ctx.record("action_late", action.id, facts)


def mail(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Write to the owner of an action that falls due; nothing in it tells of a case."""
    action_id, level = uuid.UUID(str(payload["action"])), str(payload["level"])
    found = ctx.session.execute(
        select(Action, Finding)
        .join(Finding, Finding.id == Action.finding_id)
        .where(Action.id == action_id, Action.state == ActionState.OPEN.value)
    ).one_or_none()
    if found is None or not can_mail():
        return
    action, finding = found
    address = mail_address(ctx.session, action.owner_id)
    if not address:
        return
    said = {"number": finding.number, "day": action.due_on.isoformat()}
    try:
        send_mail(
            ctx,
            Mail(
                id=uuid.uuid5(action.id, f"{level}:{action.failures}"), to=address,
                subject=ctx.text(SUBJECTS[level], **said), text=ctx.text(TEXTS[level], **said),
            ),
        )  # fmt: skip
    except Undeliverable as refused:
        ctx.log.warning("mail about action %s was refused: %s", action.id, refused.code)


SUBJECTS: Final = {
    SOON: N_("整改即将到期：{number}"),
    LATE: N_("整改已超期：{number}"),
}
TEXTS: Final = {
    SOON: N_(
        "由您负责的整改（问题 {number}）将于 {day} 到期。请登录后在「法规自查」登记完成情况。"
    ),
    LATE: N_(
        "由您负责的整改（问题 {number}）已于 {day} 到期。请登录后在「法规自查」登记完成情况。"
    ),
}
