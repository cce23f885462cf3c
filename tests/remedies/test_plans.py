"""A plan is drafted, submitted, frozen, judged by others, and then becomes work."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from huiyin.cases import service as cases
from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed, NobodyLeft, SecondPersonRequired
from huiyin.cases.models import Participation, Task
from huiyin.cases.stages import Part, Stage
from huiyin.kit.errors import Invalid, NotFound, Refused, Stale
from huiyin.ledger.models import LedgerEntry
from huiyin.remedies import service
from huiyin.remedies.errors import AlreadyApproved, PlanChanged, PlanMissing
from huiyin.remedies.models import PlanState, approvers_for
from huiyin.remedies.schemas import Measure, PlanFields


@pytest.fixture
def submitted(session, actor, approver, second, number, form, rev):
    """A plan up for approval."""

    def make(**changes):
        service.save_draft(session, actor, number, form(**changes), rev=rev(number))
        plan = service.submit(session, actor, number, rev=rev(number))
        session.commit()
        return plan

    return make


def test_the_whole_way(session, actor, approver, number, submitted, rev):
    plan = submitted()
    assert find(session, actor, number).stage == Stage.APPROVAL
    service.approve(session, approver, number, plan.hash, rev=rev(number), opinion="同意")
    session.commit()
    case = find(session, actor, number)
    assert case.stage == Stage.IMPLEMENTATION
    assert plan.state == PlanState.APPROVED
    assert case.facts["plan_approved"]["plan_hash"] == plan.hash
    assert case.counts["measures_open"] == 2
    tasks = session.scalars(select(Task).order_by(Task.due_on.nulls_last())).all()
    assert [(t.title, t.due_on, t.is_measure) for t in tasks] == [
        ("补付差额 12800 元", date(2026, 3, 20), True),
        ("复核赎回流程", None, True),
    ]
    (judged,) = service.approvals_of(session, plan)
    assert (judged.decision, judged.plan_hash, judged.reason) == ("approved", plan.hash, "同意")
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "case.approve")).one()
    assert plan.hash.encode() in entry.doc


def test_a_draft_is_rewritten_in_place(session, actor, number, form, rev):
    first = service.save_draft(session, actor, number, form(), rev=rev(number))
    before = first.hash
    again = service.save_draft(session, actor, number, form(goal="另一目标"), rev=rev(number))
    session.commit()
    assert (again.id, again.version) == (first.id, 1)
    assert again.hash != before
    assert "plan_drafted" in find(session, actor, number).facts


def test_two_drafters_do_not_overwrite_each_other(session, actor, number, form, rev):
    seen = rev(number)
    service.save_draft(session, actor, number, form(), rev=seen)
    with pytest.raises(Stale):
        service.save_draft(session, actor, number, form(goal="后来的"), rev=seen)


def test_nothing_is_submitted_without_a_plan(session, actor, approver, number, rev):
    with pytest.raises(PlanMissing):
        service.submit(session, actor, number, rev=rev(number))


def test_the_gates_of_the_stage_still_hold(session, actor, approver, number, form, rev):
    service.save_draft(session, actor, number, form(), rev=rev(number))
    case = find(session, actor, number)
    case.facts = {k: v for k, v in case.facts.items() if k != "wish_recorded"}
    session.commit()
    with pytest.raises(GatesUnmet):
        service.submit(session, actor, number, rev=rev(number))


@pytest.mark.parametrize("verb", ["submit_plan", "approve", "return_plan", "withdraw_plan"])
def test_the_general_move_does_not_touch_plans(session, actor, number, rev, verb):
    with pytest.raises(NotFound):
        cases.move(session, actor, number, verb, rev=rev(number), reason="走捷径")


def test_a_submitted_plan_is_not_edited(session, actor, number, form, rev, submitted):
    submitted()
    with pytest.raises(MoveNotAllowed):
        service.save_draft(session, actor, number, form(goal="改一下"), rev=rev(number))


def test_an_approval_binds_what_was_read(session, actor, approver, number, form, rev, submitted):
    read = submitted().hash
    service.withdraw_plan(session, actor, number, rev=rev(number), reason="金额有误")
    newer = service.save_draft(
        session, actor, number, form(amount=Decimal(128000)), rev=rev(number)
    )
    service.submit(session, actor, number, rev=rev(number))
    session.commit()
    assert (newer.version, newer.state) == (2, PlanState.SUBMITTED)
    with pytest.raises(PlanChanged):
        service.approve(session, approver, number, read, rev=rev(number))
    session.rollback()
    with pytest.raises(PlanChanged):
        service.return_plan(session, approver, number, read, rev=rev(number), reason="不妥")


def test_a_returned_plan_says_why_and_gets_a_new_version(
    session, actor, approver, number, form, rev, submitted
):
    plan = submitted()
    with pytest.raises(Invalid):
        service.return_plan(session, approver, number, plan.hash, rev=rev(number), reason="")
    session.rollback()
    service.return_plan(session, approver, number, plan.hash, rev=rev(number), reason="依据不足")
    session.commit()
    case = find(session, actor, number)
    assert (case.stage, plan.state) == (Stage.PLAN, PlanState.RETURNED)
    assert "plan_drafted" not in case.facts
    with pytest.raises(PlanMissing):
        service.submit(session, actor, number, rev=rev(number))
    session.rollback()
    newer = service.save_draft(session, actor, number, form(), rev=rev(number))
    assert newer.version == 2
    assert plan.state == PlanState.RETURNED


def test_a_changed_plan_replaces_the_open_measures(
    session, actor, approver, number, form, rev, submitted
):
    plan = submitted()
    service.approve(session, approver, number, plan.hash, rev=rev(number))
    cases.move(session, actor, number, "change_plan", rev=rev(number), reason="投诉人另有要求")
    newer = service.save_draft(
        session, actor, number, form(measures=(Measure(title="上门说明"),)), rev=rev(number)
    )
    service.submit(session, actor, number, rev=rev(number))
    session.flush()
    assert plan.state == PlanState.SUPERSEDED
    service.approve(session, approver, number, newer.hash, rev=rev(number))
    session.commit()
    still_open = session.scalars(select(Task.title).where(Task.done_at.is_(None))).all()
    assert still_open == ["上门说明"]
    assert find(session, actor, number).counts["measures_open"] == 1


# -- who judges --------------------------------------------------------------------------------


def test_neither_role_nor_haste_lets_the_drafter_approve(session, actor, number, rev, submitted):
    plan = submitted()
    with pytest.raises(Refused):
        service.approve(session, actor, number, plan.hash, rev=rev(number))


@pytest.mark.parametrize("part", [p for p in Part if p not in {Part.APPROVER, Part.SUPERVISOR}])
def test_a_part_once_held_bars_for_ever(session, actor, approver, number, rev, submitted, part):
    """Handing the case away does not clear it; only a naming may be lifted, as a mistake."""
    plan = submitted()
    over = part is not Part.SUBJECT
    case = find(session, actor, number)
    session.add(
        Participation(
            case_id=case.id, account_id=approver.id, name=approver.name, part=part.value,
            by_id=actor.id, since=case.received_at, until=case.received_at if over else None,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(SecondPersonRequired):
        service.approve(session, approver, number, plan.hash, rev=rev(number))
    session.rollback()
    with pytest.raises(SecondPersonRequired):
        service.return_plan(session, approver, number, plan.hash, rev=rev(number), reason="不妥")
    session.rollback()
    case = find(session, actor, number)
    assert approver.id not in [p.account_id for p in service.eligible_approvers(session, case)]


def test_too_few_people_stop_the_step(session, actor, number, form, rev, make_actor):
    plan_form = form()
    service.save_draft(session, actor, number, plan_form, rev=rev(number))
    session.commit()
    with pytest.raises(NobodyLeft) as caught:
        service.submit(session, actor, number, rev=rev(number))
    assert "审批人" in str(caught.value.message)
    session.rollback()
    make_actor("approver")
    service.submit(session, actor, number, rev=rev(number))
    assert find(session, actor, number).stage == Stage.APPROVAL


def test_a_large_sum_needs_two_people_to_be_there(session, actor, approver, number, form, rev):
    service.save_draft(session, actor, number, form(amount=Decimal("1000000.01")), rev=rev(number))
    session.commit()
    with pytest.raises(NobodyLeft):
        service.submit(session, actor, number, rev=rev(number))


@pytest.mark.parametrize(
    ("amount", "people"), [(None, 1), ("0", 1), ("999999.99", 1), ("1000000", 2), ("1000000.01", 2)]
)
def test_the_ladder_of_authority(amount, people):
    assert approvers_for(None if amount is None else Decimal(amount)) == people


def test_over_the_limit_the_first_waits_for_a_second(
    session, actor, approver, second, number, rev, submitted
):
    plan = submitted(amount=Decimal(2500000))
    service.approve(session, approver, number, plan.hash, rev=rev(number))
    session.commit()
    case = find(session, actor, number)
    assert (case.stage, plan.state) == (Stage.APPROVAL, PlanState.SUBMITTED)
    assert "plan_approved" not in case.facts
    with pytest.raises(AlreadyApproved):
        service.approve(session, approver, number, plan.hash, rev=rev(number))
    session.rollback()
    with pytest.raises(AlreadyApproved):
        service.return_plan(session, approver, number, plan.hash, rev=rev(number), reason="反悔")
    session.rollback()
    service.approve(session, second, number, plan.hash, rev=rev(number))
    session.commit()
    assert find(session, actor, number).stage == Stage.IMPLEMENTATION
    assert [a.by_name for a in service.approvals_of(session, plan)] == ["顾明远", "邵一帆"]
    assert all(a.over_limit for a in service.approvals_of(session, plan))


def test_a_first_approval_falls_with_the_version(
    session, actor, approver, second, number, form, rev, submitted
):
    plan = submitted(amount=Decimal(2500000))
    service.approve(session, approver, number, plan.hash, rev=rev(number))
    service.withdraw_plan(session, actor, number, rev=rev(number), reason="改金额")
    newer = service.save_draft(
        session, actor, number, form(amount=Decimal(2600000)), rev=rev(number)
    )
    service.submit(session, actor, number, rev=rev(number))
    service.approve(session, second, number, newer.hash, rev=rev(number))
    session.commit()
    assert find(session, actor, number).stage == Stage.APPROVAL


# -- comparing and forms -----------------------------------------------------------------------


def test_precedents_are_like_cases_one_may_know_of(
    session, actor, approver, put, form, rev, make_actor
):
    def closed(key, **columns):
        number = put(key=key)
        service.save_draft(session, actor, number, form(goal=f"目标 {key}"), rev=rev(number))
        plan = service.submit(session, actor, number, rev=rev(number))
        service.approve(session, approver, number, plan.hash, rev=rev(number))
        case = find(session, actor, number)
        case.state, case.closed_at, case.finding = "closed", case.received_at, "upheld"
        for name, value in columns.items():
            setattr(case, name, value)
        session.commit()
        return number

    walled = make_actor("complaint_officer")
    like, other = closed("1"), closed("2", category="B1")
    secret = closed("3", walled=[walled.id])
    present = find(session, actor, put(key="4"))
    found = service.precedents(session, actor, present)
    assert {p.number for p in found} == {like, secret}
    assert {(p.goal, p.amount) for p in found} >= {("目标 1", Decimal("12800.00"))}
    assert other not in {p.number for p in found}
    assert [p.number for p in service.precedents(session, walled, present)] == [like]
    assert len(service.precedents(session, actor, present, limit=1)) == 1


def test_a_measure_goes_to_nobody_who_must_keep_away(
    session, actor, investigator, number, form, rev
):
    case = find(session, actor, number)
    case.walled = [investigator.id]
    session.commit()
    measures = (Measure(title="复核流程", owner_id=investigator.id),)
    with pytest.raises(Invalid) as caught:
        service.save_draft(session, actor, number, form(measures=measures), rev=rev(number))
    assert set(caught.value.fields) == {"measures"}


def test_rows_of_inputs_become_measures(investigator):
    fields = PlanFields(
        goal="目标", basis="依据",
        measure_title=("补付", " ", "复核流程"),
        measure_owner=(str(investigator.id), "", ""),
        measure_due=("2026-03-20", ""),
    )  # fmt: skip
    assert fields.plan().measures == (
        Measure(title="补付", owner_id=investigator.id, due_on=date(2026, 3, 20)),
        Measure(title="复核流程"),
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"measure_title": ()}, "measure_title"),
        ({"measure_title": ("补",)}, "measure_title"),
        ({"measure_title": ("补付",), "measure_owner": ("谁",)}, "measure_owner"),
        ({"measure_title": ("补付",), "measure_due": ("明天",)}, "measure_due"),
    ],
)
def test_a_wrong_row_is_told_at_its_input(wrong, field):
    with pytest.raises(Invalid) as caught:
        PlanFields(goal="目标", basis="依据", **wrong).plan()
    assert set(caught.value.fields) == {field}
