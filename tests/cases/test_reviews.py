"""What is still owed for a closed case: a review that was asked for, an answer to the sender."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import service, tracking
from huiyin.cases.change import find, tick
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed, SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.queries import Filter, inbox
from huiyin.cases.stages import Audience, Part, Source, Stage
from huiyin.cases.verbs import VERBS, in_reach
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.time import now, today


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def file(session, actor):
    def make(**facts):
        given = {
            "channel": "phone",
            "idem_key": "1",
            "story": "赎回款迟迟未到账",
            "phone": "1380000",
        }
        filed = file_complaint(session, actor, Filing(**{**given, "phone": "13800000000", **facts}))
        session.commit()
        return find(session, actor, filed.number)

    return make


@pytest.fixture
def closed(session, actor, file):
    """Answered and archived; the officer handled it."""
    case = file()
    tick(case, "answered", now(), {})
    tick(case, "closed", now(), {})
    case.stage, case.state, case.outcome = Stage.ARCHIVE.value, "closed", "archived"
    case.answered_at = case.closed_at = now()
    case.next_due_at = None
    session.commit()
    return case


@pytest.fixture
def asked(session, tenant, closed):
    tracking.ask_review(session, complainant_actor(tenant.id), closed, "没有说明赎回被拒理由")
    session.commit()
    return closed


@pytest.fixture
def do(session):
    def act(person, case, verb, reason=""):
        service.move(session, person, case.number, verb, rev=case.version, reason=reason)
        session.commit()

    return act


def listed(session, person):
    return [(row.number, row.review_asked) for row in inbox(session, person, Filter())]


def test_a_review_asked_for_after_the_end_is_work_for_somebody(session, approver, closed, asked):
    assert listed(session, approver) == [(asked.number, True)]
    clock = session.scalars(select(ClockRow).where(ClockRow.kind == "review")).one()
    assert clock.state == "running"
    assert asked.next_due_at == clock.due_at


def test_nobody_waits_in_two_queues(session, tenant, asked):
    with pytest.raises(Conflict, match="已经收到"):
        tracking.ask_review(session, complainant_actor(tenant.id), asked, "再次要求")


def test_whoever_handled_it_does_not_refuse_the_review(session, approver, asked, make_actor, do):
    both = make_actor("supervisor", name="何书宁")
    session.add(
        Participation(
            case_id=asked.id, account_id=both.id, name=both.name, part=Part.INVESTIGATOR.value,
            since=now(), by_id=both.id,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(SecondPersonRequired):
        do(both, asked, "refuse_review", "无新事实")


def test_a_refusal_gives_its_reason_to_the_complainant_and_ends_the_clock(
    approver, asked, do, session
):
    with pytest.raises(Invalid):
        do(approver, asked, "refuse_review")
    do(approver, asked, "refuse_review", "没有新的事实，可以申请调解或向 12386 反映")
    session.commit()
    said = session.scalars(select(Entry).where(Entry.verb == "refuse_review")).one()
    assert (said.audience, "12386" in said.body) == (Audience.COMPLAINANT.value, True)
    assert listed(session, approver) == []
    assert session.scalars(select(ClockRow.state).where(ClockRow.kind == "review")).one() == "met"
    assert not tracking.review_asked(find(session, approver, asked.number))


def test_there_is_nothing_to_refuse_where_nobody_asked(session, approver, closed, do):
    with pytest.raises(MoveNotAllowed):
        do(approver, closed, "refuse_review", "无")


def test_a_case_that_is_opened_again_settles_the_request(session, approver, asked, do):
    do(approver, asked, "reopen", "由他人重新调查")
    session.commit()
    case = find(session, approver, asked.number)
    assert case.is_open
    assert not tracking.review_asked(case)


def test_nothing_is_archived_while_a_review_is_asked_for(session, tenant, approver, file, do):
    case = file()
    case.stage, case.category, case.severity = Stage.ARCHIVE.value, "C1", "S2"
    case.finding, case.cause, case.answered_at = "upheld", "RC1-2", now()
    case.facts = {
        gate: {"at": ""} for gate in ("dossier_whole", "lessons_written", "retention_set")
    }
    session.commit()
    tracking.ask_review(session, complainant_actor(tenant.id), case, "对结论不满意")
    session.commit()
    with pytest.raises(GatesUnmet) as unmet:
        do(approver, case, "archive")
    assert [str(reason) for reason in unmet.value.missing] == ["复核要求已答复"]


def test_the_page_of_a_closed_case_offers_the_decision(web, approver, asked):
    page = web(approver).get(f"/t/qinghe/w/cases/{asked.number}").text
    assert "投诉人要求复核，请决定是否重启" in page
    assert f"/cases/{asked.number}/do/refuse_review" in page
    assert f"/cases/{asked.number}/do/reopen" in page


# -- whoever passed the complaint on ---------------------------------------------------------------


def test_the_answer_to_the_sender_is_written_down_once_and_stops_its_clock(
    session, approver, file, do
):
    case = file(source=Source.HOTLINE_12386, transfer_number="演转 1 号", transfer_due=today())
    do(approver, case, "answer_transfer", "演复 1 号，已寄")
    session.commit()
    clock = session.scalars(select(ClockRow).where(ClockRow.kind == "transfer")).one()
    assert clock.stopped_at is not None
    with pytest.raises(MoveNotAllowed):
        do(approver, case, "answer_transfer", "再次")


def test_a_complaint_made_to_the_firm_itself_has_no_sender(session, approver, file, do):
    case = file()
    with pytest.raises(MoveNotAllowed):
        do(approver, case, "answer_transfer", "演复 1 号")


def test_the_sender_waits_even_after_a_withdrawal(session, approver, tenant, file, do):
    due = today() + timedelta(days=9)
    case = file(source=Source.HOTLINE_12386, transfer_number="演转 1 号", transfer_due=due)
    tracking.withdraw(session, complainant_actor(tenant.id), case, "已自行解决")
    session.commit()
    assert [number for number, _ in listed(session, approver)] == [case.number]
    do(approver, case, "answer_transfer", "演复 1 号，已寄")
    session.commit()
    assert listed(session, approver) == []


# -- the way back ------------------------------------------------------------------------------


@pytest.fixture
def declined(session, actor, file, do):
    case = file()
    case.category, case.severity = "C1", "S2"
    session.commit()
    tick(case, "declined", now(), {})
    case.state, case.outcome, case.closed_at = "closed", "declined", now()
    case.facts = {"recusal_checked": {"at": ""}}
    session.commit()
    return case


@pytest.mark.parametrize(
    "verb", [v for v in VERBS.values() if v.closed and v.to], ids=lambda verb: verb.name
)
@pytest.mark.parametrize("stage", Stage)
def test_no_open_case_is_opened_again(verb, stage):
    case = Case(stage=stage.value, state="open", facts={"review_asked": {}}, source="direct")
    assert not in_reach(verb, case)
    case.state = "closed"
    assert in_reach(verb, case) == (stage in verb.stages)


def test_every_closed_case_has_exactly_one_way_back():
    ways = [verb for verb in VERBS.values() if verb.closed and verb.to]
    for stage in Stage:
        assert len([verb for verb in ways if stage in verb.stages]) == 1


def test_an_open_case_keeps_its_stage_and_its_promised_date(session, approver, file, do):
    case = file()
    promised = session.scalars(select(ClockRow.promised_on).where(ClockRow.kind == "reply")).one()
    for verb in ("reopen", "reopen_intake"):
        with pytest.raises(MoveNotAllowed):
            do(approver, case, verb, "重启")
        session.rollback()
    rows = session.execute(select(ClockRow.key, ClockRow.promised_on)).all()
    assert dict(rows)["reply#1"] == promised
    assert find(session, approver, case.number).stage == Stage.INTAKE


def test_a_declined_case_that_is_opened_again_is_accepted_or_declined_anew(
    session, approver, declined, do
):
    with pytest.raises(MoveNotAllowed):
        do(approver, declined, "reopen", "当时理由不足")
    do(approver, declined, "reopen_intake", "当时理由不足")
    case = find(session, approver, declined.number)
    assert (case.is_open, case.stage, case.outcome) == (True, Stage.INTAKE, None)
    assert "recusal_checked" not in case.facts
    rows = session.execute(select(ClockRow.key, ClockRow.state)).all()
    running = {key for key, state in rows if state == "running"}
    assert running == {"accept#2", "reply#2", "progress#1", "stage:intake#2"}


def test_a_case_that_was_accepted_once_is_investigated_and_not_accepted_anew(
    session, approver, closed, do
):
    do(approver, closed, "reopen", "出现新事实")
    case = find(session, approver, closed.number)
    assert case.stage == Stage.INVESTIGATION
    rows = session.execute(select(ClockRow.key, ClockRow.state)).all()
    running = {key for key, state in rows if state == "running"}
    assert running == {"reply#2", "progress#1", "stage:investigation#1"}
