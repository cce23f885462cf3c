"""Shrinkage, intervals and tails against SciPy and statsmodels, on generated data."""

import math

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.proportion import proportion_confint

from huiyin_scoring_incentive import statistics as ours


@pytest.fixture
def random():
    return np.random.default_rng(20251126)


def test_the_incomplete_beta_function_is_scipys(random):
    for _ in range(400):
        a, b = random.uniform(0.05, 300, 2)
        x = random.beta(a, b)
        assert ours.beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-11)
    assert (ours.beta_cdf(0, 2, 3), ours.beta_cdf(1, 2, 3)) == (0.0, 1.0)


def test_its_quantiles_are_scipys(random):
    for _ in range(150):
        a, b = random.uniform(0.3, 200, 2)
        q = random.uniform(0.01, 0.99)
        assert ours.beta_quantile(q, a, b) == pytest.approx(stats.beta.ppf(q, a, b), abs=1e-9)


def test_a_shrunk_share_is_the_posterior_mean_with_its_equal_tails(random):
    for _ in range(60):
        n = int(random.integers(1, 80))
        k = int(random.integers(0, n + 1))
        prior, strength = random.uniform(0.05, 0.95), random.uniform(1, 40)
        found = ours.shrink_share(k, n, prior, strength)
        posterior = stats.beta(strength * prior + k, strength * (1 - prior) + n - k)
        assert found.value == pytest.approx(posterior.mean(), abs=1e-12)
        assert (found.low, found.high) == pytest.approx(posterior.interval(ours.LEVEL), abs=1e-9)
        assert min(prior, k / n) - 1e-12 <= found.value <= max(prior, k / n) + 1e-12


def test_without_a_pool_the_interval_is_jeffreys(random):
    for k, n in ((0, 4), (3, 9), (9, 9), (20, 57)):
        found = ours.shrink_share(k, n, 0.5, 0)
        low, high = proportion_confint(k, n, alpha=1 - ours.LEVEL, method="jeffreys")
        assert (found.value, found.low, found.high) == pytest.approx((k / n, low, high), abs=1e-9)


def _people(random, strength, mean, people=300):
    n = random.integers(5, 60, people)
    share = random.beta(strength * mean, strength * (1 - mean), people)
    return [(float(random.binomial(m, p)), int(m)) for m, p in zip(n, share, strict=True)]


@pytest.mark.parametrize("true", [3.0, 12.0, 40.0])
def test_the_strength_is_the_most_likely_one_and_near_the_true_one(random, true):
    groups = _people(random, true, 0.8)
    prior = sum(h for h, _ in groups) / sum(n for _, n in groups)

    def unlikely(k):
        return -sum(stats.betabinom.logpmf(h, n, k * prior, k * (1 - prior)) for h, n in groups)

    best = optimize.minimize_scalar(
        unlikely, bounds=(ours.WEAKEST, ours.STRONGEST), method="bounded",
        options={"xatol": 1e-7},
    ).x  # fmt: skip
    found = ours.share_strength(groups, prior)
    assert found == pytest.approx(best, rel=1e-3)
    assert true / 1.6 < found < true * 1.6


def test_shrinking_comes_nearer_to_the_truth_than_the_bare_share(random):
    strength, mean = 10.0, 0.75
    truth = random.beta(strength * mean, strength * (1 - mean), 400)
    n = random.integers(3, 15, 400)
    hits = random.binomial(n, truth)
    prior = hits.sum() / n.sum()
    groups = [(float(h), int(m)) for h, m in zip(hits, n, strict=True)]
    k = ours.share_strength(groups, prior)
    shrunk = np.array([ours.shrink_share(h, m, prior, k).value for h, m in groups])
    assert ((shrunk - truth) ** 2).mean() < 0.8 * ((hits / n - truth) ** 2).mean()


def test_nine_intervals_in_ten_hold_the_truth(random):
    strength, mean = 10.0, 0.75
    truth = random.beta(strength * mean, strength * (1 - mean), 1500)
    n = random.integers(3, 40, 1500)
    hits = random.binomial(n, truth)
    held = 0
    for t, h, m in zip(truth, hits, n, strict=True):
        found = ours.shrink_share(float(h), int(m), mean, strength)
        held += found.low <= t <= found.high
    assert held / 1500 == pytest.approx(ours.LEVEL, abs=0.025)


def _groups(random, between, within, people=120):
    means = random.normal(70, between, people)
    return [
        random.normal(m, within, int(k))
        for m, k in zip(means, random.integers(3, 30, people), strict=True)
    ]


def _told(groups):
    return [ours.Group(len(g), float(g.sum()), float((g**2).sum())) for g in groups]


def test_the_spread_between_people_is_dersimonian_and_lairds(random):
    groups = _groups(random, 8, 15)
    within = ours.spread_within(_told(groups))
    pooled = sum(((g - g.mean()) ** 2).sum() for g in groups) / sum(len(g) - 1 for g in groups)
    assert within == pytest.approx(pooled, rel=1e-9)
    means = np.array([g.mean() for g in groups])
    variances = np.array([within / len(g) for g in groups])
    theirs = combine_effects(means, variances, method_re="dl").tau2
    assert ours.spread_between(list(means), list(variances)) == pytest.approx(theirs, rel=1e-9)
    assert ours.mean_strength(_told(groups)) == pytest.approx(within / theirs, rel=1e-9)


def test_a_shrunk_mean_is_the_normal_posterior(random):
    for _ in range(40):
        x, prior = random.uniform(0, 100, 2)
        n, tau2, sigma2 = int(random.integers(1, 50)), random.uniform(1, 90), random.uniform(1, 400)
        found = ours.shrink_mean(x, n, prior, sigma2 / tau2, sigma2)
        precision = n / sigma2 + 1 / tau2
        mean = (n * x / sigma2 + prior / tau2) / precision
        low, high = stats.norm(mean, math.sqrt(1 / precision)).interval(ours.LEVEL)
        assert (found.value, found.low, found.high) == pytest.approx((mean, low, high), rel=1e-9)


def test_people_who_are_all_alike_are_pulled_most_and_one_alone_least(random):
    alike = [ours.Group(10, 700.0, 49_000.0 + 500) for _ in range(20)]
    assert ours.mean_strength(alike) == ours.STRONGEST
    assert ours.mean_strength(alike[:1]) == ours.WEAKEST
    assert ours.share_strength([(8.0, 10)] * 30, 0.8) == pytest.approx(ours.STRONGEST, rel=1e-3)
    assert ours.share_strength([(8.0, 10)], 0.8) == ours.WEAKEST
    assert ours.spread_within([ours.Group(1, 5.0, 25.0)]) == 0.0


def test_both_tails_are_hypergeometric(random):
    for _ in range(200):
        pool = int(random.integers(2, 200))
        marked = int(random.integers(0, pool + 1))
        n = int(random.integers(1, pool + 1))
        k = int(stats.hypergeom.rvs(pool, marked, n, random_state=random))
        law = stats.hypergeom(pool, marked, n)
        assert ours.at_most(k, n, marked, pool) == pytest.approx(law.cdf(k), abs=1e-10)
        assert ours.at_least(k, n, marked, pool) == pytest.approx(law.sf(k - 1), abs=1e-10)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_pool_in_which_nobody_ever_differed_still_has_an_interval(share):
    found = ours.shrink_share(share * 6, 6, share, 10)
    assert found.value == share
    assert 0 < found.high - found.low < 0.3
