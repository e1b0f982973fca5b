"""Exact divergences in the plane: closed forms, infinities, gradients, and the optima that the experiment prints."""

import math

import numpy as np
import pytest
import torch
from experiments.divergence_or_settings import plane
from small import EXPERIMENTS

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.metrics import exact
from fgan.targets.mixtures import Mixture

SETTINGS = design.load("divergence_or_settings", "quick", EXPERIMENTS).arms["gaussian"]
P = Mixture(**SETTINGS["measure"]["fitted"])
ROUND = Mixture([1.0], [[0.5, -0.2]], [1.3])
EYE = torch.eye(2, dtype=torch.float64)


def test_closed_forms_between_gaussians_in_the_plane():
    """KL(N(m, v I) || N(mu, C)) = 1/2 [tr(v C^-1) + d^T C^-1 d - 2 + log det C / v^2], and reverse KL the other way."""
    mu, covariance = torch.tensor([0.1, 0.4], dtype=torch.float64), torch.tensor([[1.5, 0.3], [0.3, 0.9]]).double()
    d, v = ROUND.means[0] - mu, 1.3
    inverse = covariance.inverse()
    kl = 0.5 * (v * inverse.trace() + d @ inverse @ d - 2 + torch.logdet(covariance) - 2 * math.log(v))
    reverse = 0.5 * (covariance.trace() / v + d @ d / v - 2 - torch.logdet(covariance) + 2 * math.log(v))
    for name, known in (("kl", kl), ("reverse_kl", reverse)):
        assert plane.divergence(exact.convex(name), ROUND, mu, covariance) == pytest.approx(float(known), rel=1e-7)


@pytest.mark.parametrize("name, infinite", [("pearson", 0.6), ("alpha_3", 0.8), ("neyman", 2.7), ("alpha_m2", 2.0)])
def test_an_infinite_divergence_is_infinite_along_one_direction(name, infinite):
    """Pearson needs every eigenvalue of C above half the variance of P, Neyman every one below twice it."""
    one = torch.diag(torch.tensor([1.3, infinite], dtype=torch.float64))
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=torch.float64)
    for covariance in (one, turn @ one @ turn.T):
        assert plane.divergence(exact.convex(name), ROUND, ROUND.means[0], covariance) == math.inf
        assert math.isfinite(plane.divergence(exact.convex("kl"), ROUND, ROUND.means[0], covariance))
    assert plane.divergence(exact.convex(name), ROUND, ROUND.means[0], 1.3 * EYE) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_every_divergence_is_finite_at_the_start_and_at_its_optimum(name):
    p, (m, s) = P, SETTINGS["start"]
    start = plane.divergence(exact.convex(name), p, torch.full((2,), m).double(), s**2 * EYE)
    if start > 1e6:
        pytest.skip("steeper than the search for an optimum can see")
    minima = plane.optima(exact.convex(name), p)
    assert minima[0][0] < start < math.inf
    best, mu, covariance = minima[0]
    generator = torch.Generator().manual_seed(0)
    for scale in (0.02, 0.2):
        shift, turn = (scale * torch.randn(shape, generator=generator).double() for shape in ((2,), (2, 2)))
        near = (EYE + turn) @ covariance @ (EYE + turn).T
        assert plane.divergence(exact.convex(name), p, mu + shift, near) > best - 1e-6


def test_a_gaussian_is_its_own_optimum_and_forward_kl_matches_moments():
    for name in ("pearson", "kl", "gan", "reverse_kl"):
        ((_, mu, covariance), *others) = plane.optima(exact.convex(name), ROUND)
        torch.testing.assert_close(mu, ROUND.means[0], atol=1e-3, rtol=0)
        torch.testing.assert_close(covariance, 1.3 * EYE, atol=2e-3, rtol=0)
        assert not others
    centred = P.means - P.weights @ P.means
    moments = (P.weights * P.variances).sum() * EYE + centred.T @ (P.weights[:, None] * centred)
    torch.testing.assert_close(plane.optima(exact.convex("kl"), P)[0][2], moments, atol=2e-3, rtol=0)


def test_reverse_kl_has_a_minimum_on_each_narrow_mode_and_forward_kl_has_one_in_all():
    _, *others = plane.optima(exact.convex("reverse_kl"), P)
    assert len(others) == 2 and len(plane.optima(exact.convex("kl"), P)) == 1
    assert all((P.means[1:] - mu).norm(dim=1).min() < 0.2 for _, mu, _ in others)


def test_the_gradient_is_the_slope():
    points, at = plane.grid(P), np.array([0.2, 0.7, 0.4, 0.3, 0.5])
    for name in DIVERGENCES:
        if name == "total_variation":
            continue  # its f has a kink where p = q
        _, gradient = plane.slope(exact.convex(name), P, at, points)
        values = [plane.slope(exact.convex(name), P, at + e * 1e-5, points)[0] for e in (*np.eye(5), *-np.eye(5))]
        np.testing.assert_allclose(gradient, (np.array(values[:5]) - values[5:]) / 2e-5, rtol=2e-3, atol=2e-5)
