"""Intervals and tests, worked out with nothing but the standard library.

The tests of this plugin hold each against SciPy and statsmodels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
Z: Final = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
_TINY: Final = 1e-300
_STEPS: Final = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval and how many stand behind it."""

    value: float
    low: float
    high: float
    n: int


# -- shares, means, NPS ------------------------------------------------------------------------


def share(k: int, n: int) -> Estimate | None:
    """A share with its Wilson interval, which stays within 0 and 1 and holds for small numbers."""
    if n == 0:
        return None
    p, zz = k / n, Z * Z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half), n)


def mean(counts: Mapping[float, int]) -> Estimate | None:
    """The mean of counted values with its t interval; one value alone has none."""
    n = sum(counts.values())
    if n == 0:
        return None
    average = sum(value * k for value, k in counts.items()) / n
    if n == 1:
        return Estimate(average, math.nan, math.nan, 1)
    squares = sum(k * (value - average) ** 2 for value, k in counts.items())
    half = t_quantile(0.5 + CONFIDENCE / 2, n - 1) * math.sqrt(squares / (n - 1) / n)
    return Estimate(average, average - half, average + half, n)


def nps(counts: Mapping[float, int]) -> Estimate | None:
    """Promoters (9, 10) less detractors (0 to 6), from −100 to 100, with the interval of a
    difference of shares of one sample."""
    n = sum(counts.values())
    if n == 0:
        return None
    promoters = sum(k for value, k in counts.items() if value >= 9) / n
    detractors = sum(k for value, k in counts.items() if value <= 6) / n
    score = promoters - detractors
    half = Z * math.sqrt(max(promoters + detractors - score**2, 0.0) / n)
    return Estimate(100 * score, 100 * max(-1.0, score - half), 100 * min(1.0, score + half), n)


# -- cross tables ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Independence:
    """Whether rows and columns have to do with each other; ``test`` says how it was found."""

    test: str  # fisher, chi-square, none
    statistic: float
    degrees: int
    p: float


def independence(table: Sequence[Sequence[int]]) -> Independence:
    """Fisher's exact test for two by two, χ² otherwise; none where too little is expected.

    Rows and columns without anything are left out.  χ² asks that no more than a fifth of the
    cells expect less than 5 and none less than 1 (Cochran).
    """
    rows = [row for row in table if sum(row)]
    columns = [j for j in range(len(table[0]) if table else 0) if sum(row[j] for row in rows)]
    kept = [[row[j] for j in columns] for row in rows]
    if len(kept) < 2 or len(columns) < 2:
        return Independence("none", math.nan, 0, math.nan)
    if len(kept) == 2 and len(columns) == 2:
        return Independence("fisher", math.nan, 1, fisher(kept))
    return _chi_square(kept)


def _chi_square(table: Sequence[Sequence[int]]) -> Independence:
    total = sum(map(sum, table))
    across = [sum(row) for row in table]
    down = [sum(row[j] for row in table) for j in range(len(table[0]))]
    expected = [[a * d / total for d in down] for a in across]
    cells = [cell for row in expected for cell in row]
    degrees = (len(across) - 1) * (len(down) - 1)
    if min(cells) < 1 or sum(cell < 5 for cell in cells) > len(cells) / 5:
        return Independence("none", math.nan, degrees, math.nan)
    statistic = sum(
        (seen - wanted) ** 2 / wanted
        for row, hoped in zip(table, expected, strict=True)
        for seen, wanted in zip(row, hoped, strict=True)
    )
    return Independence("chi-square", statistic, degrees, gamma_upper(degrees / 2, statistic / 2))


def fisher(table: Sequence[Sequence[int]]) -> float:
    """Two-sided p of a table of two by two: all tables with its margins that are no likelier."""
    (a, b), (c, d) = table
    row, column, total = a + b, a + c, a + b + c + d
    first, last = max(0, row + column - total), min(row, column)

    def log_of(x: int) -> float:
        return -(
            _log_choose(total, row) - _log_choose(column, x)
            - _log_choose(total - column, row - x)
        )  # fmt: skip

    seen = log_of(a)
    found = [log_of(x) for x in range(first, last + 1)]
    return min(1.0, math.fsum(math.exp(one) for one in found if one <= seen + 1e-7))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# -- distributions -----------------------------------------------------------------------------


def t_quantile(p: float, degrees: int) -> float:
    """The value below which a share ``p`` (above a half) of Student's t lies."""
    low, high = 0.0, 2.0
    while t_cdf(high, degrees) < p:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if t_cdf(middle, degrees) < p:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2


def t_cdf(t: float, degrees: int) -> float:
    """Student's t up to ``t``, which is not negative."""
    return 1 - beta_regular(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2


def beta_regular(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(a, b, x) / a
    return 1 - math.exp(log_front) * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _off_zero(1 + step * d)
            c = _off_zero(1 + step / c)
            h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return h


def gamma_upper(a: float, x: float) -> float:
    """The regularised upper incomplete gamma function."""
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, _STEPS * 20):
            term *= x / (a + n)
            total += term
            if term < total * 1e-16:
                break
        return 1 - front * total
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    h = d
    for n in range(1, _STEPS * 20):
        step = -n * (n - a)
        b += 2
        d = 1 / _off_zero(step * d + b)
        c = _off_zero(b + step / c)
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * h


def _off_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
