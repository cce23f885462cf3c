"""Every interval and test against SciPy and statsmodels, on generated data."""

import math
import random
from collections import Counter

import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from huiyin_survey_satisfaction import statistics

DICE = random.Random(20261126)
SHARES = [(0, 20), (1, 20), (20, 20), (7, 31), (499, 1000), (1, 50_000), (0, 1), (1, 1)]


@pytest.mark.parametrize(("k", "n"), [*SHARES, *((DICE.randint(0, n), n) for n in range(2, 60))])
def test_a_share_has_the_wilson_interval(k, n):
    found = statistics.share(k, n)
    low, high = proportion_confint(k, n, alpha=0.05, method="wilson")
    assert found.value == k / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 20, 21, 100, 1_000, 50_000])
def test_a_mean_has_the_t_interval(n):
    data = [DICE.randint(1, 5) for _ in range(n - 1)] + [3]
    found = statistics.mean(Counter(map(float, data)))
    mean, error = sum(data) / n, stats.sem(data)
    assert found.value == pytest.approx(mean)
    low, high = stats.t.interval(0.95, n - 1, loc=mean, scale=error) if error else (mean, mean)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 19, 49, 500, 49_999])
@pytest.mark.parametrize("p", [0.9, 0.975, 0.995])
def test_the_t_quantile(degrees, p):
    assert statistics.t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-8)


@pytest.mark.parametrize("degrees", [1, 2, 4, 10, 60, 300])
@pytest.mark.parametrize("x", [0.01, 0.5, 3.84, 20.0, 150.0, 500.0])
def test_the_chi_square_tail(degrees, x):
    wanted = stats.chi2.sf(x, degrees)
    assert statistics.gamma_upper(degrees / 2, x / 2) == pytest.approx(wanted, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize("n", [20, 200, 5_000])
def test_nps_has_the_interval_of_a_mean_of_ones_noughts_and_minus_ones(n):
    data = [DICE.randint(0, 10) for _ in range(n)]
    marks = [1 if x >= 9 else -1 if x <= 6 else 0 for x in data]
    found = statistics.nps(Counter(data))
    spread = math.sqrt(stats.moment(marks, order=2) / n)
    low, high = stats.norm.interval(0.95, loc=sum(marks) / n, scale=spread)
    assert found.value == pytest.approx(100 * sum(marks) / n)
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=1e-9)


def table(rows, columns, top):
    return [[DICE.randint(0, top) for _ in range(columns)] for _ in range(rows)]


@pytest.mark.parametrize("top", [3, 12, 400])
@pytest.mark.parametrize("turn", range(12))
def test_two_by_two_is_fisher(turn, top):
    cells = table(2, 2, top)
    while not all(map(sum, (*cells, *zip(*cells, strict=True)))):
        cells = table(2, 2, top)
    found = statistics.independence(cells)
    assert found.test == "fisher"
    assert found.p == pytest.approx(stats.fisher_exact(cells)[1], rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (5, 4), (30, 5)])
@pytest.mark.parametrize("turn", range(5))
def test_larger_tables_are_chi_square(turn, shape):
    cells = [[n + 20 for n in row] for row in table(*shape, 60)]
    found = statistics.independence(cells)
    wanted = stats.chi2_contingency(cells, correction=False)
    assert (found.test, found.degrees) == ("chi-square", wanted.dof)
    assert found.statistic == pytest.approx(wanted.statistic, rel=1e-10)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize(
    "cells", [[[1, 0, 2], [0, 1, 1], [2, 0, 0]], [[5, 5, 5]], [], [[0, 0], [0, 0]], [[3], [4]]]
)
def test_where_too_little_is_expected_nothing_is_tested(cells):
    assert statistics.independence(cells).test == "none"


def test_empty_rows_and_columns_count_for_nothing():
    full, padded = [[9, 4], [3, 8]], [[9, 0, 4], [0, 0, 0], [3, 0, 8]]
    assert statistics.independence(full) == statistics.independence(padded)


def test_nothing_has_no_estimate():
    assert statistics.share(0, 0) is None
    assert statistics.mean({}) is None
    assert statistics.nps({}) is None
    assert math.isnan(statistics.mean({3.0: 1}).low)
