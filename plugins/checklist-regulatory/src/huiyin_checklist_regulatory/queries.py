"""What the pages read: a fixed number of queries whatever the data; lists are keyset-paged."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, and_, case, func, select, tuple_

from huiyin.sdk import Period, TenantContext
from huiyin_checklist_regulatory.models import Action, Evidence, Finding, Run, RunEvent, RunItem
from huiyin_checklist_regulatory.terms import ActionState, Answer, FindingState, RunState

PAGE: Final = 30
MINE: Final = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    total: int = 0
    answered: int = 0
    met: int = 0
    not_met: int = 0
    unverified: int = 0
    not_applicable: int = 0

    @property
    def percent(self) -> int:
        return 100 * self.answered // self.total if self.total else 0


def parse_key(key: str) -> tuple[datetime, uuid.UUID] | None:
    """``<iso>~<id>``, or nothing when it is none."""
    at, _, last = key.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, uuid.UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None


def run_key(run: Run) -> str:
    return f"{run.created_at.isoformat()}~{run.id}"


def finding_key(finding: Finding) -> str:
    return f"{finding.raised_at.isoformat()}~{finding.id}"


def runs(ctx: TenantContext, *, state: str = "", after: str = "", n: int = PAGE) -> list[Run]:
    """Newest first, ``n + 1`` at most: the last says that there are more."""
    query = select(Run)
    if state in set(RunState):
        query = query.where(Run.state == state)
    if key := parse_key(after):
        query = query.where(tuple_(Run.created_at, Run.id) < key)
    query = query.order_by(Run.created_at.desc(), Run.id.desc()).limit(n + 1)
    return list(ctx.session.scalars(query))


def progress(ctx: TenantContext, runs_: Sequence[Run]) -> Mapping[uuid.UUID, Progress]:
    """Of each of these runs; one query."""
    if not runs_:
        return {}

    def of(answer: Answer) -> Any:
        return func.count(case((RunItem.answer == answer.value, 1)))

    rows = ctx.session.execute(
        select(
            RunItem.run_id, func.count(), func.count(RunItem.answer), of(Answer.MET),
            of(Answer.NOT_MET), of(Answer.UNVERIFIED), of(Answer.NOT_APPLICABLE),
        )
        .where(RunItem.run_id.in_([run.id for run in runs_]))
        .group_by(RunItem.run_id)
    )  # fmt: skip
    return {row[0]: Progress(*row[1:]) for row in rows}


def events(ctx: TenantContext, run_id: uuid.UUID, n: int = 100) -> Sequence[RunEvent]:
    query = select(RunEvent).where(RunEvent.run_id == run_id)
    return ctx.session.scalars(query.order_by(RunEvent.at, RunEvent.id).limit(n)).all()


def previous(ctx: TenantContext, run: Run, item_id: str) -> Row[RunItem, Run] | None:
    """What the last sealed run with the same pack found of the same item."""
    return ctx.session.execute(
        select(RunItem, Run)
        .join(Run, Run.id == RunItem.run_id)
        .where(
            Run.pack_id == run.pack_id, Run.state == RunState.SEALED.value, Run.id != run.id,
            RunItem.item_id == item_id, Run.until <= run.until,
        )
        .order_by(Run.until.desc(), Run.sealed_at.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip


# -- findings ----------------------------------------------------------------------------------


def findings(
    ctx: TenantContext, *, state: str = "", severity: str = "", after: str = "", n: int = PAGE
) -> list[Finding]:
    query = select(Finding)
    if state in set(FindingState):
        query = query.where(Finding.state == state)
    if severity:
        query = query.where(Finding.severity == severity)
    if key := parse_key(after):
        query = query.where(tuple_(Finding.raised_at, Finding.id) < key)
    query = query.order_by(Finding.raised_at.desc(), Finding.id.desc()).limit(n + 1)
    return list(ctx.session.scalars(query))


def action_counts(
    ctx: TenantContext, found: Sequence[Finding]
) -> Mapping[uuid.UUID, tuple[int, int, Any]]:
    """Of each finding: passed, all, and the next day something is due; one query."""
    if not found:
        return {}
    passed = Action.state == ActionState.PASSED.value
    rows = ctx.session.execute(
        select(
            Action.finding_id, func.count(case((passed, 1))), func.count(),
            func.min(case((~passed, Action.due_on))),
        )
        .where(Action.finding_id.in_([f.id for f in found]))
        .group_by(Action.finding_id)
    )  # fmt: skip
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def findings_of_run(ctx: TenantContext, run_id: uuid.UUID) -> Mapping[uuid.UUID, Finding]:
    """By the item they came from, without those whose ground is gone."""
    standing = Finding.state != FindingState.VOID.value
    rows = ctx.session.scalars(select(Finding).where(Finding.run_id == run_id, standing))
    return {row.run_item_id: row for row in rows}


def open_findings(ctx: TenantContext, period: Period) -> list[Finding]:
    """Those that stood open at the end of a period."""
    still = and_(Finding.raised_at < period.end)
    query = select(Finding).where(still).order_by(Finding.raised_at, Finding.id)
    end = period.end
    return [f for f in ctx.session.scalars(query) if f.closed_at is None or f.closed_at >= end]


# -- what a change of the settings would do ----------------------------------------------------


def without_evidence(ctx: TenantContext) -> int:
    """Items of open runs that are said to be met with nothing behind them."""
    proven = select(Evidence.run_item_id).where(Evidence.run_item_id == RunItem.id).exists()
    query = (
        select(func.count())
        .select_from(RunItem)
        .join(Run, Run.id == RunItem.run_id)
        .where(Run.state == RunState.OPEN.value, RunItem.answer == Answer.MET.value, ~proven)
    )
    return ctx.session.scalar(query) or 0


def due_by(ctx: TenantContext, day: date) -> int:
    """Open actions that are due by that day."""
    query = select(func.count()).select_from(Action)
    query = query.where(Action.state == ActionState.OPEN.value, Action.due_on <= day)
    return ctx.session.scalar(query) or 0


# -- what waits for a person -------------------------------------------------------------------


def my_items(ctx: TenantContext) -> Sequence[Row[RunItem, Run]]:
    """Items somebody asked this person for, not yet answered."""
    return ctx.session.execute(
        select(RunItem, Run)
        .join(Run, Run.id == RunItem.run_id)
        .where(
            RunItem.assignee_id == ctx.actor.id, RunItem.answer.is_(None),
            Run.state == RunState.OPEN.value,
        )
        .order_by(Run.due_on.nulls_last(), RunItem.run_id, RunItem.position)
        .limit(MINE)
    ).all()  # fmt: skip


def my_actions(ctx: TenantContext) -> Sequence[Row[Action, Finding]]:
    """Actions this person owns and has not finished."""
    return _actions(
        ctx, and_(Action.owner_id == ctx.actor.id, Action.state == ActionState.OPEN.value)
    )


def to_test(ctx: TenantContext) -> Sequence[Row[Action, Finding]]:
    """Actions this person may test."""
    return _actions(
        ctx,
        and_(
            Action.state == ActionState.DONE.value, Action.owner_id != ctx.actor.id,
            Finding.answered_by != ctx.actor.id,
        ),
    )  # fmt: skip


def _actions(ctx: TenantContext, condition: Any) -> Sequence[Row[Action, Finding]]:
    return ctx.session.execute(
        select(Action, Finding)
        .join(Finding, Finding.id == Action.finding_id)
        .where(condition, Finding.state == FindingState.OPEN.value)
        .order_by(Action.due_on, Action.id)
        .limit(MINE)
    ).all()


def to_review(ctx: TenantContext) -> list[Run]:
    """Runs handed in that this person may review."""
    me = ctx.actor.id
    query = select(Run).where(
        Run.state == RunState.SUBMITTED.value, Run.created_by != me, Run.submitted_by != me,
        ~(Run.answerers.any_() == me),
    )  # fmt: skip
    return list(ctx.session.scalars(query.order_by(Run.submitted_at).limit(MINE)))
