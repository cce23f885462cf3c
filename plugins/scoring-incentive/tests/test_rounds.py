"""Rounds: counted step by step, signed by one, published by another, and then fixed."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from huiyin.sdk import (
    Conflict,
    Figure,
    FigureUnit,
    Invalid,
    Measured,
    Nature,
    NotFound,
    Period,
    Refused,
    today,
)
from huiyin_scoring_incentive import appeals, formulas, rounds, tasks
from huiyin_scoring_incentive.figures import FIGURES
from huiyin_scoring_incentive.models import RoundInput, Score
from huiyin_scoring_incentive.schemas import HeadForm, RoundForm

from .conftest import BODY, QUARTER


def form(since=QUARTER.since, until=QUARTER.until):
    return RoundForm(title="2025 年第 2 季度", since=since, until=until)


def ledger(session, what):
    """The entries of one kind, oldest first."""
    return session.execute(
        text("SELECT doc FROM ledger_entry WHERE kind = :kind ORDER BY seq"),
        {"kind": f"scoring_incentive:{what}"},
    ).all()


# -- opening and counting ----------------------------------------------------------------------


def test_without_a_published_formula_nothing_is_counted(lend):
    with pytest.raises(Conflict):
        rounds.open_round(lend("approver"), form())


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [(QUARTER.until, QUARTER.since, "until"), (QUARTER.since, today(), "until"),
     (QUARTER.since - timedelta(days=400), QUARTER.until, "since")],
)  # fmt: skip
def test_a_period_is_over_and_not_too_long(lend, formula, since, until, field):
    formula()
    with pytest.raises(Invalid) as refused:
        rounds.open_round(lend("approver"), form(since, until))
    assert set(refused.value.fields) == {field}


def test_a_period_is_scored_once_unless_the_first_was_dropped(lend, formula, count):
    formula()
    first = count()
    with pytest.raises(Invalid):
        rounds.open_round(lend("approver"), form())
    rounds.drop(lend("approver"), first.id, "口径写错")
    assert count().id != first.id


def test_each_step_shows_and_twice_the_same_step_counts_once(lend, formula, cases, session):
    formula()
    cases()
    found = rounds.open_round(lend("approver"), form())
    step = {"round": str(found.id), "step": 0}
    tasks.count(lend(), step)
    tasks.count(lend(), step)
    assert (found.steps_done, found.steps) == (1, len(BODY.terms) + 1)
    kinds = session.scalars(select(RoundInput.figure).distinct()).all()
    assert kinds == ["case:not_reopened"]
    assert session.scalars(select(Score)).all() == []


def test_only_those_who_handle_cases_are_scored(published, session, staff):
    published()
    scored = set(session.scalars(select(Score.subject_id)))
    assert {staff.officer.id, staff.investigator.id} <= scored
    for name in ("approver", "supervisor", "executive", "admin"):
        assert getattr(staff, name).id not in scored


def test_a_round_is_frozen_with_formula_and_inputs_in_the_ledger(published, session):
    found = published()
    (counted,) = ledger(session, "round_counted")
    for part in (found.inputs_hash, found.scores_hash):
        assert part.encode() in bytes(counted.doc)
    assert len(ledger(session, "round_published")) == 1


def test_equal_cases_give_equal_hashes_and_one_more_case_another(lend, formula, cases, count):
    formula()
    made = cases()
    first = count()
    rounds.drop(lend("approver"), first.id, "重新计算")
    again = count()
    assert again.inputs_hash == first.inputs_hash
    rounds.drop(lend("approver"), again.id, "重新计算")
    cases(n=1)
    assert count().inputs_hash != first.inputs_hash
    assert len(made) == 12


def test_a_figure_that_is_off_stops_the_round_and_nothing_is_lost(
    lend, formula, cases, session, staff
):
    rating = Figure(
        name="survey_satisfaction:rating", title="评价", definition="评价", unit=FigureUnit.POINTS,
        nature=Nature.RATING, per_person=True,
        measure=lambda _c, _p: [Measured(80.0, 9, staff.officer.id)],
    )  # fmt: skip
    there = lend("approver")
    known = {f.name: f for f in there.figures()} | {rating.name: rating}
    book = type(there.figures())(lambda _o: there, known.values())
    body = replace_figure(BODY, 2, rating.name)
    on = replace(there, book=lambda: book)
    formulas.begin(on)
    saved = formulas.save(on, HeadForm(title="公式", reason="加入评价"), body)
    formulas.publish(replace(lend("supervisor"), book=lambda: book), saved.hash)
    cases()
    found = rounds.open_round(on, form())
    while found.state == "counting":
        tasks.count(lend(), {"round": str(found.id), "step": found.steps_done})
    assert (found.state, found.stopped_at_figure) == ("stopped", rating.name)
    before = len(session.scalars(select(RoundInput)).all())
    rounds.resume(lend("approver"), found.id)
    while found.state == "counting":
        here = replace(lend(), book=lambda: book)
        tasks.count(here, {"round": str(found.id), "step": found.steps_done})
    assert found.state == "counted"
    assert len(session.scalars(select(RoundInput)).all()) > before


def replace_figure(body, index, figure):
    terms = list(body.terms)
    terms[index] = msgspec.structs.replace(terms[index], figure=figure)
    return msgspec.structs.replace(body, terms=tuple(terms))


# -- two hands ---------------------------------------------------------------------------------


def test_one_signs_and_another_publishes(lend, formula, cases, count):
    formula()
    cases()
    found = count()
    rounds.sign(lend("approver"), found.id, found.scores_hash)
    with pytest.raises(Refused):
        rounds.publish(lend("approver"), found.id, found.scores_hash)
    rounds.publish(lend("approver2"), found.id, found.scores_hash)
    assert found.state == "published"


def test_what_is_signed_is_what_was_seen(lend, formula, cases, count):
    formula()
    cases()
    found = count()
    for seen in ("", "0" * 64):
        with pytest.raises(Conflict):
            rounds.sign(lend("approver"), found.id, seen)


def test_a_person_who_is_scored_neither_signs_nor_publishes(lend, formula, cases, count, staff):
    formula()
    cases()
    found = count()
    scored = lend("officer")
    with pytest.raises(Refused):
        rounds.sign(scored, found.id, found.scores_hash)
    rounds.sign(lend("approver"), found.id, found.scores_hash)
    with pytest.raises(Refused):
        rounds.publish(scored, found.id, found.scores_hash)


def test_whoever_would_be_scored_opens_no_round(lend, formula):
    formula()
    for name in ("officer", "investigator"):
        with pytest.raises(Refused):
            rounds.open_round(lend(name), form())


def test_a_published_round_is_changed_by_nobody(lend, published, session):
    found = published()
    for name in ("executive", "approver", "supervisor", "admin"):
        with pytest.raises(Conflict):
            rounds.drop(lend(name), found.id, "不要了")
        with pytest.raises(Conflict):
            rounds.sign(lend(name), found.id, found.scores_hash)
        with pytest.raises(Conflict):
            rounds.resume(lend(name), found.id)
    for table in ("score", "input"):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(f"UPDATE plugin_scoring_incentive__{table} SET id = id"))
        with pytest.raises(IntegrityError, match="not deleted before"), session.begin_nested():
            session.execute(text(f"DELETE FROM plugin_scoring_incentive__{table}"))


def test_the_database_refuses_one_pair_of_hands_too(published, session):
    found = published()
    with pytest.raises(IntegrityError, match="two"), session.begin_nested():
        session.execute(text("UPDATE plugin_scoring_incentive__round SET published_by = signed_by"))
    with pytest.raises(IntegrityError, match="second"), session.begin_nested():
        session.execute(
            text("UPDATE plugin_scoring_incentive__formula SET published_by = authors[1]")
        )
    assert found.published_by != found.signed_by


def test_publishing_is_told_with_no_word_of_anybody(published, session):
    found = published()
    rows = session.execute(
        text("SELECT object_id, payload FROM outbox_event WHERE kind = :kind"),
        {"kind": "scoring_incentive:published"},
    ).all()
    assert [(r.object_id, r.payload) for r in rows] == [(found.id, {})]


# -- who sees what -----------------------------------------------------------------------------


def test_an_unpublished_round_is_not_there_for_those_it_scores(lend, formula, cases, count):
    formula()
    cases()
    found = count()
    with pytest.raises(NotFound):
        rounds.visible(lend("officer"), found.id)
    assert rounds.page(lend("officer"))[0] == []
    assert rounds.visible(lend("executive"), found.id)


def test_a_score_is_seen_by_its_owner_and_those_who_may_see_all(lend, published, score_of):
    found = published()
    (score,) = score_of(found, "officer")
    for name in ("officer", "approver", "supervisor", "executive"):
        assert appeals.explain(lend(name), score.id).score.id == score.id
    for name in ("officer2", "investigator", "admin"):
        with pytest.raises(NotFound):
            appeals.explain(lend(name), score.id)


def test_small_teams_are_not_shown_and_cannot_be_worked_out():
    class Row:
        def __init__(self, department, value):
            self.department, self.value = department, value

    many = [Row("大部", 60 + i) for i in range(5)]
    few = [Row("小部", 90), Row("另部", 10)]
    shown, hidden = rounds.teams([*many, *few])
    assert [(t.name, t.people) for t in shown] == [("大部", 5)]
    assert hidden == 2
    shown, hidden = rounds.teams([*many, *few * 3])
    assert [(t.name, t.people) for t in shown] == [("大部", 5), ("", 6)]
    assert hidden == 0
    assert rounds.teams([Row("大部", None)] * 9) == ([], 0)


def test_the_figure_of_the_score_is_the_published_one_of_the_period(
    published, lend, score_of, staff
):
    found = published()
    (figure,) = [f for f in FIGURES if f.name == "scoring_incentive:score"]
    measured = {m.subject: m for m in figure.measure(lend(), QUARTER)}
    (score,) = score_of(found, "officer")
    mine = measured[staff.officer.id]
    assert mine.value == float(score.value)
    assert mine.proofs[0].path.endswith(str(score.id))
    elsewhere = Period(QUARTER.since + timedelta(days=1), QUARTER.until)
    assert figure.measure(lend(), elsewhere) == []


def test_whoever_is_named_in_a_case_is_not_measured_by_it(lend, formula, cases, count, staff):
    formula()
    cases(walled=[staff.officer2.id])
    found = count()
    rows = rounds.inputs_of(lend(), found.id, staff.officer2.id)
    assert rows == []
    theirs = rounds.inputs_of(lend(), found.id, staff.officer.id)
    assert {r.n for r in theirs if r.figure == "case:not_reopened"} == {6}, "the others are"
