"""Runs: sampling, answering, evidence, handing in, reviewing, the seal, and who may not."""

import io
import uuid
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import (
    CORE_FIGURES,
    Conflict,
    Figure,
    FigureUnit,
    Invalid,
    Measured,
    Nature,
    NotFound,
    Part,
    Period,
    today,
)
from huiyin.testing.history import closed_case
from huiyin_checklist_regulatory import evidence, live, packs, queries, report, runs, sampling, seal
from huiyin_checklist_regulatory.errors import Changed, Frozen, NotYours, SecondPerson
from huiyin_checklist_regulatory.schemas import (
    AnswerForm,
    LinkForm,
    ReviewForm,
    SampleForm,
    VouchForm,
)
from huiyin_checklist_regulatory.terms import Answer, SampleResult, Voucher

SEAL = ReviewForm(decision="seal")


# -- beginning and sampling --------------------------------------------------------------------


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


# -- answering ---------------------------------------------------------------------------------


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


# -- evidence ----------------------------------------------------------------------------------


def half(ctx, period):
    del ctx
    return [Measured(0.5, 4)] if period.until >= today() else []


LIVE = Figure(
    name="other:half", title="一半", definition="就是一半", unit=FigureUnit.SHARE,
    nature=Nature.CONTROL, measure=half,
)  # fmt: skip


def test_a_figure_is_live_until_handed_in_and_then_as_it_was(lend, run, kit):
    ctx = lend("approver", figures=[LIVE])
    row = runs.item(ctx, run.id, 1)
    piece = evidence.add_figure(ctx, row, "other:half")
    assert piece.frozen == {}
    assert live.read(ctx, "other:half", runs.period_of(run)).value == 0.5
    kit.say(ctx, run, 1, "met")
    kit.say(ctx, run, 2, "unverified", "再看")
    runs.submit(ctx, run.id)
    kept = live.reading_of(piece.frozen)
    assert (kept.value, kept.n, kept.unit, kept.definition) == (0.5, 4, "share", "就是一半")
    assert (kept.since, kept.until) == (run.since, run.until)
    assert kept.at
    assert kept.shown == "50.0%"
    assert kept.few
    gone = lend("approver")  # its plugin is off now
    assert live.read(gone, "other:half", runs.period_of(run)).problem
    assert live.reading_of(evidence.of_item(gone, row.id)[0].frozen).value == 0.5


def test_a_figure_that_cannot_be_had_is_frozen_as_unknown_with_the_reason(lend, run, kit):
    def broken(ctx, period):
        raise RuntimeError

    bad = Figure(
        name="other:bad", title="坏", definition="坏", unit=FigureUnit.COUNT,
        nature=Nature.CONTROL, measure=broken,
    )  # fmt: skip
    ctx = lend("approver", figures=[bad, LIVE])
    evidence.add_figure(ctx, runs.item(ctx, run.id, 1), "other:bad")
    kit.say(ctx, run, 1, "met")
    kit.say(ctx, run, 2, "unverified", "再看")
    runs.submit(ctx, run.id)
    kept = live.reading_of(evidence.of_run(ctx, run.id)[0].frozen)
    assert kept.value is None
    assert kept.shown == "--"
    assert "算不出来" in kept.problem


def test_figures_of_single_people_are_no_evidence(lend, run):
    ctx = lend("approver", figures=CORE_FIGURES)
    names = [figure.name for figure in live.choices(ctx)]
    assert "case:answered_in_time" in names
    assert "case:closed" not in names
    with pytest.raises(Invalid):
        evidence.add_figure(ctx, runs.item(ctx, run.id, 1), "case:closed")
    with pytest.raises(Invalid):
        evidence.add_figure(ctx, runs.item(ctx, run.id, 1), "moon:phase")


def test_programs_and_empty_files_are_no_evidence(lend, run):
    ctx = lend("approver")
    row = runs.item(ctx, run.id, 1)
    for name, content in (("x.exe", b"MZ"), ("empty.pdf", b""), ("run.sh", b"#!/bin/sh")):
        with pytest.raises(Invalid):
            evidence.add_file(ctx, row, name, io.BytesIO(content))


def test_a_file_is_kept_read_and_removed(lend, run, site):
    ctx = lend("approver")
    row = runs.item(ctx, run.id, 1)
    piece = evidence.add_file(ctx, row, "制度.pdf", io.BytesIO(b"%PDF-1.7 x"))
    assert evidence.read_file(ctx, piece.id)[1] == b"%PDF-1.7 x"
    with pytest.raises(NotFound):
        evidence.read_file(lend("executive"), piece.id)
    evidence.remove(ctx, row, piece.id)
    assert evidence.of_item(ctx, row.id) == []


def test_a_case_is_linked_only_by_who_may_see_it(lend, run, cases, people, session):
    ctx = lend("approver")
    row = runs.item(ctx, run.id, 1)
    number = cases[0].number
    with pytest.raises(Invalid):  # not in the team of that case
        evidence.add_link(lend("investigator"), row, LinkForm(number=number))
    with pytest.raises(Invalid):
        evidence.add_link(ctx, row, LinkForm(number="TS-1999-0001"))
    with pytest.raises(Invalid):
        evidence.add_link(ctx, row, LinkForm(number=number, letter="X-1"))
    evidence.add_link(ctx, row, LinkForm(number=number))
    assert [e.number for e in evidence.of_item(lend("supervisor"), row.id)] == [number]
    assert evidence.of_item(lend("executive"), row.id) == []
    cases[0].walled = [people["supervisor"].id]
    session.flush()
    assert evidence.of_item(lend("supervisor"), row.id) == []


def test_evidence_of_another_firm_cannot_be_linked(lend, run, elsewhere):
    ctx = lend("approver")
    with pytest.raises(Invalid):
        evidence.add_link(ctx, runs.item(ctx, run.id, 1), LinkForm(number=elsewhere.number))


def test_one_place_takes_twenty_pieces(lend, run):
    ctx = lend("approver", figures=[LIVE])
    row = runs.item(ctx, run.id, 1)
    for _ in range(evidence.MOST):
        evidence.add_figure(ctx, row, "other:half")
    with pytest.raises(Invalid):
        evidence.add_figure(ctx, row, "other:half")


# -- handing in and reviewing ------------------------------------------------------------------


def test_what_is_not_ready_cannot_be_handed_in_and_each_item_is_named(lend, run, kit):
    kit.say(lend("approver"), run, 1, "met")
    with pytest.raises(Invalid) as caught:
        runs.submit(lend("approver"), run.id)
    assert [str(m) for m in caught.value.fields.values()] == [
        "第 1 项答「符合」，还没有证据", "第 2 项还没有结论",
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["approver", "investigator"])
def test_whoever_had_a_hand_in_a_run_does_not_review_it(who, lend, handed_in):
    with pytest.raises(SecondPerson):
        runs.review(lend(who), handed_in.id, SEAL)


def test_who_judged_a_drawn_case_or_gave_evidence_does_not_review(lend, tiny_pack, cases, kit):
    run = runs.begin(lend("approver"), kit.run_form(sample_size=1), "k")
    row = evidence.sample(lend("approver"), run.id)[0]
    form = SampleForm(result=SampleResult.PASS)
    runs.judge_sample(lend("approver2"), run.id, row.case_id, form)
    kit.say(lend("approver"), run, 1, "not_met", "缺")
    kit.say(lend("approver"), run, 2, "unverified", "缺")
    runs.submit(lend("approver"), run.id)
    with pytest.raises(SecondPerson):
        runs.review(lend("approver2"), run.id, SEAL)


def test_the_database_too_refuses_a_reviewer_who_answered(handed_in, session, people):
    with pytest.raises(IntegrityError, match="second_person"):
        session.execute(
            text("UPDATE plugin_checklist_regulatory__run SET reviewed_by = :who"),
            {"who": people["investigator"].id},
        )


def test_a_run_comes_back_with_a_reason_and_can_be_worked_on_again(lend, handed_in, kit):
    with pytest.raises(Invalid):
        runs.review(lend("supervisor"), handed_in.id, ReviewForm(decision="return"))
    form = ReviewForm(decision="return", note="第 2 项请补材料")
    assert runs.review(lend("supervisor"), handed_in.id, form).state == "open"
    kit.say(lend("investigator"), handed_in, 2, "not_met", "材料没有")
    runs.submit(lend("approver"), handed_in.id)
    assert runs.review(lend("supervisor"), handed_in.id, SEAL).seal


def test_whoever_handed_a_run_in_once_does_not_seal_it_later(lend, run, kit, session):
    kit.say(lend("approver"), run, 1, "not_met", "缺")
    kit.say(lend("approver"), run, 2, "unverified", "缺")
    runs.submit(lend("approver2"), run.id)
    form = ReviewForm(decision="return", note="第 2 项请补材料")
    runs.review(lend("supervisor"), run.id, form)
    runs.submit(lend("approver"), run.id)
    assert run.id not in {waiting.id for waiting in queries.to_review(lend("approver2"))}
    with pytest.raises(SecondPerson):
        runs.review(lend("approver2"), run.id, SEAL)
    assert runs.review(lend("supervisor"), run.id, SEAL).seal


def test_a_run_that_was_handed_in_takes_no_more(lend, handed_in, people, kit):
    with pytest.raises(Frozen):
        kit.say(lend("investigator"), handed_in, 1, "met")
    with pytest.raises(Frozen):
        runs.assign(lend("approver"), handed_in.id, 1, None)
    with pytest.raises(Frozen):
        runs.submit(lend("approver"), handed_in.id)
    with pytest.raises(Frozen):
        runs.answering(lend("approver"), handed_in.id, 1)
    runs.review(lend("supervisor"), handed_in.id, SEAL)
    with pytest.raises(Frozen):
        runs.review(lend("supervisor"), handed_in.id, SEAL)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plugin_checklist_regulatory__item SET answer = 'met'",
        "DELETE FROM plugin_checklist_regulatory__item",
        "UPDATE plugin_checklist_regulatory__run SET title = 'x'",
    ],
)
def test_the_database_too_keeps_a_sealed_run_as_it_is(statement, lend, handed_in, session):
    runs.review(lend("supervisor"), handed_in.id, SEAL)
    session.commit()
    with pytest.raises(IntegrityError, match="does not change"):
        session.execute(text(statement))


def test_the_seal_covers_answers_sources_and_evidence(lend, handed_in, session):
    sealed = runs.review(lend("supervisor"), handed_in.id, SEAL)
    session.commit()
    session.expire_all()
    ctx = lend("executive")
    assert seal.content_hash(ctx, runs.find(ctx, sealed.id)) == sealed.seal
    row = runs.item(ctx, sealed.id, 1)
    row.note = "改过"
    with session.no_autoflush:
        assert seal.content_hash(ctx, sealed) != sealed.seal
    session.rollback()


def test_the_standing_of_a_source_is_frozen_with_the_run(lend, handed_in, session):
    ctx = lend("supervisor")
    form = VouchForm(kind=Voucher.READ, person="甲", on=today(), source="全文")
    packs.vouch(lend("investigator"), "tiny", "1", form)
    tick = VouchForm(kind=Voucher.COUNSEL, person="乙律师", on=today(), source="意见")
    packs.vouch(lend("approver"), "tiny", "1", tick)
    line = report.report_of(ctx, handed_in).lines[0]
    assert not line.standing.verified
    assert ctx.text(line.verdict) == "待核实"


# -- reports -----------------------------------------------------------------------------------


def everything(book):
    return "\n".join(str(cell.value) for sheet in book for row in sheet for cell in row)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_prints_no_breach_for_what_is_not_verified(language, lend, handed_in):
    ctx = lend("supervisor", language=language)
    told = report.report_of(ctx, handed_in)
    book = load_workbook(io.BytesIO(report.xlsx(ctx, told)))
    words = everything(book)
    assert ctx.text("待核实") in words
    for word in ("违法", "违规", "Breach", "breach", "violation"):
        assert word not in words
    assert report.pdf(ctx, told).startswith(b"%PDF")


def test_a_breach_is_printed_when_source_and_tick_are_there(lend, run, people, kit):
    read = VouchForm(kind=Voucher.READ, person="甲", on=today(), source="全文")
    packs.vouch(lend("investigator"), "tiny", "1", read)
    tick = VouchForm(kind=Voucher.COUNSEL, person="乙律师", on=today(), source="意见")
    packs.vouch(lend("approver2"), "tiny", "1", tick)
    kit.say(lend("approver"), run, 1, "not_met", "缺")
    kit.say(lend("approver"), run, 2, "not_met", "缺")
    runs.submit(lend("approver"), run.id)
    ctx = lend("supervisor")
    first, second = report.report_of(ctx, run).lines
    assert ctx.text(first.verdict) == "违规：《某办法》（第 1 号）第 3 条"
    assert ctx.text(second.verdict) == "待核实"


FACT = "sells_itself"


def held(lend, kit, since, until, *, fact="yes", **dates):
    """A verified and ticked item that is not met, with a source in force between ``dates``."""
    force = "".join(f"\neffective_{name} = {day}" for name, day in dates.items())
    content = kit.tiny().decode().replace('scope = "binds"', f'scope = "binds"{force}')
    content = content.replace('item_id = "1"', f'item_id = "1"\nwhen = ["{FACT}"]')
    entry = packs.bring_in(lend("admin"), content.encode(), "tiny.toml")
    assert entry.accepted, entry.faults
    packs.adopt(lend("approver"), "tiny", "1")
    read = VouchForm(kind=Voucher.READ, person="甲", on=today(), source="全文")
    packs.vouch(lend("investigator"), "tiny", "1", read)
    tick = VouchForm(kind=Voucher.COUNSEL, person="乙律师", on=today(), source="意见")
    packs.vouch(lend("approver2"), "tiny", "1", tick)
    packs.answer_facts(lend("admin"), {FACT: fact})
    run = runs.begin(lend("approver"), kit.run_form(since=since, until=until), "k")
    kit.say(lend("approver"), run, 1, "not_met", "缺")
    return report.report_of(lend("supervisor"), run).lines[0]


START, END = today() - timedelta(days=60), today() - timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "违规：《某办法》（第 1 号）第 3 条"),
        ({"from": START, "to": END}, "违规：《某办法》（第 1 号）第 3 条"),
        ({"from": "2099-01-01"}, "待核实"),
        ({"from": START + timedelta(days=1)}, "待核实"),  # not yet, when the period began
        ({"to": END - timedelta(days=1)}, "待核实"),  # no longer, when it ended
        ({"fact": ""}, "待核实"),  # nobody has said whether it concerns the firm
    ],
)
def test_a_breach_is_named_only_by_a_rule_that_bound_the_firm_all_the_time(given, said, lend, kit):
    assert lend("supervisor").text(held(lend, kit, START, END, **given).verdict) == said


def test_what_does_not_concern_the_firm_is_judged_neither_way(lend, kit):
    with pytest.raises(Conflict, match="不适用"):
        held(lend, kit, START, END, fact="no")
    run = runs.begin(lend("approver"), kit.run_form(), "k")
    with pytest.raises(Conflict, match="不适用"):
        kit.say(lend("approver"), run, 1, "met")
    assert kit.say(lend("approver"), run, 1, "unverified", "再问律师").answer == "unverified"


def test_who_reads_no_cases_gets_results_without_notes_cases_and_sample(
    lend, tiny_pack, cases, kit
):
    ctx = lend("approver")
    run = runs.begin(ctx, kit.run_form(sample_size=2), "k")
    kit.say(ctx, run, 1, "not_met", "提到了张先生")
    evidence.add_link(ctx, runs.item(ctx, run.id, 1), LinkForm(number=cases[0].number))
    for who, sees in (("supervisor", True), ("executive", False), ("admin", False)):
        reader = lend(who)
        told = report.report_of(reader, run)
        words = everything(load_workbook(io.BytesIO(report.xlsx(reader, told))))
        assert ("张先生" in words) is sees
        assert (cases[0].number in words) is sees
        assert ("抽查人" in words) is sees
        assert "不符合" in words


def test_what_begins_like_a_formula_is_text_in_the_workbook(lend, run, kit):
    ctx = lend("approver")
    kit.say(ctx, run, 1, "not_met", '=HYPERLINK("http://x","y")')
    book = load_workbook(io.BytesIO(report.xlsx(ctx, report.report_of(ctx, run))))
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)


def test_a_report_costs_the_same_whatever_the_run_holds(lend, kit, request, tiny_pack, cases):
    heard = request.getfixturevalue("queries")
    ctx = lend("approver", figures=[LIVE])
    run = runs.begin(ctx, kit.run_form(sample_size=1), "k")
    ctx.session.flush()
    report.report_of(ctx, run)
    heard.clear()
    report.report_of(ctx, run)
    few = len(heard)
    for case in cases:
        evidence.add_link(ctx, runs.item(ctx, run.id, 1), LinkForm(number=case.number))
    ctx.session.flush()
    heard.clear()
    report.report_of(ctx, run)
    assert len(heard) <= few + 1  # one for whether the cases may be seen
    assert Period(run.since, run.until) == runs.period_of(run)


def test_an_item_shows_what_the_last_sealed_run_found(lend, handed_in, kit):
    runs.review(lend("supervisor"), handed_in.id, SEAL)
    ctx = lend("approver")
    later = runs.begin(ctx, kit.run_form(title="下一次"), "k-later")
    ctx.session.flush()
    row, run = queries.previous(ctx, later, "1")
    assert (run.id, row.answer) == (handed_in.id, "not_met")
    assert queries.previous(ctx, handed_in, "1") is None
    assert queries.previous(ctx, later, "9") is None
