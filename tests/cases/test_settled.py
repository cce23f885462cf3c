"""Settling a complaint at once: a finding, words to the complainant, and a second person."""

import pytest
from sqlalchemy import select

from huiyin.cases import service, tracking
from huiyin.cases.change import find, tick
from huiyin.cases.errors import GatesUnmet, SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.models import Entry, Participation
from huiyin.cases.stages import Outcome, Part, Stage
from huiyin.clocks.models import ClockRow
from huiyin.kit.errors import Invalid
from huiyin.kit.time import now

WORDS = "您好，分红安排已当场向您解释，您确认问题已解决"


@pytest.fixture
def case(session, actor):
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story="约好回电没有打来", phone="13800000000"),
    )  # fmt: skip
    case = find(session, actor, filed.number)
    case.stage, case.category, case.severity = Stage.PRELIMINARY.value, "J2", "S1"
    case.finding = "not_upheld"
    tick(case, "accepted", now(), {})
    case.facts = {"summary_agreed": {"at": ""}}
    session.commit()
    return case


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


def do(session, person, case, verb, reason=""):
    service.move(session, person, case.number, verb, rev=case.version, reason=reason)
    session.commit()
    return find(session, person, case.number)


def clocks_of(session):
    session.expire_all()
    return dict(session.execute(select(ClockRow.key, ClockRow.state)).all())


def test_nothing_is_settled_without_a_finding_that_somebody_chose(session, actor, case):
    case.finding = None
    session.commit()
    with pytest.raises(GatesUnmet) as unmet:
        do(session, actor, case, "summary_close", WORDS)
    assert [str(reason) for reason in unmet.value.missing] == ["调查结论"]


def test_nothing_is_settled_without_words_to_the_complainant(session, actor, case):
    with pytest.raises(Invalid):
        do(session, actor, case, "summary_close")


def test_the_complainant_reads_what_meets_the_time_limit_of_the_reply(session, actor, case):
    settled = do(session, actor, case, "summary_close", WORDS)
    assert settled.finding == "not_upheld"
    assert settled.answered_at is not None
    assert WORDS in [entry.body for entry in tracking.track(session, settled).messages]
    clocks = clocks_of(session)
    assert clocks["reply#1"] == "met"
    assert [key for key in clocks if key.startswith("followup")] == []
    assert {key for key, state in clocks.items() if state == "running"} == {"stage:archive#1"}
    outbox = session.scalars(select(Entry.verb).order_by(Entry.seq.desc())).first()
    assert outbox == "summary_close"


def test_it_ends_as_settled_at_once_and_by_a_second_person(session, actor, approver, case):
    settled = do(session, actor, case, "summary_close", WORDS)
    settled.cause = "RC7-4"
    settled.facts = {**settled.facts, **{gate: {"at": ""} for gate in EXIT[Stage.ARCHIVE]}}
    settled.facts.pop("review_settled")
    session.commit()
    session.add(
        Participation(
            case_id=case.id, account_id=(helper := approver).id, name=helper.name,
            part=Part.ASSISTANT.value, since=now(), by_id=actor.id,
        )
    )  # fmt: skip
    session.flush()
    with pytest.raises(SecondPersonRequired):
        do(session, approver, settled, "archive")
    session.rollback()
    ended = do(session, approver, settled, "archive")
    assert ended.outcome == Outcome.SUMMARY
    assert set(clocks_of(session).values()) <= {"met", "cancelled"}


def test_a_case_settled_at_once_and_opened_again_ends_like_any_other(
    session, actor, approver, case
):
    settled = do(session, actor, case, "summary_close", WORDS)
    settled.state, settled.outcome, settled.closed_at = "closed", "summary", now()
    session.commit()
    again = do(session, approver, settled, "reopen", "投诉人表示没有解决")
    assert "summary_closed" not in again.facts
    assert "summary_agreed" not in again.facts
