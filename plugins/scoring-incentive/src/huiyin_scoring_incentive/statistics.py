"""Small samples, treated honestly: shrinkage towards the pool, intervals, exact tails.

Shares are beta-binomial, means normal-normal.  ``strength`` is how many cases the pool counts
for: a person with as many cases of their own stands half-way between the two.  The tests check
every function against SciPy and statsmodels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.90  # of every interval shown
WEAKEST, STRONGEST = 0.5, 200.0  # between which a strength is estimated
_TINY: Final = 1e-300
_Z: Final = NormalDist().inv_cdf(0.5 + LEVEL / 2)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A value moved towards the pool, and where it lies with nine chances in ten."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """One person's part in the pool: how many things were counted, their sum and squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.n


# -- shares ------------------------------------------------------------------------------------


def shrink_share(hits: float, n: int, prior: float, strength: float) -> Shrunk:
    """The posterior mean of a share and its interval, from ``hits`` of ``n``.

    ``prior`` is the share in the pool.  With no strength the share stays what it is, and the
    interval is Jeffreys'; so is the end of one where pool and person never once differed.
    """
    if strength > 0:
        alpha, beta = strength * prior + hits, strength * (1 - prior) + n - hits
        value = alpha / (alpha + beta)
    else:
        alpha, beta = hits + 0.5, n - hits + 0.5
        value = hits / n
    alpha, beta = alpha or 0.5, beta or 0.5
    tail = (1 - LEVEL) / 2
    return Shrunk(value, beta_quantile(tail, alpha, beta), beta_quantile(1 - tail, alpha, beta))


def share_strength(groups: Sequence[tuple[float, int]], prior: float) -> float:
    """The strength under which these (hits, n) are most likely, all around ``prior``.

    Alike as chance would have it, the people give the strongest; there is no estimate for fewer
    than two, who give the weakest.
    """
    if len(groups) < 2 or not 0 < prior < 1:
        return WEAKEST if len(groups) < 2 else STRONGEST

    def fit(log_strength: float) -> float:
        k = math.exp(log_strength)
        a, b = k * prior, k * (1 - prior)
        return sum(_log_beta(h + a, n - h + b) - _log_beta(a, b) for h, n in groups)

    return math.exp(_highest(fit, math.log(WEAKEST), math.log(STRONGEST)))


def _highest(fit: object, low: float, high: float) -> float:
    """Where a function of one hill is highest, by the golden section."""
    assert callable(fit)  # noqa: S101 - for the type checker
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    left, right = fit(a), fit(b)
    while high - low > 1e-9:
        if left >= right:
            high, b, right = b, a, left
            a = high - ratio * (high - low)
            left = fit(a)
        else:
            low, a, left = a, b, right
            b = low + ratio * (high - low)
            right = fit(b)
    return (low + high) / 2


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way through the continued fraction of the incomplete beta function."""
    c, d = 1.0, _apart(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, 400):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _apart(1 + step * d)
            c = _apart(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value


def _apart(number: float) -> float:
    """Never so near to nothing that one could not divide by it."""
    return _TINY if abs(number) < _TINY else number


def beta_quantile(q: float, a: float, b: float) -> float:
    """Below which a share lies with chance ``q``, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# -- means -------------------------------------------------------------------------------------


def shrink_mean(mean: float, n: int, prior: float, strength: float, spread: float) -> Shrunk:
    """The posterior mean and its interval; ``spread`` is the variance of a single thing counted."""
    value = (n * mean + strength * prior) / (n + strength)
    half = _Z * math.sqrt(spread / (n + strength))
    return Shrunk(value, value - half, value + half)


def spread_within(groups: Sequence[Group]) -> float:
    """The variance of single things around the mean of their own person."""
    free = sum(group.n - 1 for group in groups)
    if free <= 0:
        return 0.0
    around = sum(max(0.0, group.squares - group.total**2 / group.n) for group in groups)
    return around / free


def spread_between(means: Sequence[float], variances: Sequence[float]) -> float:
    """How much people differ beyond chance (DerSimonian and Laird); never below nothing."""
    weights = [1 / v for v in variances]
    total = sum(weights)
    middle = sum(w * x for w, x in zip(weights, means, strict=True)) / total
    q = sum(w * (x - middle) ** 2 for w, x in zip(weights, means, strict=True))
    scale = total - sum(w * w for w in weights) / total
    return max(0.0, (q - (len(means) - 1)) / scale) if scale > 0 else 0.0


def mean_strength(groups: Sequence[Group]) -> float:
    """How many things of one's own weigh as much as the pool; within the same bounds."""
    within = spread_within(groups)
    if len(groups) < 2 or within <= 0:
        return WEAKEST
    between = spread_between([g.mean for g in groups], [within / g.n for g in groups])
    if between <= 0:
        return STRONGEST
    return min(STRONGEST, max(WEAKEST, within / between))


# -- tails -------------------------------------------------------------------------------------


def at_most(k: int, n: int, marked: int, pool: int) -> float:
    """The chance of ``k`` or fewer marked among ``n`` drawn from a pool that holds ``marked``."""
    lowest = max(0, n - (pool - marked))
    ways = sum(math.comb(marked, i) * math.comb(pool - marked, n - i) for i in range(lowest, k + 1))
    return ways / math.comb(pool, n)


def at_least(k: int, n: int, marked: int, pool: int) -> float:
    """The chance of ``k`` or more."""
    highest = min(n, marked)
    ways = sum(
        math.comb(marked, i) * math.comb(pool - marked, n - i)
        for i in range(max(k, 0, n - (pool - marked)), highest + 1)
    )
    return ways / math.comb(pool, n)
