"""From what was measured to points and a score, by hand."""

from decimal import Decimal
from uuid import UUID

import pytest

from huiyin.sdk import Figure, FigureUnit, Nature
from huiyin_scoring_incentive import scoring
from huiyin_scoring_incentive.schemas import Body, Term
from huiyin_scoring_incentive.scoring import Input

A, B, C = (UUID(int=i) for i in range(1, 4))


def figure(name="x:share", unit=FigureUnit.SHARE, nature=Nature.QUALITY, **given):
    return Figure(
        name=name, title="指标", definition="怎样算", unit=unit, nature=nature, per_person=True,
        measure=lambda _c, _p: (), **given,
    )  # fmt: skip


def term(name="x:share", **given):
    return Term(**{"figure": name, "weight": 100, "floor": 50, "target": 90, "minimum": 1,
                   "strength": 10, **given})  # fmt: skip


def share(hits, n):
    return Input(hits / n, n, tuple([1.0] * hits + [0.0] * (n - hits)))


def score(terms, figures, inputs, coverage=50):
    body = Body(terms=tuple(terms), coverage=coverage)
    return scoring.scores(body, {f.name: f for f in figures}, inputs, [A, B])


def test_a_share_is_shrunk_and_becomes_points():
    results, pools = score([term()], [figure()], {"x:share": {A: share(10, 10), B: share(5, 10)}})
    assert pools["x:share"].mean == pytest.approx(0.75)
    # (10 + 10·0.75) ÷ 20 = 87.5 %; (87.5 − 50) ÷ 40 = 93.75 points
    assert results[A].parts[0].shrunk == pytest.approx(87.5)
    assert results[A].value == Decimal("93.8")
    assert results[B].value == Decimal("31.3")


def test_points_end_at_nothing_and_at_the_cap():
    for value, cap, expected in ((20, 100, 0.0), (50, 100, 0.0), (70, 100, 50.0), (90, 100, 100.0),
                                 (99, 100, 100.0), (99, 60, 60.0)):  # fmt: skip
        assert scoring.points(term(cap=cap), value) == expected
    assert scoring.points(term(floor=20, target=10), 15) == 50.0


def test_a_small_sample_is_left_out_and_its_weight_goes_to_the_rest():
    terms = [term(weight=60, minimum=5), term("x:other", weight=40, minimum=1)]
    figures = [figure(), figure("x:other")]
    inputs = {"x:share": {A: share(2, 4), B: share(9, 10)},
              "x:other": {A: share(9, 10), B: share(9, 10)}}  # fmt: skip
    results, _ = score(terms, figures, inputs, coverage=40)
    first, second = results[A].parts
    assert (first.missing, first.points, first.contribution) == (scoring.SMALL, None, None)
    assert results[A].coverage == Decimal("40.0")
    assert results[A].value == scoring.rounded(second.points)


def test_with_too_little_of_the_formula_there_is_no_score():
    terms = [term(weight=60, minimum=5), term("x:other", weight=40, minimum=1)]
    inputs = {"x:share": {A: share(2, 4)}, "x:other": {A: share(9, 10)}}
    results, _ = score(terms, [figure(), figure("x:other")], inputs, coverage=60)
    assert (results[A].value, results[A].low) == (None, None)
    assert results[B].value is None
    assert results[B].coverage == 0
    assert {p.missing for p in results[B].parts} == {scoring.EMPTY}


def fair():
    """Forty of clocks, fifty of quality, ten of learning: what a formula may be as a whole."""
    terms = [term("x:clocks", weight=40), term("x:stood", weight=30, minimum=5),
             term("x:plans", weight=20, minimum=5), term("x:learnt", weight=10)]  # fmt: skip
    natures = (Nature.TIMELINESS, Nature.QUALITY, Nature.QUALITY, Nature.LEARNING)
    return terms, [figure(t.figure, nature=n) for t, n in zip(terms, natures, strict=True)]


@pytest.mark.parametrize(
    ("stood", "plans", "why"),
    [
        (4, 4, "守时类占 80%，超过 40%"),  # 40 of clocks and 10 of learning: the half is there
        (9, 4, "守时类占 50%，超过 40%"),
        (9, 9, ""),
    ],
)
def test_what_is_left_must_not_be_mostly_clocks(stood, plans, why):
    terms, figures = fair()
    counts = {"x:clocks": 9, "x:stood": stood, "x:plans": plans, "x:learnt": 2}
    inputs = {name: {A: share(n, n)} for name, n in counts.items()}
    result = score(terms, figures, inputs)[0][A]
    assert (result.value is None) == bool(why)
    told = scoring.unscored(result.parts, 50)
    assert why in str(told.key.format(**told.params) if told else "")


def test_what_is_left_must_not_be_without_quality():
    terms = [term(weight=40, minimum=5), term("x:course", weight=60)]
    figures = [figure(), figure("x:course", nature=Nature.LEARNING)]
    inputs = {"x:share": {A: share(4, 4)}, "x:course": {A: share(2, 2)}}
    result = score(terms, figures, inputs)[0][A]
    assert (result.value, result.low, result.coverage) == (None, None, Decimal("60.0"))
    assert "质量和评价" in scoring.unscored(result.parts, 50).key


def test_a_cap_counts_in_what_is_left():
    terms = [term("x:clocks", weight=40), term(weight=60, cap=100)]
    figures = [figure("x:clocks", nature=Nature.TIMELINESS), figure()]
    inputs = {"x:clocks": {A: share(9, 9)}, "x:share": {A: share(9, 9)}}
    assert score(terms, figures, inputs)[0][A].value is not None
    terms[1] = term(weight=60, cap=50)  # forty against thirty
    assert score(terms, figures, inputs)[0][A].value is None


def test_nobody_outside_is_in_the_pool():
    inputs = {"x:share": {A: share(8, 10), B: share(8, 10), C: share(0, 100)}}
    _, pools = score([term()], [figure()], inputs)
    assert (pools["x:share"].mean, pools["x:share"].people) == (0.8, 2)


def test_facts_are_taken_as_they_are():
    learnt = figure(nature=Nature.LEARNING)
    results, pools = score([term()], [learnt], {"x:share": {A: share(1, 2), B: share(2, 2)}})
    assert pools["x:share"].mean is None
    part = results[B].parts[0]
    assert (part.value, part.shrunk, part.low, part.high) == (100, 100, 100, 100)


def test_counts_are_not_shrunk_and_none_is_nothing_not_unknown():
    counts = figure("x:count", FigureUnit.COUNT)
    given = {"x:count": {A: Input(2.0, 2, (1.0, 1.0))}}
    results, _ = score([term("x:count", floor=0, target=4)], [counts], given)
    assert (results[A].value, results[B].value) == (Decimal("50.0"), Decimal("0.0"))


def test_points_are_pulled_by_the_spread_of_single_ratings():
    rating = figure("x:rating", FigureUnit.POINTS, Nature.RATING)
    given = {"x:rating": {A: Input(80.0, 4, (100.0, 60.0, 80.0, 80.0)),
                          B: Input(60.0, 4, (60.0, 60.0, 40.0, 80.0))}}  # fmt: skip
    results, pools = score([term("x:rating", strength=4)], [rating], given)
    assert pools["x:rating"].mean == 70.0
    part = results[A].parts[0]
    assert part.shrunk == pytest.approx(75.0)
    assert part.low < 75.0 < part.high


def test_the_interval_holds_the_score_and_keeps_to_the_scale():
    inputs = {"x:share": {A: share(10, 10), B: share(1, 10)}}
    results, _ = score([term()], [figure()], inputs)
    for result in results.values():
        assert 0 <= result.low <= result.value <= result.high <= 100


def test_leaving_things_out_moves_an_adjusted_mean_as_the_plain_one():
    given = Input(70.0, 4, (100.0, 60.0, 80.0, 40.0))  # adjusted from 70 to itself
    assert given.without([3]) == Input(80.0, 3, (100.0, 60.0, 80.0))
    adjusted = Input(75.0, 4, (100.0, 60.0, 80.0, 40.0))
    assert adjusted.without([3]).value == 85.0
    assert given.without(range(4)) == Input(None, 0, ())
    assert given.without([]) is given
    assert Input(3.0, 3, (1.0, 1.0, 1.0)).fewer([0]) == Input(2.0, 2, (1.0, 1.0))


@pytest.mark.parametrize(
    ("value", "shown"), [(0.05, "0.1"), (2.25, "2.3"), (2.35, "2.4"), (99.949, "99.9"), (0, "0.0")]
)
def test_halves_are_rounded_up_as_people_do(value, shown):
    assert str(scoring.rounded(value)) == shown
