"""Work in a case is somebody's: who sees it, who may have it, and who is reminded of it."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from huiyin.cases import own_tasks, people, subjects, tasks
from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry, Participation, Task
from huiyin.cases.schemas import SubjectForm, TaskForm
from huiyin.cases.stages import Stage
from huiyin.db import tenant_session
from huiyin.kit import keys
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.time import at_local, clock_at
from huiyin.letters import delivery
from huiyin.queue.models import OutboxEvent
from huiyin.queue.registry import REGISTRY
from huiyin.queue.worker import drain
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm

keys.configure(b"thirty-two bytes for tests, only.")
FRIDAY = datetime(2026, 3, 6, 2, tzinfo=UTC)
MONDAY = date(2026, 3, 9)


@pytest.fixture
def investigator(make_actor):
    return make_actor("investigator", name="罗毅")


@pytest.fixture
def case(session, actor):
    """A case the officer handles."""
    filing = Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000")
    filed = file_complaint(session, actor, filing)
    found = find(session, actor, filed.number)
    found.stage, found.category, found.severity = Stage.PLAN.value, "C1", "S2"
    session.commit()
    return found


def give(session, actor, case, person=None, title="调取托管流水", due_on=MONDAY):
    form = TaskForm(title=title, assignee_id=person and person.id, due_on=due_on)
    task = people.add_task(session, actor, case.number, form)
    session.commit()
    return task


# -- who sees it, and who may have it --------------------------------------------------------------


def test_whoever_gets_a_task_may_open_the_case_and_helps_in_it(session, actor, case, investigator):
    with pytest.raises(NotFound):
        find(session, investigator, case.number)
    give(session, actor, case, investigator)
    assert find(session, investigator, case.number) is case
    held = session.scalars(
        select(Participation.part).where(Participation.account_id == investigator.id)
    ).all()
    assert held == ["assistant"]


def test_who_handles_the_case_already_gets_no_second_part(session, actor, case):
    give(session, actor, case, actor)
    assert session.scalars(select(Participation.part)).all() == ["owner"]


@pytest.mark.parametrize("who", ["walled", "no right to finish it", "a stranger"])
def test_nobody_gets_a_task_who_could_not_finish_it(
    session, actor, case, investigator, make_actor, who
):
    if who == "walled":
        form = SubjectForm(account_id=investigator.id, reason="被投诉的经办人")
        subjects.name_subject(session, actor, case.number, form)
        account = investigator.id
    elif who == "a stranger":
        account = uuid.UUID(int=9)
    else:
        account = make_actor("approver").id
    with pytest.raises(Invalid) as caught:
        people.add_task(
            session, actor, case.number, TaskForm(title="调取流水", assignee_id=account)
        )
    assert set(caught.value.fields) == {"assignee_id"}
    session.rollback()
    assert session.scalars(select(Task)).all() == []


def test_an_approved_measure_opens_the_case_to_whoever_carries_it_out(
    session, actor, case, investigator, make_actor
):
    approver, late = make_actor("approver"), make_actor("investigator", name="许朗")
    facts = {"at": "", "by": "", "note": "已核对"}
    case.facts = dict.fromkeys(("precedents_compared", "wish_recorded"), facts)
    measures = (
        Measure(title="补付差额", owner_id=investigator.id),
        Measure(title="复核流程", owner_id=late.id),
        Measure(title="另行通知"),
    )
    plan = PlanForm(goal="补付", basis="合同", measures=measures)
    remedies.save_draft(session, actor, case.number, plan, rev=case.version)
    sent = remedies.submit(session, actor, case.number, rev=case.version)
    subjects.name_subject(
        session, approver, case.number, SubjectForm(account_id=late.id, reason="被投诉的经办人")
    )
    remedies.approve(session, approver, case.number, sent.hash, rev=case.version)
    session.commit()
    assert find(session, investigator, case.number) is case
    with pytest.raises(NotFound):
        find(session, late, case.number)
    made = {task.title: task.assignee_id for task in session.scalars(select(Task))}
    assert made == {"补付差额": investigator.id, "复核流程": actor.id, "另行通知": None}


def test_a_measure_is_not_for_somebody_who_cannot_finish_it(session, actor, case, make_actor):
    measure = Measure(title="补付差额", owner_id=make_actor("approver").id)
    plan = PlanForm(goal="补付", basis="合同", measures=(measure,))
    with pytest.raises(Invalid) as caught:
        remedies.save_draft(session, actor, case.number, plan, rev=case.version)
    assert set(caught.value.fields) == {"measures"}


def test_the_tasks_of_somebody_named_in_the_case_go_to_its_owner(
    session, actor, case, investigator
):
    task = give(session, actor, case, investigator)
    subjects.name_subject(
        session,
        actor,
        case.number,
        SubjectForm(account_id=investigator.id, reason="被投诉的经办人"),
    )
    assert (task.assignee_id, task.assignee_name) == (actor.id, actor.name)
    assert own_tasks.my_tasks(session, investigator).rows == []


# -- the list --------------------------------------------------------------------------------------


def test_my_tasks_are_the_open_ones_due_first(session, actor, case, investigator):
    give(session, actor, case, investigator, "没有期限", None)
    give(session, actor, case, investigator, "晚", MONDAY + timedelta(days=9))
    give(session, actor, case, investigator, "早", MONDAY)
    done = give(session, actor, case, investigator, "已办")
    people.finish_task(session, investigator, case.number, done.id, "流水已附")
    give(session, actor, case, actor, "别人的")
    found = own_tasks.my_tasks(session, investigator)
    assert [row.title for row in found.rows] == ["早", "晚", "没有期限"]
    assert {row.number for row in found.rows} == {case.number}


def test_the_work_list_begins_with_them_and_leads_to_the_case(
    session, actor, case, investigator, web
):
    give(session, actor, case, investigator)
    person = web(investigator)
    page = person.get("/t/qinghe/w").text
    assert "我的任务" in page
    assert f'href="/t/qinghe/w/cases/{case.number}#tasks">调取托管流水' in page
    assert person.get(f"/t/qinghe/w/cases/{case.number}").status_code == 200
    assert "我的任务" not in web(actor).get("/t/qinghe/w").text


def test_a_sentence_of_ours_is_in_the_readers_language_and_theirs_as_written(
    session, actor, case, investigator, web, look
):
    given, ours = give(session, actor, case, investigator), give(session, actor, case, investigator)
    given.title = "核对 {number} 与 {0}"
    ours.title, ours.title_params = delivery.NOT_DELIVERED, {"number": "青禾诉〔2026〕1 号"}
    session.commit()
    look(FRIDAY)
    person = web(investigator)
    for path in ("/t/qinghe/w", f"/t/qinghe/w/cases/{case.number}"):
        for language, sentence in (
            ("zh", "书面答复 青禾诉〔2026〕1 号 未送达，改用其他方式送达"),
            ("en", "Written response 青禾诉〔2026〕1 号 was not delivered: deliver it another way"),
        ):
            page = person.get(f"{path}?lang={language}").text
            assert sentence in page
            assert "核对 {number} 与 {0}" in page


# -- reminders -------------------------------------------------------------------------------------


@pytest.fixture
def look(engine, tenant, actor):
    """Let the scan run at a moment; what the timeline says of tasks: overdue or not."""

    def at(moment):
        with clock_at(moment):
            with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
                tasks.scan(own, None)
                own.commit()
            drain(engine)
        with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
            lines = own.scalars(select(Entry).where(Entry.verb == "remind").order_by(Entry.seq))
            return [line.data["overdue"] for line in lines if "task" in line.data]

    with REGISTRY.isolated() as empty:
        empty.handler(tasks.SCAN)(tasks.scan)
        empty.handler(tasks.TELL)(tasks.tell)
        empty.handler(tasks.TELL_TASK)(tasks.tell_task)
        yield at


def test_a_task_is_reminded_of_on_the_working_day_before_and_when_overdue_each_once(
    session, actor, case, investigator, look
):
    give(session, actor, case, investigator)  # due on a Monday
    assert look(FRIDAY - timedelta(days=1)) == []
    assert look(FRIDAY) == [False]
    assert look(FRIDAY + timedelta(days=3)) == [False]  # on the day itself
    assert look(FRIDAY + timedelta(days=4)) == [False, True]
    assert look(FRIDAY + timedelta(days=9)) == [False, True]
    due = select(OutboxEvent).where(OutboxEvent.kind == "task.due").order_by(OutboxEvent.id)
    events = session.scalars(due).all()
    said = [(e.payload["number"], e.payload["assignee"], e.payload["overdue"]) for e in events]
    assert said == [
        (case.number, str(investigator.id), False),
        (case.number, str(investigator.id), True),
    ]


@pytest.mark.parametrize("meanwhile", ["behind", "closed"])
def test_a_task_that_could_not_be_told_of_just_then_is_told_of_later(
    engine, tenant, session, actor, case, investigator, look, meanwhile
):
    give(session, actor, case, investigator)
    assert look(FRIDAY) == [False]
    midnight = at_local(MONDAY + timedelta(days=1))
    stage, told_at = case.state, midnight + timedelta(seconds=2)
    with clock_at(midnight + timedelta(seconds=1)), tenant_session(engine, tenant.id) as own:
        tasks.scan(own, None)
        own.commit()
    if meanwhile == "behind":
        told_at = midnight - timedelta(seconds=2)
    else:
        ended = {"state": "closed", "closed_at": midnight, "outcome": "withdrawn"}
        session.execute(update(Case).values(ended))
        session.commit()
    with clock_at(told_at):
        drain(engine, ahead=timedelta(minutes=1))
    if meanwhile == "closed":
        session.execute(update(Case).values(state=stage, closed_at=None, outcome=None))
        session.commit()
    assert look(midnight + timedelta(hours=2)) == [False, True]


def test_what_is_done_or_closed_is_not_reminded_of(session, actor, case, investigator, look):
    done = give(session, actor, case, investigator)
    people.finish_task(session, actor, case.number, done.id, "流水已附")
    give(session, actor, case, investigator, "另一项")
    case.state, case.closed_at = "closed", FRIDAY
    session.commit()
    assert look(FRIDAY + timedelta(days=9)) == []
