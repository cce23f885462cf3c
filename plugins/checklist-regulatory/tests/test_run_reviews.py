"""Handing in, reviewing, the seal, and what the report says."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import (
    Conflict,
    Invalid,
    Period,
    today,
)
from huiyin_checklist_regulatory import evidence, packs, queries, report, runs, seal
from huiyin_checklist_regulatory.errors import Frozen, SecondPerson
from huiyin_checklist_regulatory.schemas import (
    LinkForm,
    ReviewForm,
    SampleForm,
    VouchForm,
)
from huiyin_checklist_regulatory.terms import SampleResult, Voucher

from .given import LIVE

SEAL = ReviewForm(decision="seal")


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
