"""Formulas: what the lint refuses and why, who publishes, and the preview."""

import math
from datetime import date
from random import Random

import msgspec
import pytest

from huiyin.sdk import (
    Conflict,
    Figure,
    FigureBook,
    FigureUnit,
    Invalid,
    Measured,
    Nature,
    Refused,
)
from huiyin_scoring_incentive import formulas
from huiyin_scoring_incentive.balance import LIMITS, Weighed, heaviest_tilt
from huiyin_scoring_incentive.lint import OWN_SCORE, choices, lint, starter
from huiyin_scoring_incentive.schemas import Body, HeadForm, Term

from .conftest import BODY, QUARTER

HEAD = HeadForm(title="处理质量评分公式", reason="调整权重")


def body(*changes, coverage=70.0):
    """The usual formula with fields of its indicators changed: (index, field, value)."""
    terms = list(BODY.terms)
    for index, field, value in changes:
        terms[index] = msgspec.structs.replace(terms[index], **{field: value})
    return Body(terms=tuple(terms), coverage=coverage)


@pytest.fixture
def more_figures():
    def figure(name, nature, **facts):
        return Figure(
            name=name, title=name, definition=name, nature=nature, per_person=True,
            **{"unit": FigureUnit.SHARE, "measure": lambda _c, _p: [Measured(0.5, 1)], **facts},
        )  # fmt: skip

    return (
        figure("x:few_complaints", Nature.VOLUME, unit=FigureUnit.COUNT, more_is_better=False),
        figure("x:quick", Nature.SPEED),
        figure("x:delay", Nature.TIMELINESS, unit=FigureUnit.DAYS, more_is_better=False),
        figure("x:second_clock", Nature.TIMELINESS),
        figure("x:training", Nature.LEARNING),
        figure("x:course", Nature.LEARNING),
    )


@pytest.fixture
def faults(lend):
    return lambda made: lint(made, lend("approver").figures())


def test_a_formula_that_keeps_the_rules_has_no_faults(faults):
    assert faults(BODY) == {}


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ((0, "figure", "case:closed"), "figure-0", "数量"),
        ((0, "figure", "case:handling_days"), "figure-0", "快慢"),
        ((1, "figure", "x:few_complaints"), "figure-1", "数量"),
        ((1, "figure", "x:quick"), "figure-1", "快慢"),
        ((2, "figure", "case:closed/case:handling_days"), "figure-2", "不能相除"),
        ((2, "figure", "1/(case:closed)"), "figure-2", "不能相除"),
        ((2, "figure", OWN_SCORE), "figure-2", "得分不能"),
        ((2, "figure", "survey_satisfaction:rating"), "figure-2", "未启用"),
        ((2, "figure", "no:such"), "figure-2", "不存在"),
        ((2, "figure", "case:answered_in_time"), "figure-2", "整体"),
        ((2, "figure", "case:not_reopened"), "figure-2", "只能出现一次"),
        ((0, "target", 50.0), "target-0", "除以零"),
        ((0, "target", 20.0), "target-0", "越高越好"),
        ((0, "weight", 0.0), "weight-0", "大于 0"),
        ((0, "weight", -40.0), "weight-0", "大于 0"),
        ((0, "weight", math.nan), "weight-0", "数字"),
        ((0, "weight", math.inf), "weight-0", "数字"),
        ((0, "floor", math.nan), "floor-0", "数字"),
        ((0, "target", -math.inf), "target-0", "数字"),
        ((0, "target", 150.0), "target-0", "0 到 100"),
        ((0, "cap", 1.0), "cap-0", "50 到 100"),
        ((0, "cap", math.nan), "cap-0", "数字"),
        ((0, "minimum", 0), "minimum-0", "1 到"),
        ((0, "minimum", 2.5), "minimum-0", "整数"),
        ((0, "minimum", 10_000), "minimum-0", "1 到"),
        ((0, "strength", -1.0), "strength-0", "0 到"),
        ((0, "strength", 1e6), "strength-0", "0 到"),
        ((0, "weight", 45.0), "terms", "合计为 105"),
        ((0, "weight", 35.0), "terms", "合计为 95"),
    ],
)  # fmt: skip
def test_what_must_not_be_is_refused_at_its_field(faults, lend, change, field, said):
    found = faults(body(change))
    assert said in lend().text(found[field])


def test_a_target_below_the_floor_is_right_where_less_is_better(faults):
    fine = ((2, "figure", "x:delay"), (2, "floor", 20.0), (2, "target", 5.0))
    assert faults(body(*fine)) == {}
    assert "target-2" in faults(body((2, "figure", "x:delay"), (2, "floor", 5.0), (2, "target", 9)))


def test_caps_on_everything_else_do_not_hide_a_single_indicator(faults):
    hidden = body((0, "weight", 50.0), (1, "weight", 20.0), (2, "weight", 20.0),
                  *((i, "cap", 50.0) for i in (1, 2, 3)))  # fmt: skip
    assert set(faults(hidden)) == {"weight-0"}


def test_bare_timeliness_is_refused_even_split_in_two(faults):
    made = body((0, "weight", 30.0), (1, "figure", "x:second_clock"), (1, "weight", 30.0),
                (2, "weight", 30.0))  # fmt: skip
    assert "守时" in faults(made)["terms"].key


def test_a_formula_needs_quality_in_it(faults):
    made = body((0, "figure", "x:training"), (0, "weight", 40.0), (1, "weight", 20.0),
                (2, "figure", "x:course"), (2, "weight", 30.0))  # fmt: skip
    assert "质量" in faults(made)["terms"].key


def test_two_indicators_are_too_few_and_none_at_all_is_no_crash(faults):
    assert "terms" in faults(Body(terms=BODY.terms[:2]))
    assert "terms" in faults(Body(terms=()))


@pytest.mark.parametrize("coverage", [0.0, 49.0, 101.0, math.nan, math.inf])
def test_the_share_that_must_be_measured_has_bounds(faults, coverage):
    assert "coverage" in faults(body(coverage=coverage))


@pytest.mark.parametrize("coverage", [50.0, 60.0, 65.0])
def test_what_may_be_missing_must_not_leave_clocks_or_too_little_quality(faults, lend, coverage):
    # 25 clocks, 25 plans and 15 training are 65, of which clocks are more than two fifths' share.
    made = body((0, "weight", 35.0), (3, "weight", 15.0), (3, "figure", "x:training"),
                (2, "weight", 30.0), (1, "weight", 20.0), coverage=coverage)  # fmt: skip
    assert "请填写大于 65 的数字" in lend().text(faults(made)["coverage"])
    assert faults(Body(terms=made.terms, coverage=65.1)) == {}


def test_the_worst_that_may_be_left_is_found_by_trying_everything():
    """Against a search over bare masks that knows nothing of the product."""
    dice = Random(3)
    kinds = list(Nature)
    for _ in range(60):
        terms = [
            (dice.choice(kinds), dice.randint(1, 40), dice.choice([50, 80, 100]))
            for _ in range(dice.randint(1, 6))
        ]
        whole, worst = sum(w for _, w, _ in terms), 0.0
        for mask in range(1, 2 ** len(terms)):
            left = [t for i, t in enumerate(terms) if mask >> i & 1]
            reach = sum(w * c for _, w, c in left)
            clocks = sum(w * c for n, w, c in left if n is Nature.TIMELINESS) / reach
            good = sum(w * c for n, w, c in left if n in (Nature.QUALITY, Nature.RATING)) / reach
            if clocks > 0.4 + 1e-8 or good < 0.3 - 1e-8:
                worst = max(worst, sum(w for _, w, _ in left) / whole * 100)
        assert heaviest_tilt([Weighed(*t) for t in terms]) == pytest.approx(worst)


def test_the_formula_to_begin_with_is_fair_whatever_plugins_the_firm_has(lend):
    own = list(lend("approver").figures())
    others = [
        Figure(
            name=name, title=name, definition=name, nature=nature, per_person=True,
            unit=FigureUnit.POINTS, measure=lambda _c, _p: [],
        )
        for name, nature in (("survey_satisfaction:rating", Nature.RATING),
                             ("training_records:up_to_date", Nature.LEARNING))
    ]  # fmt: skip
    for more in ([], others[:1], others[1:], others):
        book = FigureBook(lambda _owner: lend("approver"), [*own, *more])
        made = starter(book)
        assert lint(made, book) == {}
        assert {f.name for f in more} <= {t.figure for t in made.terms}


def test_whatever_a_formula_may_choose_is_lawful(lend):
    listed = choices(lend("approver").figures())
    assert listed
    assert {f.nature for f in listed} & {Nature.VOLUME, Nature.SPEED} == set()
    assert OWN_SCORE not in {f.name for f in listed}


def test_the_formula_to_begin_with_keeps_its_own_rules(faults, lend):
    made = starter(lend("approver").figures())
    assert faults(made) == {}
    assert sum(t.weight for t in made.terms) == 100
    assert LIMITS.fewest <= len(made.terms)


# -- two people --------------------------------------------------------------------------------


def test_the_author_does_not_publish_and_a_second_does(lend, formula):
    formulas.begin(lend("approver"))
    saved = formulas.save(lend("approver"), HEAD, BODY)
    with pytest.raises(Refused):
        formulas.publish(lend("approver"), saved.hash)
    assert formulas.publish(lend("supervisor"), saved.hash).state == "published"


def test_whoever_touched_the_draft_is_an_author_too(lend):
    formulas.begin(lend("approver"))
    formulas.save(lend("approver"), HEAD, BODY)
    saved = formulas.save(lend("supervisor"), HEAD, body((0, "cap", 90.0)))
    for name in ("approver", "supervisor"):
        with pytest.raises(Refused):
            formulas.publish(lend(name), saved.hash)
    assert formulas.publish(lend("approver2"), saved.hash).version == 1


def test_what_was_seen_is_what_is_published(lend):
    formulas.begin(lend("approver"))
    seen = formulas.save(lend("approver"), HEAD, BODY).hash
    formulas.save(lend("approver"), HEAD, body((0, "cap", 90.0)))
    with pytest.raises(Conflict):
        formulas.publish(lend("supervisor"), seen)


def test_a_draft_changed_meanwhile_is_not_overwritten(lend):
    rev = formulas.begin(lend("approver")).rev
    formulas.save(lend("approver2"), msgspec.structs.replace(HEAD, rev=rev), BODY)
    with pytest.raises(Conflict):
        formulas.save(lend("approver"), msgspec.structs.replace(HEAD, rev=rev), BODY)


def test_a_bad_formula_is_not_saved(lend):
    before = formulas.begin(lend("approver")).hash
    with pytest.raises(Invalid) as refused:
        formulas.save(lend("approver"), HEAD, body((0, "figure", "case:closed")))
    assert "figure-0" in refused.value.fields
    assert formulas.draft_of(lend("approver")).hash == before


def test_there_is_one_draft_however_often_it_is_begun(lend, formula):
    formula()
    assert formulas.begin(lend("approver")).id == formulas.begin(lend("supervisor")).id


def test_versions_differ_line_by_line(lend, formula):
    first = formula()
    formula(body((0, "weight", 45.0), (1, "weight", 20.0)), "supervisor", "approver")
    second = formulas.published(lend("officer"))
    lines = formulas.diff(formulas.body_of(first), formulas.body_of(second))
    assert [(c.figure, c.field, c.old, c.new) for c in lines] == [
        ("case:not_reopened", "weight", 40, 45), ("case:plan_first_time", "weight", 25, 20),
    ]  # fmt: skip
    assert formulas.diff(None, BODY)[0].old is None
    gone = formulas.diff(BODY, Body(terms=BODY.terms[1:], coverage=70))
    assert {(c.figure, c.new) for c in gone} == {("case:not_reopened", None)}


def test_a_dropped_draft_is_gone_and_its_number_is_not_used_again(lend, formula):
    formulas.begin(lend("approver"))
    formulas.drop(lend("approver"))
    assert formulas.draft_of(lend("approver")) is None
    assert formulas.begin(lend("approver")).version == 2


# -- trying it ---------------------------------------------------------------------------------


def test_the_preview_shows_everybody_before_and_after(lend, formula, cases):
    formula()
    cases()
    changed = body((0, "floor", 0.0))
    tried = formulas.preview(lend("approver"), changed, QUARTER)
    assert {t.name for t in tried.people} == {
        "某officer", "某officer2", "某investigator", "某investigator2", "沈佳宁",
    }  # fmt: skip
    officer = next(t for t in tried.people if t.name == "某officer2")
    assert officer.old.value < officer.new.value, "a lower floor gives more points"


def test_a_figure_that_is_off_is_unknown_in_the_preview_and_says_why(lend, formula, cases):
    cases()
    made = body((2, "figure", "survey_satisfaction:rating"))
    tried = formulas.preview(lend("approver"), made, QUARTER)
    assert [(name, why.key) for name, why in tried.unknown] == [
        ("survey_satisfaction:rating", "所属插件未启用")
    ]
    assert tried.people


@pytest.mark.parametrize(
    ("day", "since", "until"),
    [("2026-01-01", "2025-10-01", "2025-12-31"), ("2026-03-31", "2025-10-01", "2025-12-31"),
     ("2026-04-01", "2026-01-01", "2026-03-31"), ("2024-12-31", "2024-07-01", "2024-09-30")],
)  # fmt: skip
def test_the_last_quarter_is_the_one_before(day, since, until):
    found = formulas.last_quarter(date.fromisoformat(day))
    assert (found.since.isoformat(), found.until.isoformat()) == (since, until)


def test_a_term_has_no_field_that_could_hide_arithmetic():
    assert {f.name for f in msgspec.structs.fields(Term)} == {
        "figure", "weight", "floor", "target", "minimum", "strength", "cap",
    }  # fmt: skip
