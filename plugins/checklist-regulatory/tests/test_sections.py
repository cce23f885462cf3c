"""The twenty sections: 已运行 needs a record of the last six months, and lapses without one."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import (
    Figure,
    FigureUnit,
    Invalid,
    Measured,
    Nature,
    NotFound,
    Part,
    Period,
    local_date,
    now,
    today,
)
from huiyin.testing.history import closed_case
from huiyin_checklist_regulatory import figures, library, sections
from huiyin_checklist_regulatory.pages_sections import records_of
from huiyin_checklist_regulatory.schemas import SectionForm
from huiyin_checklist_regulatory.terms import RecordKind, SectionState


def running(**given):
    """A form that says so, with a record of today unless told otherwise."""
    form = {"state": SectionState.RUNNING, "record_on": today(), "record": "例会纪要", **given}
    return SectionForm(**form)


def some(value, n):
    return Figure(
        name="other:some", title="某数", definition="某数", unit=FigureUnit.SHARE,
        nature=Nature.CONTROL, measure=lambda ctx, period: [Measured(value, n)],
    )  # fmt: skip


NO_RECORD = (
    ({"record": ""}, "record"),
    ({"record_on": None}, "record_on"),
    ({"record_on": today() + timedelta(days=3)}, "record_on"),
    ({"record_on": sections.oldest(today()) - timedelta(days=1)}, "record_on"),
    ({"record_kind": RecordKind.LINK, "record": "http://x"}, "record"),
    ({"record_kind": RecordKind.LINK, "record": "javascript:alert(1)"}, "record"),
    ({"record_kind": RecordKind.LINK, "record": "TS-1999-0001"}, "record"),
    ({"record_kind": RecordKind.FIGURE}, "figure"),
    ({"record_kind": RecordKind.FIGURE, "figure": "moon:phase"}, "figure"),
)


def test_running_without_a_good_record_is_refused_and_nothing_is_kept(lend):
    ctx = lend("approver")
    for given, field in NO_RECORD:
        with pytest.raises(Invalid) as caught:
            sections.assess(ctx, 1, running(**given))
        assert field in caught.value.fields
    assert sections.history(ctx, 1) == []


def test_a_record_of_the_last_six_months_shows_that_it_is_running(lend):
    ctx = lend("approver")
    for no, day in enumerate((today(), sections.oldest(today()) + timedelta(days=1)), start=1):
        sections.assess(ctx, no, running(record_on=day))
        assert sections.strip(ctx)[no - 1].state is SectionState.RUNNING


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 8, 31), date(2026, 2, 28)),
        (date(2024, 8, 30), date(2024, 2, 29)),
        (date(2026, 3, 15), date(2025, 9, 15)),
        (date(2026, 6, 30), date(2025, 12, 30)),
        (date(2026, 1, 1), date(2025, 7, 1)),
    ],
)
def test_six_months_back_is_the_same_day_or_the_last_of_its_month(day, before):
    assert sections.oldest(day) == before


def test_a_record_that_grows_old_no_longer_shows_that_it_is_running(lend):
    ctx = lend("approver")
    sections.assess(ctx, 1, running(record_on=today()))
    later = today() + timedelta(days=190)
    cell = sections.strip(ctx, on=later)[0]
    assert cell.lapsed
    assert cell.state is SectionState.DOCUMENTED


def test_a_figure_shows_it_only_when_it_counted_something(lend):
    form = running(record_kind=RecordKind.FIGURE, figure="other:some")
    for value, n in ((None, 0), (0.0, 0), (0.0, 20), (-1.0, 20), (0.5, 0)):
        with pytest.raises(Invalid):
            sections.assess(lend("approver", figures=[some(value, n)]), 1, form)
    row = sections.assess(lend("approver", figures=[some(0.5, 30)]), 1, form)
    assert (row.record_on, row.frozen["n"]) == (today(), 30)


def test_what_is_made_of_assessments_does_not_show_that_anything_is_running(lend):
    ctx = lend("approver", figures=[*figures.FIGURES, some(0.5, 30)])
    sections.assess(ctx, 1, running())
    for figure in figures.FIGURES:
        form = running(record_kind=RecordKind.FIGURE, figure=figure.name)
        with pytest.raises(Invalid):
            sections.assess(ctx, 2, form)
    assert sections.history(ctx, 2) == []
    assert [figure.name for figure in sections.choices(ctx)] == ["other:some"]


def test_a_case_speaks_of_its_own_day_whatever_was_typed(lend, session, people):
    def closed(day, **given):
        parts = {Part.OWNER: people["officer"]}
        return closed_case(session, people=parts, closed_at=day, **given)

    def link(case, **given):
        return running(record_kind=RecordKind.LINK, record=case.number, **given)

    old, late = closed(now() - timedelta(days=1500)), closed(now() - timedelta(days=40))
    with pytest.raises(Invalid) as caught:
        sections.assess(lend("approver"), 3, link(old))
    assert set(caught.value.fields) == {"record"}
    row = sections.assess(lend("approver"), 3, link(late, record_on=None))
    assert row.record_on == local_date(late.closed_at)
    asleep = closed(now() - timedelta(days=300))
    asleep.state, asleep.closed_at, asleep.outcome = "open", None, None
    session.flush()
    with pytest.raises(Invalid):
        sections.assess(lend("approver"), 4, link(asleep))
    asleep.updated_at = now() - timedelta(days=3)
    session.flush()
    assert sections.assess(lend("approver"), 4, link(asleep)).record_on == local_date(
        asleep.updated_at
    )


def test_a_case_is_a_record_and_is_shown_only_to_who_may_see_it(lend, cases):
    form = running(record_kind=RecordKind.LINK, record=cases[0].number)
    with pytest.raises(Invalid):
        sections.assess(lend("executive"), 3, form)
    row = sections.assess(lend("approver"), 3, form)
    assert records_of(lend("supervisor"), [row])[row.id] == cases[0].number
    assert records_of(lend("executive"), [row])[row.id] == "一件案件"


@pytest.mark.parametrize("state", [SectionState.DOCUMENTED, SectionState.MISSING])
def test_the_other_states_need_words(state, lend):
    with pytest.raises(Invalid):
        sections.assess(lend("approver"), 1, SectionForm(state=state))


def test_every_assessment_is_kept_and_the_newest_is_in_force(lend, session):
    ctx = lend("approver")
    sections.assess(ctx, 5, SectionForm(state=SectionState.MISSING, note="没有"))
    sections.assess(ctx, 5, running())
    assert [row.state for row in sections.history(ctx, 5)] == ["running", "missing"]
    assert sections.tally(sections.strip(ctx))[SectionState.RUNNING] == 1
    session.commit()
    with pytest.raises(Exception, match="permission denied"):
        session.execute(text("DELETE FROM plugin_checklist_regulatory__section"))


def test_there_are_twenty_and_no_more(lend):
    assert len(sections.strip(lend("approver"))) == library.SECTIONS
    for no in (0, 21):
        with pytest.raises(NotFound):
            sections.assess(lend("approver"), no, running())


def test_the_database_too_wants_a_record_for_running(lend, session):
    sections.assess(lend("approver"), 1, SectionForm(state=SectionState.MISSING, note="x"))
    session.flush()
    with pytest.raises(IntegrityError, match="record"):
        session.execute(
            text(
                "INSERT INTO plugin_checklist_regulatory__section SELECT tenant_id,"
                " gen_random_uuid(), no, 'running', record_kind, record_on, record, frozen, note,"
                " by_id, by_name, at FROM plugin_checklist_regulatory__section"
            )
        )


def test_the_figure_counts_what_was_running_at_the_end_of_the_period(lend):
    ctx = lend("approver")
    sections.assess(ctx, 1, running())
    sections.assess(ctx, 2, SectionForm(state=SectionState.MISSING, note="x"))
    figure = next(f for f in figures.FIGURES if f.name.endswith("sections_running"))
    (now_,) = figure.measure(ctx, Period(today(), today()))
    (before,) = figure.measure(ctx, Period(today() - timedelta(9), today() - timedelta(1)))
    assert (now_.value, now_.n, len(now_.proofs)) == (1, 20, 1)
    assert before.value == 0


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 11, 26), [date(2026, 9, 30), date(2026, 6, 30), date(2026, 3, 31)]),
        (date(2026, 1, 1), [date(2025, 12, 31), date(2025, 9, 30), date(2025, 6, 30)]),
        (date(2024, 3, 31), [date(2023, 12, 31), date(2023, 9, 30), date(2023, 6, 30)]),
    ],
)
def test_the_ends_of_the_quarters_before_a_day(day, ends):
    assert sections.quarter_ends(day, 3) == ends


def test_the_strip_of_the_past_shows_what_was_known_then(lend):
    ctx = lend("approver")
    sections.assess(ctx, 1, running())
    for _, cells in sections.past(ctx):
        assert sections.tally(cells)[SectionState.UNASSESSED] == 20
