"""Evidence of a run: linked, fetched live, and frozen with it."""

import io

import pytest

from huiyin.sdk import (
    CORE_FIGURES,
    Figure,
    FigureUnit,
    Invalid,
    Nature,
    NotFound,
)
from huiyin_checklist_regulatory import evidence, live, runs
from huiyin_checklist_regulatory.schemas import LinkForm

from .given import LIVE


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
