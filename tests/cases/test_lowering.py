"""A grave case becomes a lesser one only when somebody agrees who does not handle it."""

import re

import pytest
from sqlalchemy import select

from huiyin.cases import lowering, retyping, service
from huiyin.cases.change import find
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import GATES
from huiyin.cases.schemas import FactsForm, LowerForm, RetypeForm
from huiyin.cases.stages import IntakeType, Severity, Stage
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.ledger.models import LedgerEntry

DESK = "/t/qinghe/w/cases"
WORDS = "核对后没有主张损失，登记时定级有误"
OPINION = GATES["compliance_opinion"]


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def case(session, actor, approver):
    filing = Filing(channel="phone", idem_key="1", story="赎回款未到账", phone="13800000000")
    found = find(session, actor, file_complaint(session, actor, filing).number)
    found.stage, found.category, found.severity = Stage.INVESTIGATION.value, "C1", "S3"
    session.commit()
    return found


@pytest.fixture
def edit(session, actor):
    def act(case, severity):
        form = FactsForm(title=case.title, category="C1", severity=severity, anonymous=True)
        service.edit(session, actor, case.number, form, rev=case.version)

    return act


@pytest.fixture
def ask(session, actor):
    def act(case, to=Severity.S1, by=None):
        form = LowerForm(severity=to, reason=WORDS)
        lowering.ask_lowering(session, by or actor, case.number, form, rev=case.version)
        session.commit()

    return act


@pytest.mark.parametrize(
    ("before", "after"),
    [("S3", "S4"), ("S4", "S3"), ("S2", "S1"), ("S1", "S3"), (None, "S1"), ("S1", None)],
)
def test_a_step_that_takes_nothing_away_is_an_edit(session, case, edit, before, after):
    case.severity = before
    session.flush()
    owed = OPINION.applies(case)
    edit(case, Severity(after) if after else None)
    assert case.severity == after
    assert OPINION.applies(case) >= owed


@pytest.mark.parametrize("before", ["S3", "S4"])
@pytest.mark.parametrize("after", ["S1", "S2", None])
def test_nobody_alone_takes_the_opinion_of_compliance_away(session, case, edit, before, after):
    case.severity = before
    session.commit()
    with pytest.raises(Invalid) as refused:
        edit(case, Severity(after) if after else None)
    assert set(refused.value.fields) == {"severity"}
    session.rollback()
    assert case.severity == before


def test_asking_changes_nothing_until_an_approver_agrees(session, case, ask, approver):
    ask(case)
    assert (case.severity, OPINION.applies(case)) == ("S3", True)
    events = list(case.clock_events)
    lowering.grant_lowering(session, approver, case.number, rev=case.version)
    assert (case.severity, OPINION.applies(case)) == ("S1", False)
    assert retyping.asked(case) is None
    assert case.clock_events == events
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert {"case.ask_lowering", "case.grant_lowering"} <= set(kinds)


def test_whoever_asked_or_handles_does_not_agree(session, case, ask, actor, make_actor):
    second = make_actor("approver")
    ask(case, by=second)
    with pytest.raises(Refused):
        lowering.grant_lowering(session, actor, case.number, rev=case.version)
    session.rollback()
    for answer in (lowering.grant_lowering, retyping.grant_retype):
        with pytest.raises((SecondPersonRequired, Conflict)):
            answer(session, second, case.number, rev=case.version)
        session.rollback()
    assert case.severity == "S3"


def test_a_request_for_one_thing_is_not_granted_as_another(session, case, ask, approver, actor):
    ask(case)
    with pytest.raises(Conflict):
        retyping.grant_retype(session, approver, case.number, rev=case.version)
    session.rollback()
    form = RetypeForm(intake_type=IntakeType.ENQUIRY, reason=WORDS)
    with pytest.raises(Conflict):  # one request waits at a time
        retyping.retype(session, actor, case.number, form, rev=case.version)


def test_a_refusal_leaves_the_level_and_says_why(session, case, ask, approver):
    ask(case)
    lowering.refuse_lowering(session, approver, case.number, "损失尚未核实", rev=case.version)
    assert (case.severity, retyping.asked(case)) == ("S3", None)


def test_what_was_judged_is_not_lowered_under_the_judgement(session, case, ask, approver):
    ask(case)
    case.stage = Stage.APPROVAL.value
    session.commit()
    assert case.is_settled
    with pytest.raises(Conflict):
        lowering.grant_lowering(session, approver, case.number, rev=case.version)
    session.rollback()
    lowering.refuse_lowering(session, approver, case.number, "方案已提交", rev=case.version)
    with pytest.raises(Conflict):
        ask(case)


@pytest.mark.parametrize("what", ["level", "kind"])
def test_whoever_asked_takes_it_back_and_nobody_else(
    session, case, ask, actor, make_actor, approver, what
):
    if what == "level":
        ask(case)
    else:
        form = RetypeForm(intake_type=IntakeType.ENQUIRY, reason=WORDS)
        retyping.retype(session, actor, case.number, form, rev=case.version)
        session.commit()
    with pytest.raises(Refused):
        retyping.withdraw(session, make_actor("complaint_officer"), case.number, rev=case.version)
    session.rollback()
    retyping.withdraw(session, actor, case.number, rev=case.version)
    session.commit()
    assert retyping.asked(case) is None
    assert (case.severity, case.intake_type) == ("S3", "complaint")
    assert "case.withdraw_retype" in session.scalars(select(LedgerEntry.kind)).all()
    with pytest.raises(Conflict):
        lowering.grant_lowering(session, approver, case.number, rev=case.version)
    session.rollback()
    ask(case)  # and may ask anew


def test_asked_answered_and_taken_back_on_the_pages(session, web, case, actor, approver):
    here, browser, judge = f"{DESK}/{case.number}", web(actor), web(approver)

    def newest():
        return re.search(r'name="rev" value="(\d+)"', browser.get(f"{here}/edit").text)[1]

    page = browser.post(f"{here}/edit", {"title": case.title, "severity": "S1", "rev": newest()})
    assert page.status_code == 422
    assert "请在案件页申请降级" in page.text
    assert f'href="{here}/lower"' in browser.get(here).text
    short = browser.post(f"{here}/lower", {"severity": "S4", "reason": WORDS, "rev": newest()})
    assert short.status_code == 422
    assert WORDS in short.text
    sent = {"severity": "S1", "reason": WORDS, "rev": newest()}
    assert browser.post(f"{here}/lower", sent).status_code == 303
    assert "降级申请" in browser.get(here).text
    assert f'action="{here}/retype/withdraw"' in browser.get(here).text
    assert f'action="{here}/retype/withdraw"' not in judge.get(here).text
    path = f"{here}/retype/decide"
    assert path in judge.get("/t/qinghe/w/approvals").text
    decide = judge.get(path).text
    assert "批复降级" in decide
    assert WORDS in decide
    assert browser.post(f"{here}/retype/withdraw", {"rev": newest()}).status_code == 303
    late = judge.post(path, {"decision": "refuse", "reason": "损失尚未核实清楚", "rev": newest()})
    assert late.status_code == 409
    assert "损失尚未核实清楚" in late.text
    assert browser.post(f"{here}/lower", {**sent, "rev": newest()}).status_code == 303
    assert judge.post(path, {"decision": "grant", "rev": newest()}).status_code == 303
    session.expire_all()
    assert find(session, actor, case.number).severity == "S1"
