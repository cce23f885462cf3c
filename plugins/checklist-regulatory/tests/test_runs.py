"""Runs: beginning, sampling, answering."""

import uuid
from datetime import timedelta

import pytest

from huiyin.sdk import (
    Invalid,
    NotFound,
    Part,
    today,
)
from huiyin.testing.history import closed_case
from huiyin_checklist_regulatory import evidence, runs, sampling
from huiyin_checklist_regulatory.errors import Changed, NotYours
from huiyin_checklist_regulatory.schemas import (
    AnswerForm,
    SampleForm,
)
from huiyin_checklist_regulatory.terms import Answer, SampleResult


def test_a_stranger_draws_the_same_cases_from_seed_and_numbers(lend, tiny_pack, cases, kit):
    ctx = lend("approver")
    run = runs.begin(ctx, kit.run_form(sample_size=3, seed="abc"), "k")
    drawn = [row.number for row in evidence.sample(ctx, run.id)]
    assert sampling.redraw("abc", run.population_numbers, 3) == drawn
    assert sorted(case.number for case in cases) == run.population_numbers
    again = runs.begin(ctx, kit.run_form(sample_size=3, seed="abc"), "k-again")
    assert [row.number for row in evidence.sample(ctx, again.id)] == drawn
    other = runs.begin(ctx, kit.run_form(sample_size=5, seed="xyz"), "k-other")
    assert other.population_hash == run.population_hash
    assert len({row.number for row in evidence.sample(ctx, other.id)}) == 5


def test_a_run_by_case_type_draws_from_that_type_only(lend, tiny_pack, cases, people, session, kit):
    other = closed_case(session, people={Part.OWNER: people["officer"]}, category="B2")
    form = kit.run_form(kind="case_type", category="B", sample_size=10)
    run = runs.begin(lend("approver"), form, "k")
    assert run.population_numbers == [other.number]


def test_a_case_that_names_the_drawer_is_not_in_the_population(
    lend, tiny_pack, cases, people, session, kit
):
    closed_case(
        session, people={Part.OWNER: people["officer"]}, walled=[people["approver"].id]
    )  # fmt: skip
    run = runs.begin(lend("approver"), kit.run_form(sample_size=10), "k")
    assert run.population == 5


def test_the_same_key_is_the_same_run(lend, tiny_pack, kit):
    ctx = lend("approver")
    assert runs.begin(ctx, kit.run_form(), "k").id == runs.begin(ctx, kit.run_form(), "k").id


def test_numbers_follow_each_other(lend, tiny_pack, kit):
    made = [runs.begin(lend("approver"), kit.run_form(), f"k{n}").number for n in range(3)]
    assert [number[-3:] for number in made] == ["001", "002", "003"]


NO_RUN = (
    ({"pack": "moon"}, "pack"),
    ({"pack": "iso10002"}, "pack"),  # there, but not in use
    ({"until": today() - timedelta(days=365)}, "until"),
    ({"since": today() - timedelta(days=365 * 5)}, "since"),
    ({"since": today() + timedelta(days=2), "until": today() + timedelta(days=3)}, "since"),
    ({"kind": "case_type"}, "category"),
    ({"due_on": today() - timedelta(days=1)}, "due_on"),
    ({"assignee": uuid.UUID(int=7)}, "assignee"),
)


def test_what_makes_no_run_is_refused_at_its_field(lend, tiny_pack, kit):
    for given, field in NO_RUN:
        form = kit.run_form(**given)
        with pytest.raises(Invalid) as caught:
            runs.begin(lend("approver"), form, f"k-{field}")
        assert field in caught.value.fields


def test_an_officer_answers_what_was_assigned_and_nothing_else(lend, run, people, kit):
    runs.assign(lend("approver"), run.id, 1, people["officer"].id)
    assert kit.say(lend("officer"), run, 1, "not_met", "缺").answered_name == "许知安"
    with pytest.raises(NotYours):
        kit.say(lend("officer"), run, 2, "not_met", "缺")
    with pytest.raises(NotYours):
        kit.say(lend("investigator"), run, 1, "not_met", "缺")


def test_every_answer_but_met_needs_words(lend, run, kit):
    for answer in ("not_met", "not_applicable", "unverified"):
        with pytest.raises(Invalid):
            kit.say(lend("approver"), run, 1, answer)


def test_the_second_of_two_who_answer_at_once_is_told(lend, run):
    seen = runs.item(lend("approver"), run.id, 1).rev
    form = AnswerForm(answer=Answer.UNVERIFIED, note="甲", seen=seen)
    runs.answer(lend("approver"), run.id, 1, form)
    with pytest.raises(Changed):
        runs.answer(lend("approver2"), run.id, 1, form)


def test_nobody_is_assigned_who_may_not_answer(lend, run, people):
    with pytest.raises(Invalid):
        runs.assign(lend("approver"), run.id, 1, people["executive"].id)


def test_a_drawn_case_with_an_issue_needs_words(lend, tiny_pack, cases, kit):
    run = runs.begin(lend("approver"), kit.run_form(sample_size=1), "k")
    row = evidence.sample(lend("approver"), run.id)[0]
    with pytest.raises(Invalid):
        runs.judge_sample(
            lend("officer"), run.id, row.case_id, SampleForm(result=SampleResult.ISSUE)
        )
    form = SampleForm(result=SampleResult.PASS)
    with pytest.raises(NotFound):
        runs.judge_sample(lend("officer"), run.id, uuid.uuid4(), form)
