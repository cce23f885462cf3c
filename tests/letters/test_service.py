"""Letters from draft to release, and those that write themselves."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from huiyin.cases import extensions
from huiyin.cases import service as cases
from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed, SecondPersonRequired
from huiyin.cases.gates import EXIT, states
from huiyin.cases.models import Entry, Participation, Task
from huiyin.cases.stages import IntakeType, Part, Stage
from huiyin.cases.waiting import counting
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import calendar
from huiyin.db import tenant_session
from huiyin.evidence.service import reconcile
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Conflict, NotFound, Refused, Stale
from huiyin.kit.time import now, today
from huiyin.ledger.models import LedgerEntry
from huiyin.letters import delivery, service, tasks
from huiyin.letters.errors import LetterBlocked, LetterChanged, LetterFixed, PdfDamaged
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.schemas import AnswerForm, DeliveryForm, NoticeForm
from huiyin.queue.models import Job, OutboxEvent
from huiyin.queue.registry import JobView
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm
from huiyin.sdk import told_dates

GOOD = AnswerForm(
    findings="经核查，赎回款因账户信息校验未通过而退回。",
    outcome="我公司已重新划付，并就说明不及时向您致歉。",
    basis="基金合同第 18 条关于赎回款支付的约定。",
)


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def number(file, put):
    """A case in the stage of the written answer."""
    number = file()
    put(number, Stage.RESPONSE)
    return number


@pytest.fixture
def draft(session, actor, number):
    letter = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    return letter


@pytest.fixture
def rev(session, actor):
    return lambda number: find(session, actor, number).version


# -- the written answer ------------------------------------------------------------------------


def test_the_answer_goes_out_once_somebody_else_signs(
    session, actor, approver, number, draft, rev, tenant
):
    letter = service.release(
        session, approver, number, draft.id, draft.fingerprint, rev=rev(number)
    )
    session.commit()
    case = find(session, actor, number)
    assert case.answered_at is not None
    assert case.facts["reply_sent"]["note"] == letter.number
    assert case.clock_events[-1]["kind"] == "answered"
    assert (letter.state, letter.released_name) == (LetterState.RELEASED, "顾明远")
    _, pdf = service.pdf_of(session, complainant_actor(tenant.id), number, letter.id)
    assert hashlib.sha256(pdf).hexdigest() == letter.pdf_sha256
    assert pdf.startswith(b"%PDF-")
    entry = session.scalars(select(Entry).where(Entry.verb == "release_answer")).one()
    assert (entry.audience, entry.kind) == ("complainant", "message_out")
    booked = session.scalars(
        select(LedgerEntry.doc).where(LedgerEntry.kind == "case.release_answer")
    ).one()
    assert letter.pdf_sha256.encode() in booked
    assert letter.fingerprint.encode() in booked
    jobs = session.scalars(select(Job.kind).where(Job.kind == service.SEND)).all()
    assert jobs == [service.SEND]
    assert reconcile(session) == 0


def test_the_printed_letter_is_the_same_however_often_it_is_asked_for(
    session, actor, number, draft
):
    one = service.pdf_of(session, actor, number, draft.id)[1]
    assert one == service.pdf_of(session, actor, number, draft.id)[1]


def test_a_draft_does_not_exist_for_the_complainant(session, number, draft, tenant):
    with pytest.raises(NotFound):
        service.pdf_of(session, complainant_actor(tenant.id), number, draft.id)


def test_neither_the_drafter_nor_the_handler_signs(
    session, actor, approver, number, draft, rev, folder, make_actor
):
    drafter = make_actor("approver", "complaint_officer")
    own = service.draft_answer(session, drafter, number, GOOD)
    session.commit()
    with pytest.raises(SecondPersonRequired):
        service.release(session, drafter, number, own.id, own.fingerprint, rev=rev(number))
    session.rollback()
    draft = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    case = find(session, actor, number)
    session.add(
        Participation(
            case_id=case.id, account_id=approver.id, name=approver.name,
            part=Part.ASSISTANT.value, by_id=actor.id, until=case.received_at,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(SecondPersonRequired):
        service.release(session, approver, number, draft.id, draft.fingerprint, rev=rev(number))
    session.rollback()
    assert [p for p in folder.root.rglob("*") if p.is_file()] == []  # and nothing printed is kept


@pytest.mark.parametrize("role", ["supervisor", "complaint_officer"])
def test_only_an_approver_signs_the_written_answer(session, make_actor, number, draft, rev, role):
    person = make_actor(role)
    with pytest.raises(Refused) as refused:
        service.release(session, person, number, draft.id, draft.fingerprint, rev=rev(number))
    assert refused.value.message.key == delivery.NOT_A_SIGNER


def test_what_is_signed_is_what_was_read(session, actor, approver, number, draft, rev):
    read = draft.fingerprint
    service.draft_answer(
        session, actor, number, AnswerForm(
            findings="经核查，情况不属实。", outcome=GOOD.outcome, basis=GOOD.basis
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(LetterChanged):
        service.release(session, approver, number, draft.id, read, rev=rev(number))
    session.rollback()
    with pytest.raises(Stale):
        service.release(session, approver, number, draft.id, draft.fingerprint, rev=1)


def test_the_answer_belongs_to_its_stage(session, actor, approver, file, put, rev):
    number = file()
    put(number, Stage.PLAN)
    letter = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    with pytest.raises(MoveNotAllowed):
        service.release(session, approver, number, letter.id, letter.fingerprint, rev=rev(number))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"outcome": "我公司承诺保本，请您放心。"}, "promise"),
        ({"outcome": "于【待填写】前支付。"}, "placeholder"),
        ({"next_date": date(2020, 1, 1)}, "promise_in_past"),
    ],
)
def test_the_gate_stops_what_must_not_go_out(
    session, actor, approver, number, rev, wrong, code, folder
):
    form = AnswerForm(
        **{"findings": GOOD.findings, "outcome": GOOD.outcome, "basis": GOOD.basis, **wrong}
    )
    letter = service.draft_answer(session, actor, number, form)
    session.commit()
    with pytest.raises(LetterBlocked) as caught:
        service.release(session, approver, number, letter.id, letter.fingerprint, rev=rev(number))
    assert code in {name.rpartition("_")[0] for name in caught.value.fields}
    assert caught.value.findings
    session.rollback()
    assert session.get(Letter, (session.tenant, letter.id)).state == LetterState.DRAFT
    assert not folder.root.exists()


def test_the_amount_is_that_of_the_approved_plan(session, actor, approver, file, put, rev):
    number = file()
    case = put(number, Stage.PLAN)
    plan = PlanForm(
        goal="补付赎回款", measures=(Measure(title="补付差额"),), basis="合同",
        amount=Decimal("12800.5"),
    )  # fmt: skip
    remedies.save_draft(session, actor, number, plan, rev=case.version)
    sent = remedies.submit(session, actor, number, rev=case.version)
    remedies.approve(session, approver, number, sent.hash, rev=case.version)
    case.stage = Stage.RESPONSE.value
    letter = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    assert "壹万贰仟捌佰元伍角整" in str(letter.document)
    service.release(session, approver, number, letter.id, letter.fingerprint, rev=rev(number))


def test_a_released_letter_is_not_rewritten(session, actor, approver, number, draft, rev):
    service.release(session, approver, number, draft.id, draft.fingerprint, rev=rev(number))
    session.commit()
    with pytest.raises(LetterFixed):
        service.release(session, approver, number, draft.id, draft.fingerprint, rev=rev(number))
    session.rollback()
    with pytest.raises(LetterFixed):
        service.withdraw(session, actor, number, draft.id, "重拟")
    session.rollback()
    again = service.draft_answer(session, actor, number, GOOD)
    assert again.id != draft.id


def test_a_forged_file_is_not_shown_as_the_letter(
    session, actor, approver, number, draft, rev, folder
):
    letter = service.release(
        session, approver, number, draft.id, draft.fingerprint, rev=rev(number)
    )
    session.commit()
    (folder.root / letter.pdf_key).write_bytes(b"%PDF-1.7 forged")
    with pytest.raises(PdfDamaged):
        service.pdf_of(session, actor, number, letter.id)
    assert reconcile(session) == 1


def test_numbers_have_no_gaps_even_for_letters_given_up(session, actor, file, put, tenant, engine):
    number = file()
    put(number, Stage.RESPONSE)
    first = service.draft_answer(session, actor, number, GOOD)
    service.withdraw(session, actor, number, first.id, "重拟")
    second = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    with tenant_session(engine, tenant.id, actor_id=actor.id) as lost:
        service.withdraw(lost, actor, number, second.id, "重拟")
        service.draft_answer(lost, actor, number, GOOD)
        lost.rollback()
    notice = NoticeForm(kind="progress", process="已向托管人调取划款记录", next_date=today())
    third = service.draft_notice(session, actor, number, notice)
    session.commit()
    year = today().year
    assert [x.number for x in (first, second, third)] == [
        f"青禾诉〔{year}〕{n} 号" for n in (1, 2, 3)
    ]
    assert first.state == LetterState.WITHDRAWN


def test_a_notice_counts_as_word_to_the_complainant(session, actor, number, rev):
    notice = NoticeForm(
        kind="progress", process="已向托管人调取划款记录", next_date=today() + timedelta(days=7)
    )
    letter = service.draft_notice(session, actor, number, notice)
    service.release(session, actor, number, letter.id, letter.fingerprint, rev=rev(number))
    session.commit()
    case = find(session, actor, number)
    assert case.clock_events[-1]["kind"] == "contacted"
    assert case.answered_at is None


def test_delivery_is_entered_with_its_proof(session, actor, approver, number, draft, rev):
    posted = DeliveryForm(outcome="delivered", channel="post", detail="EMS 1234567890，本人签收")
    with pytest.raises(Conflict):
        service.record_delivery(session, actor, number, draft.id, posted)
    session.rollback()
    service.release(session, approver, number, draft.id, draft.fingerprint, rev=rev(number))
    letter = service.record_delivery(session, actor, number, draft.id, posted)
    session.commit()
    assert (letter.state, letter.channel) == ("delivered", "post")
    assert letter.delivered_at is not None
    assert letter.sent_at is not None


# -- an answer that came back ------------------------------------------------------------------


@pytest.fixture
def answered(session, approver, number, draft, rev):
    """A case whose answer was released and came back; the letter."""
    letter = service.release(
        session, approver, number, draft.id, draft.fingerprint, rev=rev(number)
    )
    session.commit()
    return letter


@pytest.fixture
def returned(session, actor, number, answered):
    """How the post brings it back."""
    back = DeliveryForm(outcome="failed", channel="post", detail="查无此人，退回")
    service.record_delivery(session, actor, number, answered.id, back)
    session.commit()
    return answered


def titles(case, stage=Stage.RESPONSE):
    return {state.gate.name: (state.gate.title, state.met) for state in states(case, EXIT[stage])}


def test_an_answer_is_called_delivered_only_with_proof(session, actor, number, answered):
    case = find(session, actor, number)
    assert titles(case)["reply_sent"] == ("书面答复已签发", True)
    proof = DeliveryForm(outcome="delivered", channel="post", detail="EMS 123，本人签收")
    service.record_delivery(session, actor, number, answered.id, proof)
    assert titles(case)["reply_sent"] == ("书面答复已送达", True)


def test_reading_it_in_the_portal_is_proof_and_is_noted_once(
    session, actor, number, answered, tenant
):
    for _ in range(2):
        service.pdf_of(session, complainant_actor(tenant.id), number, answered.id)
        session.commit()
    case = find(session, actor, number)
    assert titles(case)["reply_sent"] == ("书面答复已送达", True)
    assert (answered.state, answered.channel) == ("delivered", "portal")
    assert len(session.scalars(select(Entry).where(Entry.verb == "read_letter")).all()) == 1


def test_what_came_back_is_a_task_of_the_owner_and_keeps_the_case_from_the_archive(
    session, actor, number, returned, put
):
    case = find(session, actor, number)
    task = session.scalars(select(Task)).one()
    assert (task.assignee_id, task.done_at) == (actor.id, None)
    assert task.title_params == {"number": returned.number}
    assert case.counts["tasks_open"] == 1
    for stage in (Stage.RESPONSE, Stage.FOLLOWUP, Stage.ARCHIVE):
        assert not titles(case, stage)["answer_redelivered"][1]
    with pytest.raises(GatesUnmet) as caught:
        cases.move(session, actor, number, "answered", rev=case.version)
    assert [message.key for message in caught.value.missing] == ["未送达的书面答复已重新送达"]
    # The answer itself was given, in the portal: its clock stays met.
    reply = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    assert reply.state == "met"


@pytest.mark.parametrize("outcome", ["sent", "delivered"])
def test_another_way_registered_by_hand_settles_it(session, actor, number, returned, outcome):
    by_post = DeliveryForm(outcome=outcome, channel="post", detail="EMS 456")
    service.record_delivery(session, actor, number, returned.id, by_post)
    session.commit()
    case, task = find(session, actor, number), session.scalars(select(Task)).one()
    assert "answer_redelivered" not in titles(case)
    assert (task.proof, case.counts["tasks_open"]) == ("EMS 456", 0)
    cases.move(session, actor, number, "answered", rev=case.version)


def test_coming_back_twice_is_one_task(session, actor, number, returned):
    back = DeliveryForm(outcome="failed", channel="email", detail="地址不存在")
    service.record_delivery(session, actor, number, returned.id, back)
    assert session.scalar(select(func.count()).select_from(Task)) == 1


def test_an_older_letter_that_comes_back_owes_nothing(session, actor, number, answered, file):
    notice = service.draft_notice(
        session, actor, number, NoticeForm(kind="progress", process="已核对", next_date=None)
    )
    back = DeliveryForm(outcome="failed", channel="post", detail="退回")
    notice.released_at, notice.state, notice.pdf_key = answered.released_at, "sent", "x"
    session.flush()
    service.record_delivery(session, actor, number, notice.id, back)
    assert "answer_returned" not in find(session, actor, number).facts


def test_letters_of_another_case_are_not_found_here(session, actor, number, draft, file):
    other = file(key="2")
    with pytest.raises(NotFound):
        service.pdf_of(session, actor, other, draft.id)


# -- letters that write themselves -------------------------------------------------------------


def kinds(found):
    return [letter.kind for letter in found]


def test_a_complaint_is_acknowledged_by_letter(session, actor, file, run, letters, firm):
    number = file()
    run()
    (letter,) = letters(number)
    assert (letter.kind, letter.state, letter.channel) == ("acknowledgement", "sent", "portal")
    assert letter.delivery_title() == "门户可查"
    case = find(session, actor, number)
    assert "acknowledged" in [event["kind"] for event in case.clock_events]
    accept = session.scalars(select(ClockRow).where(ClockRow.kind == "accept")).one()
    document = service.document_of(letter)
    assert document.facts[-1][1].replace(" ", "") == (
        f"{accept.due_on.year}年{accept.due_on.month}月{accept.due_on.day}日"
    )
    shown = session.scalars(
        select(Entry).where(Entry.verb == "acknowledge", Entry.audience == "complainant")
    ).one()
    assert shown.data["letter"] == str(letter.id)


def test_an_event_delivered_three_times_gives_one_letter(session, actor, file, run, letters, firm):
    number = file()
    run()
    for _ in range(2):
        session.execute(update(OutboxEvent).values(relayed_at=None))
        session.execute(update(Job).values(state="queued", attempts=0))
        session.commit()
        run()
    assert kinds(letters(number)) == ["acknowledgement"]


def test_the_letters_themselves_know_their_event(session, actor, file, run, letters):
    """Even if the queue forgot that it did the work."""
    number = file()
    run()
    event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "case.filed")).one()
    job = _view(session, event)
    assert tasks.write_automatic(session, job, tasks.LetterKind.ACKNOWLEDGEMENT, {}) is None
    assert session.scalar(select(func.count()).select_from(Letter)) == 1
    assert kinds(letters(number)) == ["acknowledgement"]


def _view(session, event):
    return JobView(
        event.id, session.tenant, "case.filed", "letters.acknowledgement", event.payload,
        event.object_id, event.id, 1, event.id,
    )  # fmt: skip


def test_acceptance_is_told_with_the_promised_date(session, actor, file, put, run, letters):
    number = file()
    run()
    put(number, Stage.INTAKE)
    cases.move(session, actor, number, "accept", rev=find(session, actor, number).version)
    session.commit()
    run()
    found = letters(number)
    assert kinds(found) == ["acknowledgement", "acceptance"]
    reply = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    shown = dict(service.document_of(found[1]).facts)["书面答复日期"]
    assert shown.replace(" ", "").startswith(f"{reply.due_on.year}年{reply.due_on.month}月")
    assert found[1].state == LetterState.SENT


@pytest.fixture
def decline(session, actor, approver):
    """Proposed by the officer, confirmed by an approver."""

    def end(number, reason):
        for person, verb, words in (
            (actor, "propose_decline", reason), (approver, "decline", ""),
        ):  # fmt: skip
            rev = find(session, person, number).version
            cases.move(session, person, number, verb, rev=rev, reason=words)

    return end


def test_a_refusal_is_told_with_its_reason(session, decline, file, put, run, letters):
    number = file()
    put(number, Stage.INTAKE)
    decline(number, "所涉产品不是我公司管理的基金。")
    session.commit()
    run()
    (letter,) = letters(number)
    assert (letter.kind, letter.state) == ("declined", LetterState.SENT)
    assert "所涉产品不是我公司管理的基金。" in str(letter.document)


def test_a_letter_the_gate_would_stop_waits_for_a_person(
    session, actor, decline, file, put, run, letters
):
    number = file()
    put(number, Stage.INTAKE)
    decline(number, "我公司保证本金安全，无须投诉。")
    session.commit()
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.DRAFT
    entry = session.scalars(select(Entry).where(Entry.verb == "draft_letter")).one()
    assert entry.data["held_back"] is True
    mended = NoticeForm(kind="declined", reasons="所涉产品不是我公司管理的基金。")
    same = service.draft_notice(session, actor, number, mended)
    session.commit()
    assert (same.id, same.number) == (letter.id, letter.number)
    rev = find(session, actor, number).version
    service.release(session, actor, number, same.id, same.fingerprint, rev=rev)


def test_the_complainants_own_words_do_not_hold_a_letter_back(file, run, letters):
    number = file(story="你们承诺保本保收益，现在亏了")
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.SENT
    assert "保本" not in str(letter.document)


def test_a_nameless_reader_is_addressed_decently(file, run, letters):
    number = file(anonymous=True, name="", phone="", email="")
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.SENT
    assert service.document_of(letter).salutation == "尊敬的投诉人："


def test_an_english_complaint_gets_an_english_letter(file, run, letters):
    number = file(language="en", name="Ann Lee", story="My redemption has not arrived")
    run()
    (letter,) = letters(number)
    document = service.document_of(letter)
    assert letter.state == LetterState.SENT
    assert document.firm_name == "Qinghe Asset Management"
    assert document.salutation == "Dear Ann Lee,"


def test_an_enquiry_is_acknowledged_without_a_letter(session, actor, file, run, letters):
    number = file(intake_type=IntakeType.ENQUIRY)
    run()
    assert letters(number) == []
    events = [event["kind"] for event in find(session, actor, number).clock_events]
    assert "acknowledged" in events


# -- more time ---------------------------------------------------------------------------------


@pytest.fixture
def late(file, put):
    number = file()
    put(number, Stage.INVESTIGATION)
    return number


def test_an_extension_is_asked_granted_and_told(session, actor, approver, late, run, letters, rev):
    clock = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    counted_from = calendar().effective_start(clock.started_at).on
    before, total = clock.due_on, clock.amount + 10
    extensions.ask_extension(session, actor, late, 10, "须等待托管人提供划款记录。", rev=rev(late))
    session.commit()
    case = find(session, actor, late)
    assert extensions.asked(case)["days"] == 10
    extensions.grant_extension(session, approver, late, rev=rev(late))
    session.commit()
    run()
    after = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one().due_on
    assert after == calendar().add_days(counted_from, total).on
    told = {date.kind: date.on for date in told_dates(session, find(session, actor, late))}
    assert told["reply"] == after  # what the complainant sees moves with the notice
    assert extensions.asked(find(session, actor, late)) is None
    letter = letters(late)[-1]
    assert (letter.kind, letter.state) == ("extension", LetterState.SENT)
    text = str(letter.document).replace(" ", "")
    assert "须等待托管人提供划款记录。" in text
    assert f"{before.month}月{before.day}日" in text
    assert f"{after.month}月{after.day}日" in text


def test_whoever_handles_does_not_grant(session, actor, approver, late, rev):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    case = find(session, actor, late)
    session.add(
        Participation(
            case_id=case.id, account_id=approver.id, name=approver.name,
            part=Part.DELEGATE.value, by_id=actor.id, until=case.received_at,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(Refused):
        extensions.grant_extension(session, actor, late, rev=rev(late))
    session.rollback()
    with pytest.raises(SecondPersonRequired):
        extensions.grant_extension(session, approver, late, rev=rev(late))


@pytest.mark.parametrize("days", [0, 31])
def test_the_policy_bounds_an_extension(session, actor, late, rev, days):
    with pytest.raises(Exception, match="请检查标出的内容") as caught:
        extensions.ask_extension(session, actor, late, days, "待托管人", rev=rev(late))
    assert set(caught.value.fields) == {"days"}


def test_an_extension_is_granted_once(session, actor, approver, late, rev):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    extensions.grant_extension(session, approver, late, rev=rev(late))
    session.commit()
    with pytest.raises(Conflict, match="延期次数已用完"):
        extensions.ask_extension(session, actor, late, 10, "还要等", rev=rev(late))


def test_a_refusal_leaves_the_date(session, actor, approver, late, rev, run):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    with pytest.raises(Conflict):
        extensions.ask_extension(session, actor, late, 10, "再来", rev=rev(late))
    before = session.scalars(select(ClockRow.due_on).where(ClockRow.kind == "reply")).one()
    extensions.refuse_extension(session, approver, late, "材料已齐", rev=rev(late))
    session.commit()
    assert session.scalars(select(ClockRow.due_on).where(ClockRow.kind == "reply")).one() == before
    with pytest.raises(Conflict):
        extensions.grant_extension(session, approver, late, rev=rev(late))


# -- what waits for a signature ------------------------------------------------------------------


def test_a_drafted_answer_waits_for_an_approver_until_it_is_signed_or_given_up(
    session, web, actor, approver, number, draft, rev
):
    def waiting():
        page = web(approver).get("/t/qinghe/w/approvals").text
        listed = f'href="/t/qinghe/w/cases/{number}/letters/answer"' in page
        counted = counting(everything=True)
        n = session.execute(counted, {"me": approver.id, "soon": now()}).one().approvals
        session.rollback()
        return listed, n

    assert waiting() == (True, 1)
    signing = web(approver).get(f"/t/qinghe/w/cases/{number}/letters/answer").text
    assert "签发并发送" in signing
    assert "签发并发送" not in web(actor).get(f"/t/qinghe/w/cases/{number}/letters/answer").text
    service.withdraw(session, actor, number, draft.id, "另拟")
    session.commit()
    assert waiting() == (False, 0)
    letter = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    assert waiting() == (True, 1)
    service.release(session, approver, number, letter.id, letter.fingerprint, rev=rev(number))
    session.commit()
    assert waiting() == (False, 0)
