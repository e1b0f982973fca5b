"""Parity: pairs of antipodes and the even part of a generator by hand and by a null, noise, and what is drawn of it."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from small import EXPERIMENTS, settings

from fgan import design
from fgan.design import Run
from fgan.engine.training import train
from fgan.targets.mixtures import ring

PARITY = design.module(EXPERIMENTS, "parity", "run")
DESIGN = design.load("parity", "overnight", EXPERIMENTS)
RUNS = [Run("parity", "centred", "reverse_kl", "saddle", seed) for seed in (0, 1)]


def small(**changes):
    return settings(**{"biases": 1.0, "drawn": "symmetric", "steps": 4, "history": 2, "batch": 64} | changes) | {
        "target": {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02} | changes.get("target", {}),
        "measure": DESIGN.common["measure"] | {"samples": 512, "compared": 100, "baseline_seeds": 2},
    }


def test_each_mode_of_a_ring_has_an_antipode_if_their_number_is_even():
    across = PARITY.antipodes.opposite
    assert across(ring(8, 2.0, 0.02, centre=(3.0, 1.0))).tolist() == [4, 5, 6, 7, 0, 1, 2, 3]
    assert across(ring(7, 2.0, 0.02)) is None and across(ring(9, 2.0, 0.02)) is None


def test_pairs_by_hand():
    """Two pairs; two pairs and one alone; one alone; none; all."""
    covered = torch.zeros(5, 8, dtype=torch.bool)
    covered[0, [0, 4, 1, 5]] = covered[1, [0, 4, 1, 5, 2]] = covered[2, 3] = covered[4] = True
    found = PARITY.antipodes.measured(covered, ring(8, 2.0, 0.02))
    nan = math.nan
    assert found["paired"].tolist() == pytest.approx([1, 0.8, 0, nan, 1], nan_ok=True)
    assert found["pairs beyond chance"].tolist() == pytest.approx([1, (0.8 - 4 / 7) / (3 / 7), 0, 0, 0])
    assert found["even number"].tolist() == pytest.approx([1, 0, 0, nan, nan], nan_ok=True)
    odd = PARITY.antipodes.measured(covered[:, :7], ring(7, 2.0, 0.02))
    assert odd["paired"].isnan().all() and odd["pairs beyond chance"].isnan().all()


@pytest.mark.parametrize("m", range(1, 8))
def test_pairs_beyond_chance_are_none_in_the_mean_over_all_sets(m):
    covered = torch.zeros(math.comb(8, m), 8, dtype=torch.bool)
    for row, chosen in zip(covered, itertools.combinations(range(8), m), strict=True):
        row[list(chosen)] = True
    beyond = PARITY.antipodes.measured(covered, ring(8, 2.0, 0.02))["pairs beyond chance"]
    assert beyond.mean().item() == pytest.approx(0, abs=1e-12)
    assert (beyond > 0.999).double().mean() <= 1 / 7 + 1e-12  # all in pairs


def test_independent_losses_leave_an_even_number_with_odds_below_one_half():
    """The null of the claim, for every rate: P(m even | 0 < m < 8) for m binomial."""
    p = np.linspace(0.001, 0.999, 999)
    within = np.array([binom.pmf(m, 8, p) for m in range(1, 8)])
    assert (within[1::2].sum(0) / within.sum(0)).max() == pytest.approx(126 / 254)


def test_the_even_part_of_odd_even_and_unrelated_generators():
    class Stub:
        settings, device, streams, n_runs = small(), "cpu", ["parity/centred/0"], 1

        def __init__(self, generate):
            self.generate = generate

        def noise(self, shape, generator):
            return torch.randn((*shape, 2), generator=generator)

        def spread(self, by_stream):
            return by_stream

    def share(generate):
        return PARITY.antipodes.even_part(Stub(generate)).item()

    assert share(lambda z: 3 + torch.tanh(z)) == pytest.approx(0, abs=1e-3)  # c is a mean over samples
    assert share(lambda z: z**2) == pytest.approx(1)
    assert share(lambda z: (z > 0) * z) == pytest.approx(0.5 * (1 - 2 / math.pi) / (1 - 1 / math.pi), abs=0.05)
    assert share(lambda z: torch.sin(1e4 * z) + torch.cos(1e4 * z)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("drawn", ["symmetric", "skewed", "folded"])
def test_noise_of_each_kind_has_its_moments(drawn):
    z = PARITY.population(small(drawn=drawn), RUNS).noise((20_000,), torch.Generator().manual_seed(0))
    mean, sd = {"folded": (0.798, 0.603)}.get(drawn, (0.0, 1.0))
    assert z.mean().item() == pytest.approx(mean, abs=0.02) and z.std().item() == pytest.approx(sd, abs=0.02)
    assert ((z**3).mean().abs() < 0.1) == (drawn == "symmetric") and (z.min() >= 0) == (drawn == "folded")


def test_biases_alone_are_scaled_and_without_them_the_generator_is_odd():
    plain, scaled, none = (PARITY.population(small(biases=factor), RUNS) for factor in (1.0, 4.0, 0.0))
    for index, (one, four) in enumerate(zip(plain.theta_views, scaled.theta_views, strict=True)):
        torch.testing.assert_close(four, one * (4 if index % 2 else 1))
    z = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(none.generate(z), -none.generate(-z))


def test_a_run_and_the_samplers_have_all_metrics():
    p = PARITY.population(small(), RUNS)
    metrics, samples = PARITY.evaluate(p, *train(p, PARITY.observe)[:2])
    rows, _ = PARITY.baselines(small())
    by_name = {sampler: own for sampler, _, seed, own in rows if seed == 0}
    assert set(by_name["one mode"]) | {"even part"} == set(metrics) and samples["samples"].shape == (2, 500, 2)
    assert by_name["fresh samples of P"]["modes"] == 8 and by_name["one mode"]["coverage"] < 0.2
