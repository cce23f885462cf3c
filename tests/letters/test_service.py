"""Letters from draft to release: the written answer, and what waits to be signed."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from huiyin.cases.change import find
from huiyin.cases.errors import MoveNotAllowed, SecondPersonRequired
from huiyin.cases.models import Entry, Participation
from huiyin.cases.stages import Part, Stage
from huiyin.cases.waiting import counting
from huiyin.db import tenant_session
from huiyin.evidence.service import reconcile
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Conflict, NotFound, Refused, Stale
from huiyin.kit.time import now, today
from huiyin.ledger.models import LedgerEntry
from huiyin.letters import delivery, service
from huiyin.letters.errors import LetterBlocked, LetterChanged, LetterFixed, PdfDamaged
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.schemas import AnswerForm, DeliveryForm, NoticeForm
from huiyin.queue.models import Job
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm

from .given import GOOD


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


def test_a_drafted_answer_waits_for_an_approver_until_it_is_signed_or_given_up(
    session, web, actor, approver, number, draft, rev
):
    def waiting():
        page = web(approver).get("/t/qinghe/w/approvals").text
        listed = f'href="/t/qinghe/w/cases/{number}/letters/answer"' in page
        n = counting(everything=True).run(session, me=approver.id, soon=now()).one().approvals
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
