"""Nobody on the staff ends a complaint alone: it is proposed, and somebody else confirms."""

import pytest
from sqlalchemy import select

from huiyin.cases import closing, merging, people, service, tracking
from huiyin.cases.change import find
from huiyin.cases.errors import MoveNotAllowed, NobodyLeft, SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.queries import Filter, inbox
from huiyin.cases.schemas import AssignForm
from huiyin.cases.stages import Audience, Part, Stage
from huiyin.cases.verbs import VERBS
from huiyin.cases.waiting import counting
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.kit.time import now
from huiyin.queue.models import OutboxEvent

WHY = "您来电说明问题已经解决，撤回投诉"
ENDINGS = ("decline", "transfer", "merge", "withdraw")


def entries_of(session, case):
    return session.scalars(select(Entry).where(Entry.case_id == case.id).order_by(Entry.seq)).all()


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def file(session, actor):
    def make(key):
        filing = Filing(
            channel="phone", idem_key=key, story="赎回款迟迟未到账", phone="13800000000"
        )
        case = find(session, actor, file_complaint(session, actor, filing).number)
        case.category, case.severity = "C1", "S2"
        session.commit()
        return case

    return make


@pytest.fixture
def case(file):
    return file("1")


@pytest.fixture
def complainant(tenant):
    return complainant_actor(tenant.id)


@pytest.fixture
def do(session):
    def act(person, case, verb, reason=""):
        service.move(session, person, case.number, verb, rev=case.version, reason=reason)
        session.commit()
        return find(session, person, case.number)

    return act


@pytest.fixture
def propose(session, actor, file, do):
    def ask(case, what, reason=WHY):
        if what != "merge":
            return do(actor, case, f"propose_{what}", reason)
        rev, master = case.version, file("master").number
        closing.propose_merge(session, actor, case.number, master, rev=rev, reason=reason)
        session.commit()
        return find(session, actor, case.number)

    return ask


def running(session, case):
    session.expire_all()
    found = select(ClockRow.kind).where(ClockRow.case_id == case.id, ClockRow.stopped_at.is_(None))
    return set(session.scalars(found))


@pytest.mark.parametrize("what", ENDINGS)
def test_an_officer_ends_nothing_alone(actor, approver, case, propose, do, what, session):
    with pytest.raises(Refused):
        do(actor, case, what, WHY)
    session.rollback()
    with pytest.raises(MoveNotAllowed):
        do(approver, case, what, WHY)  # nor does an approver whom nobody asked
    session.rollback()
    before = running(session, case)
    asked = propose(case, what)
    assert asked.is_open
    assert running(session, case) == before
    with pytest.raises(Refused):
        do(actor, asked, what, WHY)
    session.rollback()
    assert find(session, actor, case.number).is_open


@pytest.mark.parametrize("what", ENDINGS)
def test_once_confirmed_it_is_done_and_the_complainant_reads_why(
    session, approver, case, propose, do, what
):
    ended = do(approver, propose(case, what), what)
    assert ended.outcome == VERBS[what].closes
    entry = session.scalars(select(Entry).where(Entry.verb == what)).one()
    assert (entry.body, entry.audience) == (WHY, Audience.COMPLAINANT.value)
    assert entry.data["proposed_by"] == "沈佳宁"
    told = session.scalars(select(OutboxEvent.kind).order_by(OutboxEvent.id)).all()
    assert VERBS[what].outbox in told
    # Whoever was merged is still owed an answer, and is told so.
    assert running(session, case) == ({"reply"} if what == "merge" else set())
    assert "end_asked" not in ended.facts
    lines = [entry.verb for entry in entries_of(session, case)]
    assert [line for line in lines if line != "tell_merged"][-2:] == [f"propose_{what}", what]
    assert ("tell_merged" in lines) == (what == "merge")


def test_a_merger_leads_to_the_case_that_was_named(session, approver, case, propose, do):
    ended = do(approver, propose(case, "merge"), "merge")
    master = find(session, approver, ended.facts["end_confirmed"]["master"])
    assert ended.master_id == master.id
    entry = entries_of(session, master)[-1]
    assert entry.data == {"merged": case.number}


def test_a_master_is_named_on_the_sheet_to_those_only_who_may_know_of_it(
    session, approver, case, propose, web, place
):
    asked = propose(case, "merge")
    number = closing.asked(asked)["master"]
    sheet = f"/t/qinghe/w/cases/{case.number}/do/merge"
    assert number in web(approver).get(sheet).text
    master = session.scalars(select(Case).where(Case.number == number)).one()
    master.walled = [approver.id]
    session.commit()
    walled = web(approver).get(sheet)
    assert WHY in walled.text
    assert number not in walled.text


def test_the_timeline_names_other_cases_to_those_only_who_may_know_of_them(
    session, actor, approver, case, propose, do, web, api, make_actor
):
    investigator = make_actor("investigator", name="陆一帆")
    form = AssignForm(part=Part.INVESTIGATOR.value, account_id=investigator.id)
    people.assign(session, actor, case.number, form, rev=case.version)
    session.commit()
    asked = propose(find(session, actor, case.number), "merge")
    number = closing.asked(asked)["master"]
    do(approver, asked, "merge")
    page, program = f"/t/qinghe/w/cases/{case.number}", f"/api/v1/t/qinghe/cases/{case.number}"
    assert number in web(actor).get(page).text
    assert number in api(actor).get(program).text
    assert number not in web(investigator).get(page).text
    assert number not in api(investigator).get(program).text


@pytest.mark.parametrize("undo", [True, False])
def test_the_timeline_of_a_master_names_none_that_the_reader_may_not_know_of(
    session, actor, approver, case, propose, do, web, make_actor, undo
):
    merged = do(approver, propose(case, "merge"), "merge")
    master = session.get(Case, (session.tenant, merged.master_id))
    if undo:
        merging.unmerge(session, approver, merged.number, WHY, rev=merged.version)
    else:
        merging.settle(session, merged)  # as when it was answered
    investigator = make_actor("investigator", name="陆一帆")
    form = AssignForm(part=Part.INVESTIGATOR.value, account_id=investigator.id)
    people.assign(session, actor, master.number, form, rev=master.version)
    session.commit()
    page = f"/t/qinghe/w/cases/{master.number}"
    assert ("分开办理" if undo else "已答复或另行办理") in web(actor).get(page).text
    assert merged.number in web(actor).get(page).text
    assert merged.number not in web(investigator).get(page).text


def test_whoever_handled_the_case_does_not_confirm(
    session, approver, case, propose, do, make_actor
):
    make_actor("approver", name="罗以宁")
    session.add(
        Participation(
            case_id=case.id, account_id=approver.id, name=approver.name,
            part=Part.ASSISTANT.value, since=now(), by_id=approver.id,
        )
    )  # fmt: skip
    session.commit()
    asked = propose(case, "decline")
    for verb in ("decline", "return_end"):
        with pytest.raises(SecondPersonRequired):
            do(approver, asked, verb, "理由")
        session.rollback()


def test_a_firm_without_an_approver_is_told_whom_it_lacks(session, actor, case, do):
    with pytest.raises(NobodyLeft) as stopped:
        do(actor, case, "propose_decline", WHY)
    assert [str(role) for role in stopped.value.message.params["role"]] == ["审批人"]


def test_a_proposal_is_returned_with_a_reason_or_taken_back_by_its_proposer(
    session, actor, approver, case, propose, do, make_actor
):
    asked = propose(case, "transfer")
    with pytest.raises(Invalid):
        do(approver, asked, "return_end")
    session.rollback()
    returned = do(approver, asked, "return_end", "请先联系投诉人")
    assert returned.is_open
    with pytest.raises(MoveNotAllowed):
        do(approver, returned, "transfer")
    session.rollback()
    asked = do(actor, returned, "propose_decline", "不属于本公司产品")
    with pytest.raises(MoveNotAllowed):  # one at a time
        do(actor, asked, "propose_transfer", "转公安机关")
    session.rollback()
    with pytest.raises(Refused, match="提请人"):
        do(make_actor("complaint_officer", name="别人"), asked, "take_back_end")
    session.rollback()
    assert "end_asked" not in do(actor, asked, "take_back_end").facts


def test_a_proposal_falls_when_its_stage_is_over(session, actor, approver, case, propose, do):
    asked = propose(case, "decline")
    asked.facts = {**asked.facts, "recusal_checked": {"at": ""}}
    session.commit()
    moved = do(actor, asked, "accept")
    assert "end_asked" not in moved.facts
    kept = do(actor, moved, "propose_withdraw", WHY)
    assert kept.facts["end_asked"]["verb"] == "withdraw"


def test_a_complainant_withdraws_alone_and_at_once(
    session, actor, approver, complainant, case, propose
):
    asked = propose(case, "transfer")
    tracking.withdraw(session, complainant, asked, "已经解决")
    session.commit()
    ended = find(session, actor, case.number)
    assert (ended.outcome, ended.ended_by_firm) == ("withdrawn", False)
    assert "end_asked" not in ended.facts
    with pytest.raises(Conflict):
        tracking.ask_review(session, complainant, ended, "改主意了")


@pytest.mark.parametrize("what", ENDINGS)
def test_an_objection_afterwards_is_owed_an_answer(
    session, approver, complainant, case, propose, do, what
):
    ended = do(approver, propose(case, what), what)
    tracking.say(session, complainant, ended, "我没有同意")
    session.commit()
    tracking.say(session, complainant, ended, "请尽快回复")
    session.commit()
    said = [entry.verb for entry in entries_of(session, case)]
    assert said[-2:] == ["ask_review", "say"]
    listed = {row.number for row in inbox(session, approver, Filter()) if row.review_asked}
    assert listed == {case.number}
    with pytest.raises(NobodyLeft):  # who confirmed it does not refuse the objection
        do(approver, find(session, approver, case.number), "refuse_review", "无新事实")


def test_it_stands_among_what_waits_for_an_approver(web, actor, approver, case, propose, session):
    propose(case, "decline", "您反映的平台与我公司无关")
    counts = counting(everything=True).run(session, me=approver.id, soon=now()).one()
    assert counts.approvals == 1
    listed = web(approver).get("/t/qinghe/w/approvals").text
    assert case.number in listed
    assert "提请不予受理" in listed
    page = web(approver).get(f"/t/qinghe/w/cases/{case.number}").text
    assert "您反映的平台与我公司无关" in page
    assert f"/cases/{case.number}/do/decline" in page
    assert f"/cases/{case.number}/do/return_end" in page
    sheet = web(approver).get(f"/t/qinghe/w/cases/{case.number}/do/decline").text
    assert "您反映的平台与我公司无关" in sheet
    assert 'name="reason"' not in sheet
    officer = web(actor).get(f"/t/qinghe/w/cases/{case.number}").text
    assert "等待审批人答复：提请不予受理" in officer
    assert f"/cases/{case.number}/do/take_back_end" in officer
    assert f"/cases/{case.number}/do/propose_transfer" not in officer
    answer = web(approver).post(
        f"/t/qinghe/w/cases/{case.number}/do/decline", {"rev": case.version, "reason": ""}
    )
    assert answer.status_code == 303
    session.expire_all()
    assert find(session, approver, case.number).outcome == "declined"


def test_an_officer_proposes_from_the_page_of_the_case(web, actor, approver, case, session):
    at = f"/t/qinghe/w/cases/{case.number}"
    page = web(actor).get(at).text
    assert f"/cases/{case.number}/do/propose_decline" in page
    assert f"/cases/{case.number}/do/decline" not in page
    words = {"rev": case.version, "reason": "您反映的平台与我公司无关"}
    assert web(actor).post(f"{at}/do/propose_decline", words).status_code == 303
    session.expire_all()
    assert find(session, actor, case.number).stage == Stage.INTAKE
