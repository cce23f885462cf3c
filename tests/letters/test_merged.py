"""Merged cases: one is handled, and each of their complainants is answered."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from huiyin.app.reconcile import unmatched
from huiyin.cases import closing, duties, opened, people, service, subjects, tracking, transfers
from huiyin.cases.change import find
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.gates import EXIT, unmet
from huiyin.cases.models import Entry
from huiyin.cases.queries import Filter, inbox
from huiyin.cases.schemas import AssignForm, SubjectForm
from huiyin.cases.stages import HANDLING, Audience, Part, Source, Stage
from huiyin.cases.transfers import TransferLetter
from huiyin.cases.verbs import VERBS
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor, system_actor
from huiyin.kit.errors import Conflict, Invalid, NotFound
from huiyin.kit.time import clock_at, now, today
from huiyin.ledger.models import LedgerEntry
from huiyin.letters import service as papers
from huiyin.letters.schemas import AnswerForm
from huiyin.letters.tasks import answer_merged
from huiyin.letters.wording import LetterKind
from huiyin.queue.models import OutboxEvent

GOOD = AnswerForm(
    findings="经核查，赎回款因账户信息校验未通过而退回。",
    outcome="我公司已重新划付，并就说明不及时致歉。",
    basis="基金合同第 18 条关于赎回款支付的约定。",
)


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def pair(session, actor, approver, file, put):
    """A master and the case merged into it: their numbers."""
    master, second = file("1"), file("2", name="吴晓兰", email="wu@example.test")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    merge(session, actor, approver, second, master)
    return master, second


def merge(session, actor, approver, number, master):
    """Proposed by whoever handles it, confirmed by somebody who does not."""
    rev = find(session, actor, number).version
    closing.propose_merge(session, actor, number, master, rev=rev, reason="同一产品同一事项")
    session.commit()
    service.move(session, approver, number, "merge", rev=find(session, actor, number).version)
    session.commit()


def answer(session, actor, approver, number, form=GOOD):
    letter = papers.draft_answer(session, actor, number, form)
    session.commit()
    papers.release(session, approver, number, letter.id, letter.fingerprint, rev=None)
    session.commit()


def clocks(session, number, actor):
    case = find(session, actor, number)
    rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id))
    return {row.kind for row in rows if row.stopped_at is None}


def waits(case):
    return [gate.name for gate in unmet(case, EXIT[Stage.ARCHIVE])]


def test_a_merged_case_keeps_the_clock_of_its_answer_and_no_other(session, actor, pair):
    _, second = pair
    assert clocks(session, second, actor) == {"reply"}
    case = find(session, actor, second)
    assert not case.is_open
    assert case.next_due_kind == "reply"
    assert second in {row.number for row in inbox(session, actor, Filter())}


def test_its_complainant_is_told_of_both_facts_at_once(session, actor, pair):
    _, second = pair
    case = find(session, actor, second)
    (told,) = session.scalars(
        select(Entry).where(
            Entry.case_id == case.id,
            Entry.verb == "tell_merged",
            Entry.audience == Audience.COMPLAINANT.value,
        )
    ).all()
    day = tracking.track(session, case).promised_by
    assert "合并办理" in told.body
    assert f"最晚于 {day.year} 年 {day.month} 月 {day.day} 日书面答复您" in told.body
    assert "同一产品同一事项" not in told.body  # why is for the firm


def test_no_date_that_has_passed_is_promised(session, actor, approver, file, put):
    with clock_at(now() - timedelta(days=90)):
        master, second = file("1"), file("2")
    put(master, Stage.PRELIMINARY)
    merge(session, actor, approver, second, master)
    told = session.scalars(select(Entry).where(Entry.verb == "tell_merged")).one()
    assert "我公司将尽快书面答复您" in told.body


def test_the_masters_answer_answers_each_with_a_number_and_a_name_of_its_own(
    session, actor, approver, pair, run, letters, tenant
):
    master, second = pair
    assert "merged_answered" in waits(find(session, actor, master))
    answer(session, actor, approver, master)
    run()
    own, theirs = (
        next(x for x in letters(n) if x.kind == LetterKind.ANSWER) for n in (master, second)
    )
    assert own.number != theirs.number
    assert (own.document["addressee"], theirs.document["addressee"]) == ("陈建国", "吴晓兰")
    assert theirs.document["case_number"] == second
    assert own.document["sections"] != []
    assert GOOD.outcome in str(theirs.document)
    assert theirs.state == "sent"
    _, pdf = papers.pdf_of(session, complainant_actor(tenant.id), second, theirs.id)
    assert pdf.startswith(b"%PDF-")
    assert clocks(session, second, actor) == set()
    case = find(session, actor, second)
    assert case.answered_at is not None
    assert case.next_due_at is None
    assert "merged_answered" not in waits(find(session, actor, master))
    assert unmatched(session) == 0


def test_it_is_answered_once(session, actor, approver, pair, run, letters):
    master, second = pair
    answer(session, actor, approver, master)
    run()
    run(timedelta(days=1))
    assert [x.kind for x in letters(second)].count(LetterKind.ANSWER) == 1


def test_what_was_drafted_for_it_by_hand_waits_for_a_second_person(
    session, actor, approver, pair, run, letters, make_actor
):
    master, second = pair
    paid = AnswerForm(
        findings=GOOD.findings, outcome="我公司将向您支付人民币 800.00 元。", basis=GOOD.basis
    )
    papers.draft_answer(session, actor, second, paid)
    session.commit()
    answer(session, actor, approver, master)
    run()
    assert "merged_answered" in waits(find(session, actor, master))
    drafter = make_actor("approver", "complaint_officer")
    draft = papers.draft_answer(session, drafter, second, GOOD)
    session.commit()
    with pytest.raises(SecondPersonRequired):
        papers.release(session, drafter, second, draft.id, draft.fingerprint, rev=None)
    session.rollback()
    papers.release(session, approver, second, draft.id, draft.fingerprint, rev=None)
    session.commit()
    assert clocks(session, second, actor) == set()
    assert "merged_answered" not in waits(find(session, actor, master))


def test_nothing_is_merged_into_a_case_that_was_answered(session, actor, approver, pair, file, run):
    master, _ = pair
    answer(session, actor, approver, master)
    third = file("3")
    with pytest.raises(Invalid) as caught:
        merge(session, actor, approver, third, master)
    assert set(caught.value.fields) == {"master"}


def test_a_merged_case_that_is_opened_again_is_owed_by_nobody_else(
    session, actor, approver, pair, run, letters, make_actor
):
    master, second = pair
    rev, other = find(session, actor, second).version, make_actor("supervisor")
    service.move(session, other, second, "reopen", rev=rev, reason="事项不同，单独办理")
    session.commit()
    assert "merged_answered" not in waits(find(session, actor, master))
    answer(session, actor, approver, master)
    run()
    assert LetterKind.ANSWER not in {x.kind for x in letters(second)}


def unmerge(session, approver, number):
    rev = find(session, approver, number).version
    service.move(session, approver, number, "unmerge", rev=rev, reason="核对后事项不同")
    session.commit()


def test_a_parted_case_does_not_get_the_masters_answer(
    session, actor, approver, pair, run, letters
):
    master, second = pair
    unmerge(session, approver, second)
    assert "merged_answered" not in waits(find(session, actor, master))
    answer(session, actor, approver, master)
    run()
    assert LetterKind.ANSWER not in {x.kind for x in letters(second)}
    assert "reply" in clocks(session, second, actor)


def test_an_answer_on_its_way_does_not_reach_who_is_handled_elsewhere_meanwhile(
    session, actor, approver, pair, file, put, run, letters
):
    """Parted and merged into a third case between the signing and the job."""
    master, second = pair
    third = file("3")
    put(third, Stage.PRELIMINARY)
    answer(session, actor, approver, master)
    heard = select(OutboxEvent).where(OutboxEvent.kind == "letter.sent")
    sent = session.scalars(heard.order_by(OutboxEvent.id.desc())).first()
    job = SimpleNamespace(payload={"letter": sent.payload["letter"], "letter_kind": "answer"})
    unmerge(session, approver, second)
    merge(session, actor, approver, second, third)
    case = find(session, actor, second)
    late = SimpleNamespace(
        payload=job.payload, object_id=case.id, actor=system_actor(session.tenant)
    )
    answer_merged(session, late)
    assert LetterKind.ANSWER not in {x.kind for x in letters(second)}
    assert "merged_owed" in find(session, actor, second).facts


def test_the_masters_answer_leaves_the_letters_of_every_road_waiting(
    session, actor, approver, pair, run
):
    master, second = pair
    for number, mark in ((master, "m"), (second, "s")):
        letter = TransferLetter(
            mark=mark, source=Source.CSRC, received_at=now(), due_on=today() + timedelta(days=9)
        )
        transfers.receive_transfer(session, actor, number, letter)
    session.commit()
    answer(session, actor, approver, master)
    run()
    assert clocks(session, second, actor) == {"transfer"}
    assert {"transfer"} <= clocks(session, master, actor)
    transfers.answer_transfer(session, approver, second, "演复 1 号", mark="s")
    session.commit()
    assert clocks(session, second, actor) == set()
    assert "transfer" in clocks(session, master, actor)


def test_both_pages_name_the_other_to_whoever_may_know_of_it(session, actor, pair, make_actor):
    master, second = pair
    assert [x.number for x in opened.open_page(session, actor, master).merged] == [second]
    assert opened.open_page(session, actor, second).master == master
    case = find(session, actor, second)
    named = make_actor("approver")
    case.walled = [named.id]
    session.flush()
    assert opened.open_page(session, named, master).merged == ()
    case.walled, find(session, actor, master).walled = [], [named.id]
    session.flush()
    assert opened.open_page(session, named, second).master == ""


def test_the_pages_lead_to_each_other(actor, pair, web):
    master, second = pair
    person = web(actor)
    assert f'href="/t/qinghe/w/cases/{second}"' in person.get(f"/t/qinghe/w/cases/{master}").text
    page = person.get(f"/t/qinghe/w/cases/{second}").text
    assert f'href="/t/qinghe/w/cases/{master}"' in page
    assert "主案答复签发后一并答复本案投诉人" in page


# -- one matter: who is named, or had a hand, in one of them --------------------------------------


@pytest.fixture
def named(session, actor, approver, make_actor, file, put):
    """Who is named in the case that is merged, and the numbers of both."""
    subject = make_actor("approver", name="被投诉的审批人")
    master, second = file("1"), file("2", name="吴晓兰", email="wu@example.test")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    name(session, actor, second, subject)
    merge(session, actor, approver, second, master)
    return subject, master, second


def name(session, by, number, subject):
    form = SubjectForm(account_id=subject.id, reason="投诉内容指向此人")
    subjects.name_subject(session, by, number, form)
    session.commit()


def test_who_is_named_in_a_merged_case_does_not_know_of_its_master(session, actor, named):
    subject, master, second = named
    for number in (master, second):
        with pytest.raises(NotFound):
            find(session, subject, number)
    case = find(session, actor, master)
    for verb in ("approve", "release_answer", "archive"):
        able = {person.account_id for person in duties.able(session, case, VERBS[verb])}
        assert subject.id not in able
    told = [e for e in ledger_of(session, "case.name_subject") if e["number"] == master]
    assert [e["subject"] for e in told] == [str(subject.id)]
    draft = papers.draft_answer(session, actor, master, GOOD)
    session.commit()
    with pytest.raises(NotFound):
        papers.release(session, subject, master, draft.id, draft.fingerprint, rev=None)


def ledger_of(session, kind):
    return [
        json.loads(entry.doc)["facts"]
        for entry in session.scalars(select(LedgerEntry).where(LedgerEntry.kind == kind))
    ]


def test_who_is_named_in_the_master_loses_sight_of_what_is_merged_into_it(
    session, actor, approver, make_actor, file, put
):
    subject = make_actor("approver", name="被投诉的审批人")
    master, second = file("1"), file("2")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    name(session, actor, master, subject)
    merge(session, actor, approver, second, master)
    with pytest.raises(NotFound):
        find(session, subject, second)


def test_naming_and_lifting_afterwards_hold_for_both(session, actor, approver, pair, make_actor):
    subject = make_actor("approver", name="被投诉的审批人")
    for at, other in (pair, pair[::-1]):
        name(session, actor, at, subject)
        with pytest.raises(NotFound):
            find(session, subject, other)
        form = SubjectForm(account_id=subject.id, reason="同名，登记有误")
        with pytest.raises(Conflict):  # named there on its own account
            subjects.lift_subject(session, approver, other, form)
        session.rollback()
        subjects.lift_subject(session, approver, at, form)
        session.commit()
        assert find(session, subject, other).number == other


def test_whoever_handled_the_merged_case_does_not_judge_its_master(
    session, actor, approver, make_actor, file, put
):
    both = make_actor("approver", "complaint_officer", name="办理过并入案件的审批人")
    master, second = file("1"), file("2")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    service.talk(session, both, second, "call", "已联系投诉人核对账户")
    session.commit()
    merge(session, actor, approver, second, master)
    draft = papers.draft_answer(session, actor, master, GOOD)
    session.commit()
    with pytest.raises(SecondPersonRequired):
        papers.release(session, both, master, draft.id, draft.fingerprint, rev=None)
    session.rollback()
    case = find(session, actor, master)
    assert both.id not in {judge.account_id for judge in people.judges(session, case)}
    barred = func.duty_barred(case.tenant_id, case.id, both.id)
    assert session.scalar(select(barred)) == "assistant", "the database says the same"


def test_what_would_leave_nobody_to_judge_both_is_not_merged(
    session, actor, approver, make_actor, file, put
):
    other = make_actor("approver", name="另一位审批人")
    master, second = file("1"), file("2")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    name(session, actor, master, approver)
    name(session, actor, second, other)
    with pytest.raises(Invalid) as refused:
        merge(session, actor, approver, second, master)
    assert refused.value.fields["master"].key == subjects.NOBODY_FOR_BOTH


def test_who_was_named_in_both_stays_named_in_one(session, actor, approver, make_actor, file, put):
    subject = make_actor("approver", name="被投诉的审批人")
    master, second = file("1"), file("2")
    put(master, Stage.RESPONSE)
    put(second, Stage.PRELIMINARY)
    for number in (master, second):
        name(session, actor, number, subject)
    merge(session, actor, approver, second, master)
    form = SubjectForm(account_id=subject.id, reason="同名，登记有误")
    with pytest.raises(Conflict) as refused:
        subjects.lift_subject(session, approver, second, form)
    assert refused.value.message.params["number"] == master


def test_a_master_is_not_merged_itself(session, actor, approver, pair, file, put):
    master, _ = pair
    third = file("3")
    put(third, Stage.PRELIMINARY)
    put(master, Stage.PRELIMINARY)
    with pytest.raises(Invalid) as refused:
        merge(session, actor, approver, master, third)
    assert refused.value.fields["master"].key == subjects.IS_A_MASTER
    session.rollback()
    merge(session, actor, approver, third, master)  # the other way round it is one matter
    assert find(session, actor, third).master_id == find(session, actor, master).id


def test_whoever_handles_the_master_does_not_sign_for_what_is_merged_into_it(
    session, actor, approver, pair, make_actor
):
    master, second = pair
    both = make_actor("approver", "complaint_officer", name="办理主案的审批人")
    service.talk(session, both, master, "call", "已联系投诉人核对账户")
    draft = papers.draft_answer(session, actor, second, GOOD)
    session.commit()
    with pytest.raises(SecondPersonRequired):
        papers.release(session, both, second, draft.id, draft.fingerprint, rev=None)
    session.rollback()
    case = find(session, actor, second)
    barred = func.duty_barred(case.tenant_id, case.id, both.id)
    assert session.scalar(select(barred)) == "assistant", "the database says the same"


def test_a_parting_makes_nobody_somebody_from_outside(session, actor, approver, pair, make_actor):
    master, second = pair
    there, judge = make_actor("complaint_officer"), make_actor("approver")
    make_actor("investigator")  # who had no hand in either
    service.talk(session, there, master, "call", "已联系投诉人核对账户")
    session.commit()
    case = find(session, actor, second)
    service.move(session, judge, second, "reopen", rev=case.version, reason="事实不同")
    session.commit()
    parted, other = find(session, actor, second), find(session, actor, master)
    assert parted.master_id is None
    for one in (parted, other):
        for person in (actor, there):
            assert duties.parts_of(session, one, person.id) & HANDLING
    form = AssignForm(part=Part.INVESTIGATOR.value, account_id=there.id)
    with pytest.raises(Invalid):  # the new round is investigated by somebody who had no hand
        people.assign(session, actor, second, form)


def test_a_reopened_master_waits_for_nothing_that_was_settled_meanwhile(
    session, actor, pair, make_actor, tenant
):
    master, second = pair
    judge, investor = make_actor("approver"), complainant_actor(tenant.id)
    tracking.withdraw(session, investor, find(session, actor, master), "已经解决")
    session.commit()
    rev = find(session, actor, second).version
    service.move(session, judge, second, "reopen", rev=rev, reason="事实不同")
    session.commit()
    assert find(session, actor, master).counts["merged_owed"] == 0
