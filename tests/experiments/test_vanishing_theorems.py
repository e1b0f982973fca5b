"""Theorems on GAN's alternative objective: its gradient at the optimal V, and the Cauchy law through white noise."""

import math

import pytest
import torch
from experiments.vanishing import theorems

from fgan.metrics import exact

MEASURE = {"separations": [1, 10], "error": 0.001, "wave": 3.0}


def rows(batches=100):
    z = torch.randn((batches, 1024), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return {sampler: metrics for sampler, _, _, metrics in theorems.rows(MEASURE, z)}


def test_theorem_2_5_is_an_identity_and_its_two_sides_are_computed_apart():
    assert rows()["mixture and Gaussian"]["error of Theorem 2.5"] < 1e-10
    model, step = torch.tensor([1.0, 1.8], dtype=torch.float64), 1e-3
    value = lambda mu, s: (
        exact.divergence(exact.convex("reverse_kl"), theorems.P, mu, s)
        - exact.divergence(exact.convex("jensen_shannon"), theorems.P, mu, s)
    )
    numeric = (value(1 + step, 1.8) - value(1 - step, 1.8)) / (2 * step)
    assert float(theorems.divergences(model)[0]) == pytest.approx(numeric, rel=5e-3)


def test_the_mean_over_a_batch_of_quotients_is_no_narrower_than_one():
    found = rows()["white noise"]
    assert 0.5 < found["spread", "alternative"] < 2 and found["spread", "saddle"] < 0.1
    assert found["Kolmogorov statistic", "alternative"] < 1.63


def test_kolmogorovs_statistic_tells_a_normal_law_from_a_cauchy_law():
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    assert theorems.kolmogorov(3 * torch.tan(math.pi * (u - 0.5)), 3.0) == pytest.approx(0.5 / math.sqrt(1000))
    assert theorems.kolmogorov(torch.randn(1000, generator=torch.Generator().manual_seed(0)).double(), 1.0) > 1.63
