"""Appeals: the person asks, somebody new decides, the corrected score stands beside the first."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Conflict, Invalid, NotFound, Refused
from huiyin_scoring_incentive import appeals, formulas, rounds, scoring
from huiyin_scoring_incentive.models import Appeal, Formula, Round
from huiyin_scoring_incentive.schemas import AppealForm, DecisionForm

ASK = AppealForm(grounds="有一件重启是因为投诉人补充了新的事实", figure="case:not_reopened")
NO = DecisionForm(outcome="dismissed", reason="核对过案件记录，计入没有错误")


@pytest.fixture
def appeal(lend, published, score_of):
    """An appeal of the officer, and the score it is about."""
    found = published()
    (score,) = score_of(found, "officer2")
    return appeals.file(lend("officer2"), score.id, ASK), score


def reopened(lend, appeal):
    """The first thing counted against the person."""
    (row,) = [r for r in rounds.inputs_of(lend(), appeal.round_id, appeal.subject_id)
              if r.figure == "case:not_reopened"]  # fmt: skip
    at = next(i for i, p in enumerate(row.proofs) if not p["counted"])
    return f"case:not_reopened|{at}"


def test_only_the_person_appeals(lend, published, score_of):
    (score,) = score_of(published(), "officer")
    for name in ("approver", "supervisor", "executive"):
        with pytest.raises(Refused):
            appeals.file(lend(name), score.id, ASK)
    for name in ("officer2", "admin"):
        with pytest.raises(NotFound):
            appeals.file(lend(name), score.id, ASK)


def test_an_appeal_is_filed_once(lend, appeal):
    _, score = appeal
    with pytest.raises(Conflict):
        appeals.file(lend("officer2"), score.id, ASK)


@pytest.mark.parametrize(("late", "fine"), [(15, True), (16, False)])
def test_the_last_day_is_the_last_day(lend, published, score_of, session, late, fine):
    found = published()
    (score,) = score_of(found, "officer")
    at = found.published_at - timedelta(days=late)
    session.execute(update(Round).where(Round.id == found.id).values(published_at=at))
    session.refresh(found)
    if fine:
        assert appeals.file(lend("officer"), score.id, ASK).state == "open"
    else:
        with pytest.raises(Conflict):
            appeals.file(lend("officer"), score.id, ASK)


def test_an_unknown_indicator_is_refused_at_its_field(lend, published, score_of):
    (score,) = score_of(published(), "officer")
    with pytest.raises(Invalid) as refused:
        appeals.file(lend("officer"), score.id, AppealForm(grounds="理由写得足够长", figure="x:y"))
    assert set(refused.value.fields) == {"figure"}


def test_nobody_who_made_the_score_decides(lend, appeal):
    filed, _ = appeal
    # formula: approver, supervisor; round: approver, approver2, supervisor
    for name in ("approver", "approver2", "supervisor"):
        with pytest.raises(Refused):
            appeals.decide(lend(name), filed.id, NO)
    for name in ("officer", "investigator", "admin"):
        with pytest.raises(NotFound):
            appeals.decide(lend(name), filed.id, NO)
    assert appeals.decide(lend("executive"), filed.id, NO).state == "decided"


def test_nobody_decides_their_own(lend, appeal):
    filed, _ = appeal
    with pytest.raises(Refused):
        appeals.decide(lend("officer2"), filed.id, NO)


def test_the_database_refuses_both_as_well(appeal, session):
    filed, _ = appeal
    session.flush()
    for who, name in ((filed.subject_id, "not_self"), (filed.barred[0], "somebody_new")):
        with pytest.raises(IntegrityError, match=name), session.begin_nested():
            session.execute(
                update(Appeal).where(Appeal.id == filed.id)
                .values(state="decided", decided_by=who)
            )  # fmt: skip


def test_a_correction_stands_beside_the_first(lend, appeal, score_of, session, published):
    filed, first = appeal
    was = first.value
    given = DecisionForm(
        outcome="upheld", reason="该件重启由新事实引起，不应计入", leave_out=[reopened(lend, filed)]
    )
    appeals.decide(lend("executive"), filed.id, given)
    found = session.get(Round, (filed.tenant_id, filed.round_id))
    one, two = score_of(found, "officer2")
    assert (one.revision, one.value, two.revision) == (1, was, 2)
    assert two.value > was
    assert two.appeal_id == filed.id
    (line,) = [
        r for r in rounds.scores_in(lend("executive"), found.id) if r.subject_name == "某officer2"
    ]
    assert line.value == two.value
    parts = {p.figure: p for p in appeals.parts_of(two)}
    before = {p.figure: p for p in appeals.parts_of(one)}
    assert parts["case:not_reopened"].n == before["case:not_reopened"].n - 1
    assert parts["case:stages_in_time"] == before["case:stages_in_time"]


def test_nothing_left_out_gives_the_very_same_score(lend, appeal, session):
    """The frozen inputs, recomputed with nothing left out, are the published score."""
    filed, first = appeal
    found = session.get(Round, (filed.tenant_id, filed.round_id))
    formula = session.get(Formula, (filed.tenant_id, found.formula_id))
    figures = {p.figure: rounds.frozen_figure(p) for p in appeals.parts_of(first)}
    given = {r.figure: rounds.as_input(r)
             for r in rounds.inputs_of(lend(), found.id, first.subject_id)}  # fmt: skip
    pools = msgspec.convert(found.pool, dict[str, scoring.Pool])
    again = scoring.score_of(formulas.body_of(formula), figures, pools, given)
    assert (again.value, again.low, again.high) == (first.value, first.low, first.high)


@pytest.mark.parametrize(
    "leave_out",
    [[], ["case:not_reopened|999"], ["case:closed|0"], ["case:not_reopened"], ["|0"],
     ["case:not_reopened|-1"], ["case:not_reopened|1x"]],
)  # fmt: skip
def test_a_correction_names_what_it_leaves_out(lend, appeal, leave_out):
    filed, _ = appeal
    given = DecisionForm(outcome="upheld", reason="该件重启由新事实引起", leave_out=leave_out)
    with pytest.raises(Invalid) as refused:
        appeals.decide(lend("executive"), filed.id, given)
    assert set(refused.value.fields) == {"leave_out"}
    assert filed.state == "open"


def test_a_dismissal_leaves_nothing_out(lend, appeal):
    filed, _ = appeal
    given = DecisionForm(outcome="dismissed", reason="没有错误，维持原分", leave_out=["x:y|0"])
    with pytest.raises(Invalid):
        appeals.decide(lend("executive"), filed.id, given)


def test_a_decision_is_made_once(lend, appeal):
    filed, _ = appeal
    appeals.decide(lend("executive"), filed.id, NO)
    with pytest.raises(Conflict):
        appeals.decide(lend("executive"), filed.id, NO)


def test_it_can_be_withdrawn_by_the_person_alone(lend, appeal):
    filed, _ = appeal
    for name in ("officer", "executive"):
        with pytest.raises(NotFound):
            appeals.withdraw(lend(name), filed.id)
    assert appeals.withdraw(lend("officer2"), filed.id).state == "withdrawn"
    with pytest.raises(Conflict):
        appeals.decide(lend("executive"), filed.id, NO)


def test_one_reads_one_s_own_and_those_who_decide_read_all(lend, appeal):
    filed, _ = appeal
    assert appeals.page(lend("officer"))[0] == []
    with pytest.raises(NotFound):
        appeals.get(lend("officer"), filed.id)
    for name in ("officer2", "executive", "supervisor"):
        assert [a.id for a in appeals.page(lend(name))[0]] == [filed.id]
        assert appeals.get(lend(name), filed.id).id == filed.id
