"""Appeals: the person asks, somebody new decides, the corrected score stands beside the first."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import (
    Conflict,
    Figure,
    FigureUnit,
    Invalid,
    Measured,
    Nature,
    NotFound,
    Refused,
    colleagues,
)
from huiyin_scoring_incentive import appeals, formulas, rounds, scoring
from huiyin_scoring_incentive.models import Appeal, Formula, Round
from huiyin_scoring_incentive.schemas import AppealForm, Body, DecisionForm

from .conftest import BODY

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


# -- setting a figure right --------------------------------------------------------------------

LEARNT = "x:learnt"


@pytest.fixture
def more_figures():
    """What somebody else counts, and lists nothing of."""

    def measure(ctx, _period):
        return [Measured(0.5, 4, person.id) for person in colleagues(ctx.session)]

    return (
        Figure(
            name=LEARNT, title="学习", definition="学习", unit=FigureUnit.SHARE,
            nature=Nature.LEARNING, per_person=True, measure=measure,
        ),
    )  # fmt: skip


@pytest.fixture
def unlisted(lend, formula, cases, count, score_of):
    """An appeal against a figure behind which nothing is listed."""
    last = msgspec.structs.replace(BODY.terms[3], figure=LEARNT, floor=0, target=100)
    formula(Body(terms=(*BODY.terms[:3], last), coverage=70))
    cases()
    found = count()
    rounds.sign(lend("approver2"), found.id, found.scores_hash)
    rounds.publish(lend("supervisor"), found.id, found.scores_hash)
    (score,) = score_of(found, "officer2")
    ask = AppealForm(grounds="四门课都已完成，系统只计了两门", figure=LEARNT)
    return appeals.file(lend("officer2"), score.id, ask), score


def corrected(**given):
    return DecisionForm(
        **{"outcome": "upheld", "reason": "签到表显示四门都已完成", "figure": LEARNT,
           "value": 100.0, "n": 4, **given}
    )  # fmt: skip


def test_a_figure_that_lists_nothing_is_set_right_and_says_what_it_was(
    lend, unlisted, score_of, session
):
    filed, first = unlisted
    decided = appeals.decide(lend("executive"), filed.id, corrected())
    session.flush()
    assert decided.corrected == {
        "figure": LEARNT, "value": 100.0, "n": 4, "was": 50.0, "was_n": 4,
    }  # fmt: skip
    one, two = score_of(session.get(Round, (filed.tenant_id, filed.round_id)), "officer2")
    before, after = ({p.figure: p for p in appeals.parts_of(s)} for s in (one, two))
    part = after[LEARNT]
    assert (part.value, part.points, part.corrected, part.was, part.was_n) == (
        100,
        100,
        True,
        50,
        4,
    )
    assert not before[LEARNT].corrected
    # ten of the hundred weights (or of those that were measured) gain half their points
    gain = 10 * 50 / (float(one.coverage))
    assert float(two.value - one.value) == pytest.approx(gain, abs=0.06)
    assert after["case:stages_in_time"] == before["case:stages_in_time"]
    assert first.revision == 1


def test_nobody_who_made_the_score_sets_a_figure_right(lend, unlisted):
    filed, _ = unlisted
    for name in ("approver", "approver2", "supervisor", "officer2"):
        with pytest.raises(Refused):
            appeals.decide(lend(name), filed.id, corrected())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"figure": ""}, "leave_out"),
        ({"figure": "", "leave_out": ["case:not_reopened|0"]}, "figure"),
        ({"figure": "case:closed"}, "figure"),
        ({"value": None}, "value"),
        ({"value": 101.0}, "value"),
        ({"value": -1.0}, "value"),
        ({"value": float("nan")}, "value"),
        ({"n": None}, "n"),
        ({"outcome": "dismissed"}, "leave_out"),
        ({"figure": "case:not_reopened", "leave_out": ["case:not_reopened|0"]}, "figure"),
    ],
)
def test_what_is_set_right_has_a_figure_a_value_and_a_sample(lend, unlisted, given, field):
    filed, _ = unlisted
    with pytest.raises(Invalid) as refused:
        appeals.decide(lend("executive"), filed.id, corrected(**given))
    assert set(refused.value.fields) == {field}
    assert (filed.state, filed.corrected) == ("open", {})


def test_a_count_that_lacks_something_is_set_right_without_a_sample(
    lend, appeal, score_of, session
):
    filed, first = appeal
    given = corrected(figure="scoring_incentive:peer_help", value=2.0, n=None)
    appeals.decide(lend("executive"), filed.id, given)
    session.flush()
    found = session.get(Round, (filed.tenant_id, filed.round_id))
    _, two = score_of(found, "officer2")
    part = {p.figure: p for p in appeals.parts_of(two)}["scoring_incentive:peer_help"]
    assert (part.value, part.n, part.points, part.was) == (2, 2, 100, 0)
    assert two.value > first.value
