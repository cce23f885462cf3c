"""A review and a reopened case are for people who had no hand in it before."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import people, service
from huiyin.cases.change import Deed, change, find, tick
from huiyin.cases.errors import HadAPartBefore, NobodyLeft, SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.models import Participation
from huiyin.cases.schemas import AssignForm
from huiyin.cases.stages import Part, Stage
from huiyin.cases.workbench import next_step
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import calendar
from huiyin.kit.errors import Invalid
from huiyin.kit.time import local_date, now
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def second(make_actor):
    return make_actor("approver", name="罗以宁")


@pytest.fixture
def old(make_actor):
    return make_actor("investigator", name="沈知行")


@pytest.fixture
def fresh(make_actor):
    return make_actor("investigator", name="卫之遥")


def play(session, case, person, part):
    session.add(
        Participation(
            case_id=case.id, account_id=person.id, name=person.name, part=part.value,
            since=case.received_at, by_id=person.id,
        )
    )  # fmt: skip


@pytest.fixture
def closed(session, actor, approver, old):
    """Taken by the officer, investigated by one, approved by another, answered and archived."""
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
    )  # fmt: skip
    case = find(session, actor, filed.number)
    case.stage, case.state, case.outcome = Stage.ARCHIVE.value, "closed", "archived"
    case.category, case.severity, case.finding, case.cause = "C1", "S2", "upheld", "RC1-2"
    case.answered_at = case.closed_at = now()
    case.investigator_id, case.team = old.id, [*case.team, old.id]
    play(session, case, old, Part.INVESTIGATOR)
    play(session, case, approver, Part.APPROVER)
    session.commit()
    return case


@pytest.fixture
def reopened(session, second, closed):
    do(session, second, closed, "reopen")
    return find(session, second, closed.number)


def do(session, person, case, verb):
    case = find(session, person, case.number)
    service.move(session, person, case.number, verb, rev=case.version, reason="出现新的事实")
    session.commit()


def give(session, by, case, person, part=Part.INVESTIGATOR):
    people.assign(session, by, case.number, AssignForm(part=part.value, account_id=person.id))
    session.commit()


def parts_now(session, case):
    return session.scalars(
        select(Participation.part).where(
            Participation.case_id == case.id, Participation.until.is_(None)
        )
    ).all()


def meet(session, case, stage, *, without=()):
    case.facts = {**case.facts, **{g: {"at": ""} for g in EXIT[stage] if g not in without}}
    session.commit()


def test_nobody_has_a_part_any_more_and_the_history_stays(session, reopened, old, approver):
    assert (reopened.owner_id, reopened.investigator_id) == (None, None)
    assert parts_now(session, reopened) == []
    ever = session.scalars(select(Participation.part)).all()
    assert set(ever) == {"owner", "investigator", "approver"}


def test_a_review_in_the_follow_up_begins_a_new_round_too(session, second, closed):
    closed.stage, closed.state, closed.closed_at, closed.outcome = "followup", "open", None, None
    session.commit()
    do(session, second, closed, "review")
    case = find(session, second, closed.number)
    assert (case.investigator_id, case.facts["round"]["n"]) == (None, 2)


def test_whoever_handled_an_earlier_round_does_not_investigate_the_next(
    session, actor, old, fresh, reopened
):
    for person in (old, actor):
        with pytest.raises(Invalid) as refused:
            give(session, actor, reopened, person)
        session.rollback()
        told = refused.value.fields["account_id"]
        assert "上一轮" in told.key
        assert told.params["name"] == person.name
    give(session, actor, reopened, fresh)
    assert find(session, actor, reopened.number).investigator_id == fresh.id


def test_the_first_owner_may_keep_the_thread_but_not_the_conclusion(
    session, actor, old, fresh, reopened
):
    give(session, actor, reopened, actor, Part.OWNER)
    give(session, actor, reopened, fresh)
    meet(session, reopened, Stage.INVESTIGATION)
    for person in (actor, old):
        with pytest.raises(HadAPartBefore, match="上一轮"):
            do(session, person, reopened, "conclude")
        session.rollback()
    history = people.participations(session, reopened)
    assert "按职责分离" in next_step(old, reopened, history).barred.key
    do(session, fresh, reopened, "conclude")
    assert find(session, actor, reopened.number).stage == Stage.PLAN


def test_the_investigation_waits_for_its_new_investigator(session, actor, fresh, reopened):
    meet(session, reopened, Stage.INVESTIGATION)
    step = next_step(fresh, reopened, [])
    assert [g.gate.name for g in step.gates if not g.met] == ["investigator_named"]


def test_a_firm_without_anybody_new_is_told_whom_it_lacks(session, actor, old, reopened):
    with pytest.raises(NobodyLeft) as stopped:
        give(session, actor, reopened, old)
    assert stopped.value.message.params["role"].key == "调查员"


@pytest.mark.parametrize("verb", ["reopen", "refuse_review"])
def test_whoever_approved_does_not_decide_on_the_complaint_about_it(
    session, approver, second, closed, verb
):
    closed.facts = {**closed.facts, "review_asked": {"at": ""}}
    session.commit()
    with pytest.raises(SecondPersonRequired) as refused:
        do(session, approver, closed, verb)
    assert [str(part) for part in refused.value.message.params["parts"]] == ["审批人"]
    session.rollback()
    do(session, second, closed, verb)


def test_a_firm_with_one_approver_is_told_whom_it_lacks(session, approver, closed, make_actor):
    with pytest.raises(NobodyLeft) as stopped:
        do(session, approver, closed, "reopen")
    assert [str(role) for role in stopped.value.message.params["role"]] == ["审批人", "监督"]
    session.rollback()
    do(session, make_actor("supervisor"), closed, "reopen")


def test_whoever_approved_an_earlier_round_does_not_approve_the_next(
    session, actor, approver, second, fresh, reopened
):
    give(session, actor, reopened, fresh)
    reopened.stage = Stage.PLAN.value
    meet(session, reopened, Stage.PLAN)
    form = PlanForm(goal="补付", measures=(Measure(title="补付差额"),), basis="合同第 18 条")
    number = reopened.number
    remedies.save_draft(session, fresh, number, form, rev=reopened.version)
    plan = remedies.submit(session, fresh, number, rev=find(session, fresh, number).version)
    session.commit()
    rev = find(session, fresh, number).version
    assert [p.account_id for p in remedies.eligible_approvers(session, reopened)] == [second.id]
    with pytest.raises(HadAPartBefore):
        remedies.approve(session, approver, number, plan.hash, rev=rev)
    session.rollback()
    with pytest.raises(HadAPartBefore):
        remedies.return_plan(session, approver, number, plan.hash, rev=rev, reason="缺依据")
    session.rollback()
    remedies.approve(session, second, number, plan.hash, rev=rev)
    session.commit()


def test_a_third_round_is_closed_to_the_people_of_the_second(
    session, actor, approver, second, fresh, reopened, make_actor
):
    give(session, actor, reopened, fresh)
    change(session, actor, reopened.number, Deed("note", body="第二轮"))
    reopened.stage, reopened.answered_at = Stage.FOLLOWUP.value, now()
    session.commit()
    do(session, second, reopened, "review")
    newest = make_actor("investigator", name="乔安")
    with pytest.raises(Invalid):
        give(session, actor, reopened, fresh)
    session.rollback()
    give(session, actor, reopened, newest)


@pytest.mark.parametrize("verb", ["reopen", "review"])
def test_a_case_that_skipped_the_investigation_has_time_for_it_now(session, second, closed, verb):
    """Accepted long ago: the new investigation counts from now, not from then."""
    begun = datetime(2026, 3, 3, 2, tzinfo=UTC)
    tick(closed, "accepted", begun, {})
    tick(closed, "answered", begun + timedelta(days=7), {})
    if verb == "review":
        closed.stage, closed.state, closed.closed_at = "followup", "open", None
        closed.outcome = None
    session.commit()
    do(session, second, closed, verb)
    found = select(ClockRow).where(ClockRow.kind == "stage", ClockRow.stopped_at.is_(None))
    clock = next(c for c in session.scalars(found) if c.stage == "investigation")
    assert calendar().workdays_between(local_date(clock.started_at), clock.due_on) >= 6
    kinds = [event["kind"] for event in find(session, second, closed.number).clock_events]
    assert kinds.index("stage_entered", kinds.index("answered")) == len(kinds) - 1
