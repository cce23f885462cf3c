"""Findings, what is done about them, and the test of it by somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Colleague,
    Conflict,
    Invalid,
    NotFound,
    TenantContext,
    add_workdays,
    causes,
    colleagues,
    local_date,
    today,
    uuid7,
)
from huiyin_checklist_regulatory import runs, voids
from huiyin_checklist_regulatory.errors import NotYours, SecondPerson
from huiyin_checklist_regulatory.models import Action, Finding, Run, RunItem
from huiyin_checklist_regulatory.schemas import (
    ActionForm,
    CloseForm,
    DoneForm,
    FindingForm,
    RetestForm,
)
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.terms import ActionState, Answer, FindingState, RunState
from huiyin_checklist_regulatory.views import ItemView

MOST_ACTIONS: Final = 20


def doers(people: Sequence[Colleague]) -> list[Colleague]:
    """Who may own an action: whoever answers checks."""
    return runs.answerers(people)


def find(ctx: TenantContext, finding_id: uuid.UUID, *, lock: bool = False) -> Finding:
    query = select(Finding).where(Finding.id == finding_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def actions(ctx: TenantContext, finding_id: uuid.UUID) -> Sequence[Action]:
    query = select(Action).where(Action.finding_id == finding_id).order_by(Action.id)
    return ctx.session.scalars(query).all()


def action(ctx: TenantContext, action_id: uuid.UUID) -> tuple[Finding, Action]:
    """An action with its finding, both locked.  Raises ``NotFound``."""
    query = select(Action).where(Action.id == action_id).with_for_update()
    found = ctx.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return find(ctx, found.finding_id, lock=True), found


# -- raising -----------------------------------------------------------------------------------


def raise_finding(
    ctx: TenantContext, run_id: uuid.UUID, position: int, form: FindingForm
) -> Finding:
    """Make an item that is not met a finding.  The same item gives the same finding."""
    run = runs.find(ctx, run_id, lock=True)
    row = runs.item(ctx, run_id, position)
    if run.state == RunState.OPEN:
        raise Conflict(N_("自查提交后才能登记问题"))
    if row.answer != Answer.NOT_MET or row.answered_by is None:
        raise Conflict(N_("只有结论为「不符合」的检查项才能登记问题"))
    there = ctx.session.scalar(select(Finding).where(Finding.run_item_id == row.id))
    if there is not None:
        return there
    if form.cause and form.cause not in causes():
        raise Invalid({"cause": N_("请从根因表中选择")})
    return _raise(ctx, run, row, form)


def raise_rest(ctx: TenantContext, run: Run) -> list[Finding]:
    """A sealed run leaves no item that is not met without its finding, and no other with one."""
    known = set(ctx.session.scalars(select(Finding.run_item_id).where(Finding.run_id == run.id)))
    raised = []
    for row in runs.items(ctx, run.id):
        if row.answer == Answer.NOT_MET and row.id not in known:
            view = ItemView.of_content(row.content, "zh")
            severity: Any = view.item.severity_if_fail
            form = FindingForm(title=view.text[:200], severity=severity)
            raised.append(_raise(ctx, run, row, form))
        elif row.id in known:
            voids.settle(ctx, run, row)
    return raised


def _raise(ctx: TenantContext, run: Run, row: RunItem, form: FindingForm) -> Finding:
    year = local_date(ctx.now()).year
    last = ctx.session.scalar(select(func.max(Finding.seq)).where(Finding.year == year)) or 0
    finding = Finding(
        id=uuid7(), year=year, seq=last + 1, run_id=run.id, run_item_id=row.id, title=form.title,
        severity=form.severity, cause=form.cause, training=form.training,
        post=form.post.value if form.post else "", answered_by=row.answered_by,
        state=FindingState.OPEN.value, raised_by=ctx.actor.id, raised_name=ctx.actor.name,
        raised_at=ctx.now(),
    )  # fmt: skip
    ctx.session.add(finding)
    ctx.session.flush()
    told = {"severity": form.severity, "cause": form.cause, "training": form.training}
    ctx.emit("finding_raised", finding.id, {**told, "post": finding.post})
    voids.tell(ctx, run, "finding", finding.number)
    facts = {"number": finding.number, "run": run.number, "item": row.item_id}
    ctx.record("finding_raised", finding.id, {**facts, **told}, {"title": form.title})
    return finding


# -- doing something about it ------------------------------------------------------------------


def plan(ctx: TenantContext, finding_id: uuid.UUID, form: ActionForm, key: str) -> Action:
    """Ask somebody to mend it by a day; the same key gives the same action."""
    key = key[:64] or uuid7().hex
    there = ctx.session.scalar(select(Action).where(Action.idem_key == key))
    if there is not None:
        return there
    finding = find(ctx, finding_id, lock=True)
    _check_open(finding)
    if len(actions(ctx, finding_id)) >= MOST_ACTIONS:
        raise Conflict(N_("一个问题最多 20 项整改，请合并"))
    owner = next((p for p in doers(colleagues(ctx.session)) if p.id == form.owner), None)
    if owner is None:
        raise Invalid({"owner": N_("请选择可以承担整改的在职同事")})
    due_on, workdays = _due(ctx, form)
    made = Action(
        id=uuid7(), finding_id=finding.id, idem_key=key, title=form.title, owner_id=owner.id,
        owner_name=owner.name, due_on=due_on, workdays=workdays, state=ActionState.OPEN.value,
        created_by=ctx.actor.id, created_at=ctx.now(),
    )  # fmt: skip
    ctx.session.add(made)
    facts = {"finding": finding.number, "owner": owner.id, "due_on": due_on, "workdays": workdays}
    ctx.record("action_planned", made.id, facts, {"title": form.title})
    return made


def _due(ctx: TenantContext, form: ActionForm) -> tuple[date, int | None]:
    """A day, or a number of 工作日 counted from today; the firm's own rule either way."""
    if form.due_on and form.workdays:
        raise Invalid({"workdays": N_("到期日与工作日只填一个")})
    if form.due_on:
        if form.due_on < today():
            raise Invalid({"due_on": N_("到期日不能早于今天")})
        if (form.due_on - today()).days > 731:
            raise Invalid({"due_on": N_("整改期限最长两年，请分步整改")})
        return form.due_on, None
    days = form.workdays or ctx.settings(ChecklistRegulatorySettings).action_days
    return add_workdays(today(), days), days


def _check_open(finding: Finding) -> None:
    if finding.state == FindingState.VOID:
        raise Conflict(N_("问题不再成立：这一项的结论不再是「不符合」"))
    if finding.state != FindingState.OPEN:
        raise Conflict(N_("问题已关闭，需要继续整改的请先重开"))


def finish(ctx: TenantContext, action_id: uuid.UUID, form: DoneForm) -> Action:
    """The owner says what was done; then somebody else tests it."""
    finding, found = action(ctx, action_id)
    _check_open(finding)
    if found.owner_id != ctx.actor.id:
        raise NotYours(N_("这项整改由 {name} 负责，请责任人登记完成情况"), name=found.owner_name)
    if found.state != ActionState.OPEN:
        raise Conflict(N_("完成情况已登记，等待复测"))
    found.state, found.proof = ActionState.DONE.value, form.proof
    found.done_by, found.done_name, found.done_at = ctx.actor.id, ctx.actor.name, ctx.now()
    ctx.record("action_done", found.id, {"finding": finding.number}, {"proof": form.proof})
    return found


def own_action(ctx: TenantContext, action_id: uuid.UUID) -> Action:
    """An open action of this person's own, to add proof to."""
    finding, found = action(ctx, action_id)
    _check_open(finding)
    if found.owner_id != ctx.actor.id or found.state == ActionState.PASSED:
        raise NotYours(N_("这项整改由 {name} 负责，请责任人登记完成情况"), name=found.owner_name)
    return found


def may_test(ctx: TenantContext, finding: Finding, found: Action) -> bool:
    """Neither the owner nor whoever did it tests it, nor who answered the item."""
    return ctx.actor.id not in {found.owner_id, found.done_by, finding.answered_by}


def test(ctx: TenantContext, action_id: uuid.UUID, form: RetestForm) -> Action:
    """Test what was done: passed, or open again with a reason."""
    finding, found = action(ctx, action_id)
    _check_open(finding)
    if found.state != ActionState.DONE:
        raise Conflict(N_("责任人登记完成后才能复测"))
    if not may_test(ctx, finding, found):
        raise SecondPerson(N_("整改责任人和填写这一项的人不能复测，请其他同事复测"))
    passed = form.result == "pass"
    found.test_note = form.note
    found.tested_by, found.tested_name, found.tested_at = ctx.actor.id, ctx.actor.name, ctx.now()
    found.state = ActionState.PASSED.value if passed else ActionState.OPEN.value
    if not passed:
        found.failures += 1
        found.reminded = ""
    facts = {"finding": finding.number, "passed": passed, "failures": found.failures}
    ctx.record("action_tested", found.id, facts, {"note": form.note})
    return found


# -- closing -----------------------------------------------------------------------------------


def may_close(ctx: TenantContext, finding: Finding, done: Sequence[Action]) -> bool:
    """Neither who answered the item nor an owner of an action closes it."""
    return ctx.actor.id not in {finding.answered_by, *(a.owner_id for a in done)}


def close(ctx: TenantContext, finding_id: uuid.UUID, form: CloseForm) -> Finding:
    """Every action has passed its test, and somebody with no part in it says so."""
    finding = find(ctx, finding_id, lock=True)
    _check_open(finding)
    done = actions(ctx, finding_id)
    if not may_close(ctx, finding, done):
        raise SecondPerson(N_("填写这一项或承担整改的人不能关闭问题，请没有经手的同事关闭"))
    if not done or any(a.state != ActionState.PASSED for a in done):
        raise Conflict(N_("还有整改没有复测通过；全部通过后才能关闭"))
    finding.state, finding.closing_note = FindingState.CLOSED.value, form.note
    finding.closed_by, finding.closed_name, finding.closed_at = (
        ctx.actor.id,
        ctx.actor.name,
        ctx.now(),
    )
    finding.rev += 1
    ctx.record("finding_closed", finding.id, {"number": finding.number}, {"note": form.note})
    return finding


def reopen(ctx: TenantContext, finding_id: uuid.UUID, form: CloseForm) -> Finding:
    """A closed finding that came back."""
    finding = find(ctx, finding_id, lock=True)
    if finding.state != FindingState.CLOSED:
        raise Conflict(N_("问题没有关闭，无须重开"))
    finding.state, finding.closed_by, finding.closed_at = FindingState.OPEN.value, None, None
    finding.closed_name, finding.closing_note = "", form.note
    finding.rev += 1
    ctx.record("finding_reopened", finding.id, {"number": finding.number}, {"note": form.note})
    return finding
