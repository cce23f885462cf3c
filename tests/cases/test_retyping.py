"""A complaint becomes something less only when somebody agrees who does not handle it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import retyping, service
from huiyin.cases.change import find
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.schemas import RetypeForm
from huiyin.cases.stages import IntakeType
from huiyin.clocks.models import ClockRow
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.kit.time import now
from huiyin.ledger.models import LedgerEntry

DESK = "/t/qinghe/w/cases"
WORDS = "来电人只询问净值披露时间，没有不满"


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def file(session, actor):
    def make(**facts):
        given = {
            "channel": "phone", "idem_key": "1", "story": "询问净值披露", "phone": "13800000000",
        }  # fmt: skip
        filed = file_complaint(session, actor, Filing(**{**given, **facts}))
        session.commit()
        return find(session, actor, filed.number)

    return make


@pytest.fixture
def ask(session, actor):
    def act(case, to=IntakeType.ENQUIRY, by=None):
        form = RetypeForm(intake_type=to, reason=WORDS)
        retyping.retype(session, by or actor, case.number, form, rev=case.version)
        session.commit()

    return act


def clocks(session, case):
    rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id)).all()
    return {row.key: (row.state, row.due_at, row.stopped_at) for row in rows}


def test_asking_changes_nothing_until_an_approver_agrees(session, file, ask, approver):
    case = file()
    ask(case)
    assert case.intake_type == IntakeType.COMPLAINT
    retyping.grant_retype(session, approver, case.number, rev=case.version)
    assert case.intake_type == IntakeType.ENQUIRY
    assert retyping.asked(case) is None
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert {"case.ask_retype", "case.grant_retype"} <= set(kinds)


def test_whoever_asked_or_handles_does_not_agree(session, file, ask, actor, approver, make_actor):
    case = file()
    second = make_actor("approver")
    ask(case, by=second)
    with pytest.raises(Refused):
        retyping.grant_retype(session, actor, case.number, rev=case.version)
    session.rollback()
    with pytest.raises(SecondPersonRequired):
        retyping.grant_retype(session, second, case.number, rev=case.version)
    session.rollback()
    with pytest.raises(SecondPersonRequired):
        retyping.refuse_retype(session, second, case.number, "还是投诉", rev=case.version)


def test_a_refusal_says_why_and_leaves_a_complaint(session, file, ask, approver):
    case = file()
    ask(case)
    with pytest.raises(Invalid):
        retyping.refuse_retype(session, approver, case.number, "", rev=case.version)
    session.rollback()
    retyping.refuse_retype(session, approver, case.number, "投诉人明确不满", rev=case.version)
    assert (case.intake_type, retyping.asked(case)) == (IntakeType.COMPLAINT, None)
    with pytest.raises(Conflict):
        retyping.grant_retype(session, approver, case.number, rev=case.version)


def test_one_request_waits_at_a_time(file, ask, approver):
    case = file()
    ask(case)
    with pytest.raises(Conflict):
        ask(case, IntakeType.SUGGESTION)


def test_without_anybody_to_agree_it_is_not_asked(file, ask):
    with pytest.raises(Invalid) as refused:
        ask(file())
    assert "审批人" in refused.value.fields["intake_type"].key


def test_what_is_more_than_it_was_taken_for_becomes_a_complaint_at_once(session, file, ask):
    case = file(intake_type=IntakeType.ENQUIRY)
    before = clocks(session, case)
    ask(case, IntakeType.COMPLAINT)
    assert case.intake_type == IntakeType.COMPLAINT
    assert set(clocks(session, case)) > set(before)


def test_a_missed_acceptance_stays_missed_and_what_was_in_time_is_cancelled(
    session, file, ask, approver
):
    case = file(received_at=now() - timedelta(days=40))
    ask(case)
    before = clocks(session, case)
    retyping.grant_retype(session, approver, case.number, rev=case.version)
    session.flush()
    after = clocks(session, case)
    assert set(before) <= set(after)
    ended = {key for key in before if before[key][2] is None and after[key][2] is not None}
    late = {key for key in ended if before[key][1] < now()}
    assert any(key.startswith("accept") for key in late)
    for key in ended:
        assert after[key][0] == ("missed" if key in late else "cancelled")
        assert after[key][1] == before[key][1]
    service.talk(session, approver, case.number, "note", "已核对")
    assert clocks(session, case) == after


def test_the_approver_finds_the_request_and_answers_it_on_the_page(
    session, web, file, ask, actor, approver
):
    case = file()
    browser = web(actor)
    sent = {"intake_type": "enquiry", "reason": WORDS, "rev": str(case.version)}
    assert browser.post(f"{DESK}/{case.number}/retype", sent).status_code == 303
    assert "改类申请" in browser.get(f"{DESK}/{case.number}").text
    assert browser.get(f"{DESK}/{case.number}/retype/decide").status_code == 404
    judge = web(approver)
    path = f"{DESK}/{case.number}/retype/decide"
    assert path in judge.get("/t/qinghe/w/approvals").text
    assert path in judge.get(f"{DESK}/{case.number}").text
    assert WORDS in judge.get(path).text
    session.rollback()
    case = find(session, actor, case.number)
    done = judge.post(path, {"decision": "grant", "rev": str(case.version)})
    assert done.status_code == 303
    session.rollback()
    assert find(session, actor, case.number).intake_type == IntakeType.ENQUIRY
    assert path not in judge.get("/t/qinghe/w/approvals").text
