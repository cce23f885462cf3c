"""Who is named in a case no longer sees it; that has a reason, leaves judges, and can be mended."""

import pytest
from sqlalchemy import select

from huiyin.cases import people, subjects
from huiyin.cases.change import find
from huiyin.cases.duties import parts_of
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Entry, Participation
from huiyin.cases.schemas import SubjectForm
from huiyin.cases.stages import Part
from huiyin.kit.errors import Invalid, NotFound, Refused
from huiyin.ledger.models import LedgerEntry
from huiyin.queue.models import OutboxEvent

DESK = "/t/qinghe/w/cases"


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def second(make_actor):
    return make_actor("approver", name="邵一帆")


@pytest.fixture
def supervisor(make_actor):
    return make_actor("supervisor", name="唐宁")


@pytest.fixture
def case(session, actor):
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
    )  # fmt: skip
    session.commit()
    return find(session, actor, filed.number)


@pytest.fixture
def name(session, actor, case):
    def act(person, reason="投诉内容指向此人"):
        form = SubjectForm(account_id=person.id, reason=reason)
        subjects.name_subject(session, actor, case.number, form)
        session.commit()

    return act


@pytest.fixture
def lift(session, case):
    def act(by, person, reason="同名，登记有误"):
        form = SubjectForm(account_id=person.id, reason=reason)
        subjects.lift_subject(session, by, case.number, form)
        session.commit()

    return act


def test_nobody_is_named_without_a_reason(name, approver, second, case):
    with pytest.raises(Invalid) as refused:
        name(approver, reason="")
    assert list(refused.value.fields) == ["reason"]
    assert approver.id not in case.walled


def test_naming_is_told_to_subscribers(session, name, approver, second):
    name(approver)
    assert "case.subject_named" in session.scalars(select(OutboxEvent.kind)).all()


def test_the_last_who_may_approve_is_not_walled(session, name, approver, second, case):
    name(approver)
    with pytest.raises(Invalid) as refused:
        name(second)
    assert refused.value.fields["account_id"].key == subjects.NO_JUDGE
    session.rollback()
    assert second.id not in find(session, second, case.number).walled


def test_an_approver_who_handled_leaves_nobody_behind(session, name, approver, second, case):
    session.add(
        Participation(
            case_id=case.id, account_id=second.id, name="邵一帆", part="assistant",
            by_id=second.id,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(Invalid):
        name(approver)


def test_the_last_supervisor_is_not_walled(name, approver, supervisor, make_actor):
    with pytest.raises(Invalid) as refused:
        name(supervisor)
    assert refused.value.fields["account_id"].key == subjects.NO_SUPERVISOR
    make_actor("supervisor")
    name(supervisor)


def test_a_mistake_is_lifted_by_somebody_who_is_not_named(
    session, name, lift, actor, approver, second, supervisor, case
):
    name(approver)
    with pytest.raises(Refused):
        lift(actor, approver)
    session.rollback()
    with pytest.raises(NotFound):
        lift(approver, approver)
    session.rollback()
    with pytest.raises(Invalid):
        lift(second, approver, reason="")
    session.rollback()
    lift(supervisor, approver)
    assert find(session, approver, case.number).id == case.id


def test_who_was_cleared_judges_again_and_the_history_keeps_both(
    session, name, lift, approver, second, case
):
    name(approver)
    lift(second, approver)
    assert Part.SUBJECT not in parts_of(session, case, approver.id)
    assert approver.id in {judge.account_id for judge in people.judges(session, case)}
    held = session.scalars(
        select(Participation).where(Participation.account_id == approver.id)
    ).one()
    assert held.until is not None
    verbs = session.scalars(select(Entry.verb).where(Entry.case_id == case.id)).all()
    assert {"name_subject", "lift_subject"} <= set(verbs)
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert {"case.name_subject", "case.lift_subject"} <= set(kinds)
    name(approver)
    with pytest.raises(NotFound):
        find(session, approver, case.number)


def test_nobody_is_cleared_who_was_not_named(lift, second, approver):
    with pytest.raises(Invalid):
        lift(second, approver)


def test_it_is_lifted_on_the_page(session, web, name, approver, second, case):
    name(approver)
    browser = web(second)
    assert f"{DESK}/{case.number}/subject/lift" in browser.get(f"{DESK}/{case.number}").text
    sheet = browser.get(f"{DESK}/{case.number}/subject/lift")
    assert "顾明远" in sheet.text
    fields = {"account_id": str(approver.id), "rev": str(case.version)}
    assert browser.post(f"{DESK}/{case.number}/subject/lift", fields).status_code == 422
    done = browser.post(
        f"{DESK}/{case.number}/subject/lift", {**fields, "reason": "同名，登记有误"}
    )
    assert done.status_code == 303
    assert web(approver).get(f"{DESK}/{case.number}").status_code == 200
