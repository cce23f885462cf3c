"""Drafting, submitting and judging the plan of a case.

An approval binds the hash of the plan that was read.  From the submission on the words are fixed,
here and by trigger; whoever ever handled, drafted or is named in the case judges nothing in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import and_, func, or_, select

from huiyin.cases import duties
from huiyin.cases.change import Deed, change, find
from huiyin.cases.errors import NobodyLeft
from huiyin.cases.models import Case, Task
from huiyin.cases.people import count_task, doer, give
from huiyin.cases.stages import CaseState
from huiyin.cases.verbs import VERBS
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import sees_all
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.remedies.errors import AlreadyApproved, PlanChanged, PlanMissing
from huiyin.remedies.models import Approval, Decision, Plan, PlanState, approvers_for
from huiyin.remedies.schemas import Measure, PlanForm

REPLACED: Final = N_("方案已变更，由第 {version} 版的措施取代")

# -- drafting ----------------------------------------------------------------------------------


def current_plan(session: ScopedSession, case: Case, *, lock: bool = False) -> Plan | None:
    """The newest version, whatever its state."""
    query = select(Plan).where(Plan.case_id == case.id).order_by(Plan.version.desc()).limit(1)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def plans_of(session: ScopedSession, case: Case) -> Sequence[Plan]:
    """Every version, newest first."""
    return session.scalars(
        select(Plan).where(Plan.case_id == case.id).order_by(Plan.version.desc())
    ).all()


def save_draft(
    session: ScopedSession, actor: Actor, number: str, form: PlanForm, *, rev: int
) -> Plan:
    """Write the plan down.  A draft is rewritten in place; anything later gets a new version.

    Raises ``Invalid`` (field ``measures``) for an owner who cannot finish it or is walled.
    """
    saved: list[Plan] = []
    deed = Deed("draft_plan")

    def apply(case: Case) -> None:
        plan = _open_draft(session, case)
        _fill(session, actor, case, plan, form)
        session.add(plan)
        saved.append(plan)
        deed.data = {"version": plan.version}
        deed.facts = {"plan": plan.id, "version": plan.version, "plan_hash": plan.hash}
        case.facts = {
            **case.facts,
            "plan_drafted": _fact(actor, Message(N_("第 {n} 版"), {"n": plan.version})),
        }

    deed.apply = apply
    change(session, actor, number, deed, rev=rev)
    return saved[0]


def _open_draft(session: ScopedSession, case: Case) -> Plan:
    """The draft to write into; an earlier version that still counted counts no longer."""
    plan = current_plan(session, case, lock=True)
    if plan is not None and plan.state == PlanState.DRAFT:
        return plan
    if plan is not None and plan.state in {PlanState.SUBMITTED, PlanState.APPROVED}:
        plan.state = PlanState.SUPERSEDED.value
        session.flush()
    return Plan(id=uuid7(), case_id=case.id, version=plan.version + 1 if plan else 1)


def _fill(session: ScopedSession, actor: Actor, case: Case, plan: Plan, form: PlanForm) -> None:
    plan.goal, plan.basis, plan.amount = form.goal, form.basis, form.amount
    plan.feasibility, plan.precedent, plan.wish = form.feasibility, form.precedent, form.wish
    plan.measures = [_measure(session, case, measure) for measure in form.measures]
    plan.drafted_by, plan.drafted_name = actor.id, actor.name
    plan.approvers = approvers_for(form.amount)
    plan.hash = plan.content_hash()


def _measure(session: ScopedSession, case: Case, measure: Measure) -> dict[str, str | None]:
    person = doer(session, case, measure.owner_id)
    if measure.owner_id and person is None:
        wrong = N_("责任人须为具备办理权限的在职人员，且不是本案须回避的人员")
        raise Invalid({"measures": Message(wrong)})
    return {
        "title": measure.title,
        "owner_id": str(person.account_id) if person else None,
        "owner_name": person.name if person else "",
        "due_on": measure.due_on.isoformat() if measure.due_on else None,
    }


def _fact(actor: Actor, note: Message) -> dict[str, str]:
    return {
        "at": now().isoformat(), "by": actor.name, "by_id": str(actor.id), "note": str(note),
    }  # fmt: skip


# -- submitting and taking back ----------------------------------------------------------------


def submit(
    session: ScopedSession, actor: Actor, number: str, *, rev: int, reason: str = ""
) -> Plan:
    """Hand the plan to people who took no part; its words are fixed from here on.

    Raises ``PlanMissing``, ``GatesUnmet``, or ``NobodyLeft`` when the firm has too few people
    who may judge it: the step waits for them, it is never skipped.
    """
    sent: list[Plan] = []
    deed = Deed("submit_plan", body=reason)

    def apply(case: Case) -> None:
        plan = current_plan(session, case, lock=True)
        if plan is None or plan.state != PlanState.DRAFT:
            raise PlanMissing
        able = [p for p in eligible_approvers(session, case) if p.account_id != actor.id]
        if len(able) < plan.approvers:
            raise NobodyLeft(role=Message(N_("审批人")))
        plan.state, plan.submitted_at = PlanState.SUBMITTED.value, now()
        sent.append(plan)
        deed.data = {"version": plan.version}
        deed.facts = {"plan": plan.id, "version": plan.version, "plan_hash": plan.hash}

    deed.apply = apply
    change(session, actor, number, deed, rev=rev)
    return sent[0]


def withdraw_plan(
    session: ScopedSession, actor: Actor, number: str, *, rev: int, reason: str
) -> Case:
    """Take a submitted plan back to change it; approvals given so far fall with the version."""

    def apply(case: Case) -> None:
        plan = _submitted(session, case)
        plan.state, plan.decided_at = PlanState.SUPERSEDED.value, now()

    return change(session, actor, number, Deed("withdraw_plan", body=reason, apply=apply), rev=rev)


def _submitted(session: ScopedSession, case: Case) -> Plan:
    plan = current_plan(session, case, lock=True)
    if plan is None or plan.state != PlanState.SUBMITTED:
        raise PlanMissing(N_("当前没有待审批的方案，请刷新页面"))
    return plan


def eligible_approvers(session: ScopedSession, case: Case) -> Sequence[Membership]:
    """Members who may judge this case: able by role, with no part in it, ever, and not named."""
    now_handling = {case.owner_id, case.investigator_id}
    able = duties.able(session, case, VERBS["approve"])
    return [person for person in able if person.account_id not in now_handling]


# -- judging -----------------------------------------------------------------------------------


def approvals_of(session: ScopedSession, plan: Plan) -> Sequence[Approval]:
    """The judgements on one version, oldest first."""
    return session.scalars(
        select(Approval).where(Approval.plan_id == plan.id).order_by(Approval.at, Approval.id)
    ).all()


def approve(
    session: ScopedSession,
    actor: Actor,
    number: str,
    plan_hash: str,
    *,
    rev: int,
    opinion: str = "",
) -> Plan:
    """Approve exactly the plan of that hash; its measures become tasks.

    Over the limit the first approval is recorded and the case waits for a second person.  Raises
    ``PlanChanged``, ``AlreadyApproved``, ``SecondPersonRequired``, ``Stale``.
    """
    case = find(session, actor, number)
    plan = current_plan(session, case)
    given = len(approvals_of(session, plan)) if plan else 0
    last = plan is None or given + 1 >= plan.approvers
    deed = Deed("approve" if last else "approve_first", body=opinion)
    judged: list[Plan] = []

    def apply(case: Case) -> None:
        plan = _submitted(session, case)
        if plan.hash != plan_hash or plan.content_hash() != plan_hash:
            raise PlanChanged
        before = approvals_of(session, plan)
        if any(known.by_id == actor.id for known in before):
            raise AlreadyApproved
        if last != (len(before) + 1 >= plan.approvers):
            raise PlanChanged  # somebody approved in between; which step this is has changed
        _judge(session, actor, plan, Decision.APPROVED, opinion)
        if last:
            _put_into_force(session, actor, case, plan)
        judged.append(plan)
        deed.data = {"version": plan.version, "of": plan.approvers, "nth": len(before) + 1}
        deed.facts = {"plan": plan.id, "version": plan.version, "plan_hash": plan_hash}

    deed.apply = apply
    change(session, actor, number, deed, rev=rev)
    return judged[0]


def _judge(
    session: ScopedSession, actor: Actor, plan: Plan, decision: Decision, reason: str
) -> None:
    session.add(
        Approval(
            case_id=plan.case_id, plan_id=plan.id, plan_hash=plan.hash, decision=decision.value,
            by_id=actor.id, by_name=actor.name, reason=reason, over_limit=plan.approvers > 1,
        )
    )  # fmt: skip
    session.flush()  # the triggers judge before anything rests on it


def _put_into_force(session: ScopedSession, actor: Actor, case: Case, plan: Plan) -> None:
    """The plan holds; what an earlier version left open is replaced by this one's measures."""
    plan.state, plan.decided_at = PlanState.APPROVED.value, now()
    replaced = session.scalars(
        select(Task).where(Task.case_id == case.id, Task.is_measure, Task.done_at.is_(None))
    )
    for task in replaced:
        task.done_at, task.done_by = now(), actor.id
        task.proof, task.proof_params = REPLACED, {"version": plan.version}
        count_task(case, -1, measure=True)
    for measure in plan.measures:
        owner, due = measure["owner_id"], measure["due_on"]
        task = Task(
            case_id=case.id, title=measure["title"], is_measure=True, created_by=actor.id,
            due_on=date.fromisoformat(due) if due else None,
        )  # fmt: skip
        # Whoever left or was named in the case since the plan was drafted hands it to the owner.
        person = doer(session, case, uuid.UUID(owner)) if owner else None
        if owner and person is None:
            person = doer(session, case, case.owner_id)
        give(session, actor, case, task, person)
        session.add(task)
        count_task(case, +1, measure=True)
    note = Message(N_("第 {n} 版"), {"n": plan.version})
    case.facts = {**case.facts, "plan_approved": {**_fact(actor, note), "plan_hash": plan.hash}}


def return_plan(
    session: ScopedSession, actor: Actor, number: str, plan_hash: str, *, rev: int, reason: str
) -> Case:
    """Send the plan back, saying what it lacks; the judgement binds its hash like an approval."""
    deed = Deed("return_plan", body=reason)

    def apply(case: Case) -> None:
        plan = _submitted(session, case)
        if plan.hash != plan_hash:
            raise PlanChanged
        if any(known.by_id == actor.id for known in approvals_of(session, plan)):
            raise AlreadyApproved(N_("已审批通过该版本，驳回请由另一位审批人办理"))
        _judge(session, actor, plan, Decision.RETURNED, reason)
        plan.state, plan.decided_at = PlanState.RETURNED.value, now()
        deed.data = {"version": plan.version}
        deed.facts = {"plan": plan.id, "version": plan.version, "plan_hash": plan.hash}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


# -- comparing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Precedent:
    """How a like case ended, so that the same case gets the same treatment."""

    number: str
    title: str
    finding: str | None
    outcome: str | None
    closed_at: datetime | None
    amount: Decimal | None
    goal: str


def precedents(
    session: ScopedSession, actor: Actor, case: Case, *, limit: int = 3
) -> Sequence[Precedent]:
    """Closed cases of the same category that this person may know of, the latest first."""
    if case.category is None:
        return []
    shown = ~(Case.walled.any_() == actor.id)
    if not sees_all(actor.roles):
        shown = and_(shown, Case.team.any_() == actor.id)
    decided = and_(Plan.case_id == Case.id, Plan.state == PlanState.APPROVED.value)
    rows = session.execute(
        select(
            Case.number, Case.title, Case.finding, Case.outcome, Case.closed_at,
            Plan.amount, func.coalesce(Plan.goal, ""),
        )
        .join(Plan, decided, isouter=True)
        .where(
            Case.category == case.category, Case.state == CaseState.CLOSED.value,
            Case.id != case.id, shown, or_(Case.finding.is_not(None), Plan.id.is_not(None)),
        )
        .order_by(Case.closed_at.desc(), Case.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Precedent(*row) for row in rows]
