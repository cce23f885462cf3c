"""What the core counts over closed complaints, worked out by hand beside it."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event

from huiyin.archive.figures import FIGURES
from huiyin.archive.records import closed_cases
from huiyin.cases.stages import FINISHED, Outcome, Part
from huiyin.identity.actor import system_actor
from huiyin.kit.time import SHANGHAI
from huiyin.plugins.figures import FigureUnit, Period
from huiyin.testing.history import closed_case

JULY = Period(date(2026, 7, 1), date(2026, 7, 31))
NOON = datetime(2026, 7, 15, 12, tzinfo=SHANGHAI)


class Context:
    """All that the core's figures look at."""

    def __init__(self, session, actor):
        self.session, self.actor = session, actor


@pytest.fixture
def people(make_actor):
    return {
        Part.OWNER: make_actor("complaint_officer", name="沈佳宁"),
        Part.INVESTIGATOR: make_actor("investigator", name="周岚"),
        Part.DRAFTER: make_actor("investigator", name="贺文清"),
        Part.APPROVER: make_actor("approver", name="顾明远"),
    }


@pytest.fixture
def measure(session, tenant):
    def named(name, period=JULY, actor=None):
        (figure,) = [f for f in FIGURES if f.name == f"case:{name}"]
        ctx = Context(session, actor or system_actor(tenant.id))
        return {m.subject: m for m in figure.measure(ctx, period)}

    return named


def test_a_period_has_both_its_days_and_no_more(session, tenant, people):
    day = timedelta(days=1)
    for moment in (JULY.begin, JULY.end - timedelta(seconds=1), JULY.end, JULY.begin - day):
        closed_case(session, people=people, closed_at=moment)
    found = closed_cases(session, system_actor(tenant.id), JULY)
    assert [record.closed_at in JULY for record in found] == [True, True]


def test_a_period_that_ends_before_it_begins_is_none():
    with pytest.raises(ValueError, match="ends after"):
        Period(date(2026, 7, 2), date(2026, 7, 1))


def test_clocks_count_for_whoever_had_the_turn(session, people, measure):
    closed_case(
        session, people=people, closed_at=NOON,
        clocks=[("stage", "intake", True), ("stage", "plan", False), ("stage", "approval", True),
                ("stage", "investigation", False), ("reply", "", False)],
    )  # fmt: skip
    found = measure("stages_in_time")
    assert {who: (m.value, m.n) for who, m in found.items()} == {
        people[Part.OWNER].id: (1.0, 1),
        people[Part.DRAFTER].id: (0.0, 1),
        people[Part.APPROVER].id: (1.0, 1),
        people[Part.INVESTIGATOR].id: (0.0, 1),
    }
    assert measure("answered_in_time")[None].value == 0.0


def test_nobody_is_measured_by_a_case_in_which_they_are_named(session, people, measure):
    drafter, owner = people[Part.DRAFTER], people[Part.OWNER]
    closed_case(session, people=people, closed_at=NOON)
    closed_case(session, people=people, closed_at=NOON, returned=1, walled=[drafter.id])
    assert measure("plan_first_time")[drafter.id].n == 1
    assert measure("closed")[owner.id].n == 2, "the others are"
    assert measure("lessons_written")[None].n == 2


def test_a_plan_that_came_back_was_not_right_the_first_time(session, people, measure):
    for returned in (0, 0, 2):
        closed_case(session, people=people, closed_at=NOON, returned=returned)
    found = measure("plan_first_time")[people[Part.DRAFTER].id]
    assert found.value == pytest.approx(2 / 3)
    assert found.n == 3
    assert [proof.counted for proof in found.proofs].count(0.0) == 1


def test_a_case_that_was_opened_again_did_not_stand(session, people, measure):
    closed_case(session, people=people, closed_at=NOON)
    closed_case(session, people=people, closed_at=NOON, reopened=1)
    found = measure("not_reopened")
    assert {m.value for m in found.values()} == {0.5}
    assert set(found) == {people[Part.OWNER].id, people[Part.INVESTIGATOR].id}


def test_a_lesson_without_its_cause_is_none(session, people, measure):
    closed_case(session, people=people, closed_at=NOON)
    closed_case(session, people=people, closed_at=NOON, cause=None)
    assert measure("lessons_written")[None].value == 0.5


def test_how_many_and_how_long_are_said_to_be_just_that(session, people, measure):
    closed_case(session, people=people, closed_at=NOON, days=14)
    assert measure("closed")[people[Part.OWNER].id].value == 1.0
    assert measure("handling_days")[people[Part.OWNER].id].value == 10.0
    natures = {f.name: f.nature.value for f in FIGURES}
    assert natures["case:closed"] == "volume"
    assert natures["case:handling_days"] == "speed"


def test_a_person_named_in_a_case_is_told_nothing_of_it(session, people, measure, make_actor):
    named = make_actor("supervisor")
    closed_case(session, people=people, closed_at=NOON, walled=[named.id])
    assert measure("closed", actor=named) == {}
    assert measure("closed", actor=people[Part.OWNER]) != {}


def test_what_is_no_complaint_is_not_counted(session, people, measure):
    closed_case(session, people=people, closed_at=NOON, intake_type="enquiry")
    assert measure("closed") == {}


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - FINISHED))
def test_what_ended_without_an_answer_is_listed_and_not_measured(
    session, tenant, people, measure, outcome
):
    closed_case(session, people=people, closed_at=NOON, clocks=[("reply", "", False)])
    closed_case(
        session, people=people, closed_at=NOON, outcome=outcome.value, returned=1, cause=None,
        clocks=[("reply", "", True), ("stage", "plan", True)],
    )  # fmt: skip
    found = closed_cases(session, system_actor(tenant.id), JULY)
    assert sorted(record.finished for record in found) == [False, True]
    for figure in FIGURES:
        assert {m.n for m in measure(figure.name.removeprefix("case:")).values()} <= {1}
    assert measure("answered_in_time")[None].value == 0.0
    assert measure("plan_first_time")[people[Part.DRAFTER].id].value == 1.0
    assert measure("lessons_written")[None].value == 1.0


def test_the_number_of_queries_is_that_of_one_case(session, tenant, people, engine):
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    actor = system_actor(tenant.id)
    counts = []
    for more in (1, 20):
        for _ in range(more):
            closed_case(session, people=people, closed_at=NOON)
        asked.clear()
        closed_cases(session, actor, JULY)
        counts.append(len(asked))
    assert counts == [4, 4]


def test_every_figure_says_what_it_is():
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
    for figure in FIGURES:
        assert figure.name.startswith("case:")
        assert len(figure.definition) > 12
        assert figure.unit in FigureUnit
        assert replace(figure) == figure
