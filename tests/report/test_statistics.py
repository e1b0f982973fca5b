"""Intervals and tests: coverage by simulation, known values, exact enumerations, and hand computations."""

import itertools
import math
from fractions import Fraction

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats

from fgan.report.statistics import equivalence, holm, paired_permutation, survival, t_interval, wilson


@pytest.mark.parametrize("n", [2, 5, 20])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_t_interval_covers_as_often_as_it_says(n, confidence):
    samples = np.random.default_rng(0).normal(3.0, 2.0, (4000, n))
    intervals = [t_interval(sample, confidence) for sample in samples]
    covered = np.mean([low <= 3.0 <= high for _, low, high in intervals])
    assert covered == pytest.approx(confidence, abs=4 * math.sqrt(confidence * (1 - confidence) / 4000))


def test_the_t_interval_is_that_of_scipy():
    values = [1.0, 2.5, -0.3, 4.0, 2.2]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert t_interval(values) == pytest.approx((np.mean(values), low, high))


def test_one_value_has_an_infinite_interval_and_none_has_no_mean():
    assert t_interval([2.0]) == (2.0, -math.inf, math.inf)
    mean, low, high = t_interval([])
    assert math.isnan(mean) and (low, high) == (-math.inf, math.inf)


def test_undefined_values_are_left_out_of_the_interval():
    assert t_interval([1.0, math.nan, 3.0, math.inf]) == t_interval([1.0, 3.0])


# Of R's prop.test(x, n, correct = FALSE), and Brown, Cai and DasGupta (2001).
KNOWN = {(0, 10): (0.0, 0.27753), (10, 10): (0.72247, 1.0), (5, 10): (0.23659, 0.76341), (1, 5): (0.03622, 0.62446),
         (9, 10): (0.59585, 0.98212), (81, 263): (0.25529, 0.36621)}  # fmt: skip


@pytest.mark.parametrize("counts", KNOWN)
def test_wilson_has_its_known_values(counts):
    share, low, high = wilson(*counts)
    assert share == counts[0] / counts[1] and (low, high) == pytest.approx(KNOWN[counts], abs=1e-5)


@hypothesis.given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_never_of_width_zero_and_never_leaves_zero_to_one(counts):
    share, low, high = wilson(*counts)
    assert 0 <= low <= share <= high <= 1 and high - low > 1 / (counts[1] + 4)
    assert (low == 0) == (share == 0) and (high == 1) == (share == 1)


def test_wilson_of_no_trials_knows_nothing():
    share, low, high = wilson(0, 0)
    assert math.isnan(share) and (low, high) == (0.0, 1.0)


def test_wilson_covers_all_modes_covered():
    """All modes covered with probability .9, five seeds, where a t interval of width zero covers 40 %."""
    hits = np.random.default_rng(0).binomial(5, 0.9, 4000)
    assert np.mean([low <= 0.9 <= high for _, low, high in (wilson(int(k), 5) for k in hits)]) > 0.9


def test_a_t_interval_without_spread_knows_nothing():
    assert t_interval([8.0] * 5) == (8.0, -math.inf, math.inf)
    for n in range(2, 40):  # the sd of equal values may be rounding, not 0
        assert t_interval([0.1] * n) == (0.1, -math.inf, math.inf)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 10, 16])
def test_equal_signs_have_the_smallest_p_that_n_pairs_allow(n):
    assert paired_permutation(np.arange(1, n + 1)) == paired_permutation(-np.ones(n)) == 2.0 ** (1 - n)


def test_five_pairs_never_reach_five_percent():
    assert paired_permutation([1, 2, 3, 4, 5]) == 2**-4 > 0.05


def exact(differences):
    """The two-sided p by enumeration in exact fractions."""
    d = [Fraction(x) for x in differences]
    signs = itertools.product((-1, 1), repeat=len(d))
    sums = [abs(sum(s * x for s, x in zip(row, d, strict=True))) for row in signs]
    return sum(one >= abs(sum(d)) for one in sums) / len(sums)


@hypothesis.given(st.lists(st.integers(-8, 8), min_size=1, max_size=8))
def test_the_permutation_p_is_exact_for_counts(differences):
    assert paired_permutation(differences) == exact(differences)


@hypothesis.given(st.lists(st.integers(-80, 80), min_size=1, max_size=8), st.sampled_from([10, 2500, 3]))
@hypothesis.example([1, 1, 1, -3], 10)
def test_ties_of_rounded_shares_are_ties(differences, denominator):
    """Shares such as .1 + .2 - .3 do not cancel in floating point; the test must not notice."""
    assert paired_permutation([d / denominator for d in differences]) == exact(differences)


def test_many_pairs_are_sampled_and_agree_with_the_normal_limit():
    d = np.random.default_rng(1).normal(0.3, 1.0, 60)
    p = paired_permutation(d)
    assert p == pytest.approx(2 * stats.norm.sf(abs(d.sum()) / math.sqrt((d**2).sum())), abs=0.01)
    assert p == paired_permutation(d) and paired_permutation(np.ones(60)) >= 1e-5


def test_the_p_of_the_null_is_uniform():
    random = np.random.default_rng(2)
    p = [paired_permutation(random.normal(size=8)) for _ in range(1000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.065 and stats.kstest(p, "uniform").statistic < 0.06


@pytest.mark.parametrize("differences", [[], [1.0, math.nan], [math.inf] * 8])
def test_a_failed_run_or_no_run_rejects_nothing(differences):
    assert paired_permutation(differences) == 1.0


@pytest.mark.parametrize("mean", [0.0, 0.3, -0.3, 0.7, -0.7])
def test_equivalence_agrees_with_two_one_sided_t_tests(mean):
    d = np.random.default_rng(4).normal(0, 1.0, 60)
    d += mean - d.mean()
    sides = [stats.ttest_1samp(d, bound, alternative=side).pvalue for bound, side in ((0.5, "less"), (-0.5, "greater"))]
    beyond = stats.ttest_1samp(np.abs(mean) / mean * d if mean else d, 0.5, alternative="greater").pvalue
    assert equivalence(d, 0.5) == pytest.approx(beyond if abs(mean) > 0.5 else max(sides), abs=0.01)


@pytest.mark.parametrize("n", [4, 5, 12])
def test_equal_pairs_are_equivalent_as_far_as_their_number_can_show(n):
    assert equivalence(np.zeros(n), 0.5) == 2.0**-n and equivalence(np.full(n, 2.0), 0.5) == 2.0**-n
    assert equivalence(np.full(n, 0.5), 0.5) == 1.0


def test_equivalence_is_rarely_shown_at_the_margin_itself():
    random = np.random.default_rng(5)
    p = [equivalence(random.normal(0.5, 0.5, size=10), 0.5) for _ in range(1000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.12  # at most 5 % inside and 5 % beyond


def test_holm_is_the_hand_computation():
    """Sorted .01, .02, .03, .04 times 4, 3, 2, 1, made monotone: .04, .06, .06, .06."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.4, 0.9, 0.001]) == pytest.approx([0.8, 0.9, 0.003])
    assert holm([0.5, 0.6]).tolist() == [1.0, 1.0] and holm([0.2]).tolist() == [0.2] and len(holm([])) == 0


@hypothesis.given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_between_the_raw_p_and_bonferroni_and_keeps_the_order(p):
    adjusted = holm(p)
    assert (adjusted >= np.array(p)).all() and (adjusted <= np.minimum(len(p) * np.array(p), 1) + 1e-15).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_holm_keeps_the_family_error_below_five_percent():
    p = np.random.default_rng(3).uniform(size=(2000, 11))
    assert np.mean([(holm(row) <= 0.05).any() for row in p]) <= 0.065


def test_survival_counts_those_that_are_no_longer_watched_until_they_leave():
    """Kaplan and Meier by hand: events at 1, 3 and 3, one left at 2 and one at 4."""
    t, alive = survival([1, 2, 3, 3, 4], [True, False, True, True, False])
    assert t.tolist() == [0, 1, 3] and alive == pytest.approx([1, 4 / 5, 4 / 5 * 1 / 3])
    assert survival([5, 5], [False, False])[1].tolist() == [1.0]  # none had it until the budget ended
    weighted = survival([1, 2], [True, False], weights=[3, 1])
    assert weighted[1].tolist() == [1, 0.25]
