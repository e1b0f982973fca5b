"""Shares of variance, their intervals and their test, on outcomes whose effects are known."""

import math

import numpy as np
import pytest

from fgan.report import variance as variance


def layout(generator, sds, shape):
    """Outcomes whose effects have exactly these standard deviations: divergence, block, interaction; seed, rest."""
    d, b, s = shape

    def centred(*size):
        found = generator.normal(size=size)
        for axis in range(len(size)):
            found = found - found.mean(axis=axis, keepdims=True)
        return found / found.std()

    fixed = sds[0] * centred(d)[:, None] + sds[1] * centred(b)[None] + sds[2] * centred(d, b)
    return fixed[:, :, None] + sds[3] * generator.normal(size=(1, b, s)) + sds[4] * generator.normal(size=shape)


@pytest.mark.parametrize("sds", [(1, 1, 0.5, 0.5, 1), (0, 1, 0, 0.7, 1), (2, 0, 0, 0, 0.5)])
def test_shares_are_those_that_were_put_in(sds):
    generator = np.random.default_rng(0)
    found = [variance.shares(layout(generator, sds, (4, 6, 5))) for _ in range(150)]
    squares = np.square(sds)
    wanted = [*squares[:3], squares[3:].sum()] / squares.sum()
    mean = [np.mean([f[name] for f in found]) for name in ("divergence", "block", "interaction", "seed")]
    np.testing.assert_allclose(mean, wanted, atol=0.025)
    assert all(sum(f.values()) == pytest.approx(1) for f in found)


def test_shares_without_noise_are_the_sums_of_squares():
    y = np.arange(3.0)[:, None, None] + 10 * np.arange(2.0)[None, :, None] + np.zeros((3, 2, 4))
    found = variance.shares(y, factors={"same": [0, 1], "none": [0, 0]})
    assert found["divergence"] == pytest.approx((2 / 3) / (2 / 3 + 25)) and found["interaction"] == pytest.approx(0)
    assert found["block"] == pytest.approx(25 / (2 / 3 + 25)) == found["same"] and found["none"] == pytest.approx(0)
    assert found["seed"] == pytest.approx(0)


def test_a_gap_is_filled_by_the_additive_model():
    """With gaps raw means of the divergences would mistake blocks for divergences."""
    y = np.repeat([[[0.0], [10.0]]], 3, axis=0) + np.random.default_rng(0).normal(size=(3, 2, 6)) * 0.01
    y[0, 1, 1:] = np.nan
    found = variance.shares(y)
    assert abs(found["divergence"]) < 1e-3 and found["block"] > 0.99
    y[0] = np.nan  # a divergence of which nothing is left
    assert variance.shares(y)["block"] == pytest.approx(variance.shares(y[1:])["block"])


def test_weights_are_repetitions():
    y = np.random.default_rng(1).normal(size=(3, 2, 4))
    twice = variance.shares(y, np.array([[2, 0, 1, 1], [1, 1, 1, 1]]))["divergence"]
    repeated = np.stack([y[:, 0, [0, 0, 2, 3]], y[:, 1]], axis=1)
    # The sums of squares agree; the seeds that are taken off for noise are counted once or twice.
    assert twice == pytest.approx(variance.shares(repeated)["divergence"], abs=1e-9)
    np.testing.assert_allclose(variance.means(y, np.array([[2, 0, 1, 1], [1, 1, 1, 1]])), repeated.mean(2))


def test_an_interval_covers_what_was_put_in():
    generator, sds, hits = np.random.default_rng(2), (1, 1, 0.5, 0.5, 1), 0
    for _ in range(40):
        y = layout(generator, sds, (4, 4, 10))
        estimate, low, high = variance.interval(y, lambda y, w: variance.shares(y, w)["divergence"])
        assert low < estimate < high
        hits += low <= 1 / 3.5 <= high
    assert hits >= 34


def test_noise_alone_has_no_share_and_an_interval_that_reaches_zero():
    """Of three seeds raw sums of squares give six divergences a seventh of the noise, a bootstrap still more."""
    generator, found, hits = np.random.default_rng(5), [], 0
    for k in range(200):
        found.append(variance.shares(layout(generator, (0, 0, 0, 0.5, 1), (6, 2, 3)))["divergence"])
        if k < 30:
            y = layout(generator, (0, 0, 0, 0.5, 1), (6, 2, 8))
            _, low, high = variance.interval(y, lambda y, w: variance.shares(y, w)["divergence"])
            hits += low <= 0 <= high
    assert abs(np.mean(found)) < 0.03 and hits >= 28


@pytest.mark.parametrize("r", [0.0, 0.6, 1.0])
def test_pairing_takes_away_the_correlation_of_blocks(r):
    """A difference of two blocks has the variance 2 v (1 - r), whatever their means."""
    generator, found, hits = np.random.default_rng(6), [], 0
    for _ in range(40):
        y = r**0.5 * generator.normal(size=(3, 1, 10)) + (1 - r) ** 0.5 * generator.normal(size=(3, 4, 10))
        y += 9 * generator.normal(size=(3, 4, 1))
        apart = np.array([(y[:, a] - y[:, b]).var(1, ddof=1) for a in range(4) for b in range(a)]).mean()
        estimate, low, high = variance.interval(y, variance.pairing)
        assert 1 - estimate == pytest.approx(apart / 2 / y.var(2, ddof=1).mean(), abs=1e-9)
        found.append(estimate)
        hits += low <= r <= high
    assert np.mean(found) == pytest.approx(r, abs=0.05) and (r == 1 or hits >= 33)
    y[0, 0, 3] = np.nan
    assert variance.pairing(y) == pytest.approx(variance.pairing(np.delete(y, 3, axis=2)))


def test_blocks_are_resampled_together():
    """What all blocks of a seed share does not average out over blocks."""
    y = np.random.default_rng(7).normal(size=(2, 1, 20)) + np.zeros((2, 30, 1))
    mean = lambda y, w: y.mean() if w is None else (y.mean(0) * w).sum((-1, -2)) / w.sum((-1, -2))
    _, low, high = variance.interval(y, mean)
    assert high - low == pytest.approx(4 * y[:, 0].mean(0).std() / 20**0.5, rel=0.25)


def test_nothing_is_known_from_one_seed_or_of_no_variance():
    y = np.random.default_rng(3).normal(size=(3, 2, 1))
    assert variance.interval(y, lambda y, w: float(y.mean()))[1:] == (-math.inf, math.inf)
    two = np.zeros((3, 2, 4))
    constant = lambda y, w: 0.1 if w is None else np.full(len(w), 0.1)
    assert variance.interval(two, constant) == (0.1, -math.inf, math.inf)  # the sd of equal draws is rounding
    assert all(math.isnan(v) for v in variance.shares(y).values())
    assert all(math.isnan(v) for v in variance.shares(np.full((3, 2, 4), 8.0)).values())
    assert math.isnan(variance.permutation(np.full((3, 2, 4), 8.0)))
    assert all(math.isnan(v) for v in variance.shares(np.empty((3, 2, 0))).values())
    assert math.isnan(variance.pairing(np.full((3, 2, 4), 8.0))) and math.isnan(variance.pairing(y[:, :1]))
    assert math.isnan(variance.pairing(np.empty((3, 2, 0))))


def test_the_permutation_test_finds_an_effect_and_keeps_its_level(monkeypatch):
    generator = np.random.default_rng(4)
    monkeypatch.setattr(variance, "PERMUTATIONS", 99)
    assert variance.permutation(layout(generator, (0.8, 3, 0, 3, 1), (4, 3, 8))) == 0.01  # paired by seed
    found = [variance.permutation(layout(generator, (0, 1, 0, 1, 1), (4, 2, 4))) for _ in range(60)]
    assert np.mean(np.array(found) <= 0.05) <= 0.13 and 0.35 < np.mean(found) < 0.65
