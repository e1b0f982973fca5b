"""Exact divergences by quadrature, against closed forms, finiteness from the tails, and the known optima."""

import math

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from fgan.divergences import DIVERGENCES
from fgan.metrics import exact
from fgan.targets.mixtures import Mixture

P = Mixture([0.33, 0.67], [-1.0, 2.0], [0.065, 2.0])  # the univariate experiment's
WIDEST = math.sqrt(2.0)


def kl(m, s, mu, sigma):
    """KL(N(m, s^2) || N(mu, sigma^2)) in nats."""
    return math.log(sigma / s) + (s**2 + (m - mu) ** 2) / (2 * sigma**2) - 0.5


def chi_squared(m, s, mu, sigma):
    """E_P[p/q] - 1 for p = N(m, s^2), q = N(mu, sigma^2); finite where 2/s^2 > 1/sigma^2."""
    precision = 2 / s**2 - 1 / sigma**2
    shift = 2 * m / s**2 - mu / sigma**2
    exponent = shift**2 / (2 * precision) - m**2 / s**2 + mu**2 / (2 * sigma**2)
    return sigma / (s**2 * math.sqrt(precision)) * math.exp(exponent) - 1


def hellinger(m, s, mu, sigma):
    """2 - 2 E_Q[sqrt(p/q)]."""
    total = s**2 + sigma**2
    return 2 - 2 * math.sqrt(2 * s * sigma / total) * math.exp(-((m - mu) ** 2) / (4 * total))


CLOSED = {
    "kl": kl,
    "reverse_kl": lambda m, s, mu, sigma: kl(mu, sigma, m, s),
    "jeffrey": lambda m, s, mu, sigma: kl(m, s, mu, sigma) + kl(mu, sigma, m, s),
    "squared_hellinger": hellinger,
    "pearson": chi_squared,
    "neyman": lambda m, s, mu, sigma: chi_squared(mu, sigma, m, s),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
@hypothesis.settings(max_examples=40)
@hypothesis.given(mu=st.floats(-2, 2), sigma=st.floats(0.8, 1.3), m=st.floats(-1, 1), s=st.floats(0.8, 1.2))
def test_quadrature_is_the_closed_form_between_gaussians(name, mu, sigma, m, s):
    wide = {"pearson": sigma / s, "neyman": s / sigma}.get(name, 1.0)
    hypothesis.assume(wide > 0.75)  # an integral that is just finite has tails beyond any window
    found = exact.divergence(exact.convex(name), Mixture([1.0], [m], [s**2]), mu, sigma)
    assert found == pytest.approx(CLOSED[name](m, s, mu, sigma), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "jeffrey", "squared_hellinger"])
@pytest.mark.parametrize("mu, sigma", [(40.0, 1.5), (100.0, 1.5), (1e4, 1.0), (0.0, 0.01), (0.3, 1e-4), (0.0, 300.0)])
def test_a_model_far_from_the_data_never_gets_a_plausible_wrong_number(name, mu, sigma):
    """A run that left the data must not look good: the right value, or none."""
    found = exact.divergence(exact.convex(name), Mixture([1.0], [0.0], [1.0]), mu, sigma)
    assert not math.isfinite(found) or found == pytest.approx(CLOSED[name](0.0, 1.0, mu, sigma), rel=1e-3)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_divergence_of_a_distribution_from_itself_is_f_of_one(name):
    found = exact.divergence(exact.convex(name), Mixture([1.0], [0.7], [1.44]), 0.7, 1.2)
    assert found == pytest.approx(-math.log(4) if name == "gan" else 0.0, abs=1e-9)


# Finite exactly where the tails say so: the largest and the smallest sigma at which D is infinite, for f ~ u^a, u^-b.
NARROW = {name: WIDEST * math.sqrt((d.growth[0] - 1) / d.growth[0]) for name, d in DIVERGENCES.items()}
WIDE = {name: WIDEST * math.sqrt((1 + d.growth[1]) / d.growth[1]) for name, d in DIVERGENCES.items() if d.growth[1]}


@pytest.mark.parametrize("name", DIVERGENCES)
@pytest.mark.parametrize("mu", [-1.0, 0.0, 1.7])
def test_infinite_exactly_where_the_tails_say(name, mu):
    for sigma in [0.3, 0.9, 0.99, 1.01, 1.15, 1.16, 1.5, 1.73, 1.74, 1.99, 2.01, 3.0]:
        infinite = sigma <= NARROW[name] or sigma >= WIDE.get(name, math.inf)
        assert (exact.divergence(exact.convex(name), P, mu, sigma) == math.inf) == infinite, sigma


def test_the_edges_that_were_published_are_infinite():
    """Pearson and alpha = 3 at sigma = 1, Neyman from sigma = 2 on."""
    for name, sigma in [("pearson", 1.0), ("alpha_3", 1.0), ("neyman", 2.0), ("neyman", 5.0)]:
        assert exact.divergence(exact.convex(name), P, 0.0, sigma) == math.inf


@pytest.mark.parametrize("mu, sigma", [(math.nan, 1.0), (math.inf, 1.0), (0.0, 0.0), (0.0, math.nan), (0.0, math.inf)])
def test_a_model_that_is_no_distribution_is_infinitely_far(mu, sigma):
    assert exact.divergence(exact.convex("kl"), P, mu, sigma) == math.inf


def test_the_sign_of_sigma_does_not_matter():
    assert exact.divergence(exact.convex("kl"), P, 1.0, -1.8) == exact.divergence(exact.convex("kl"), P, 1.0, 1.8)


MODELS = torch.tensor([
    [0.0, 1.5], [math.nan, 1.0], [1.3, -1.7], [40.0, 1.5], [0.0, 0.0], [0.3, 1e-4], [math.inf, 1.0], [-0.96, 0.4],
    [0.0, 300.0], [1.0, math.nan], [2.0, 1.0], [2.0, 2.0], [1.0, math.inf], [0.5, 1.3], [0.5, 1.45], [1.0, 1.8],
    [1.1, 1.8],
], dtype=torch.float64)  # fmt: skip


@pytest.mark.parametrize("kind", [exact.convex, exact.effective])
def test_a_model_has_the_bytes_that_it_has_alone(kind):
    """More models than are integrated at once, in any order, beside some that are no distribution."""
    functions = [kind(name) for name in DIVERGENCES]
    found = exact.divergences(functions, P, *MODELS.T)
    assert found.shape == (len(functions), len(MODELS)) and found.dtype == torch.float64 and len(MODELS) > 16
    alone = [[exact.divergence(function, P, mu, sigma) for mu, sigma in MODELS.tolist()] for function in functions]
    for other in (
        torch.tensor(alone, dtype=torch.float64),
        exact.divergences(functions, P, *MODELS.flip(0).T).flip(1),
    ):
        torch.testing.assert_close(found, other, rtol=0, atol=0, equal_nan=True)
    usable = (MODELS.isfinite().all(1) & (MODELS[:, 1] != 0)).tolist()
    kl = list(DIVERGENCES).index("kl")
    assert found[kl].isfinite().tolist() == usable


@pytest.mark.parametrize("name", DIVERGENCES)
def test_batched_quadrature_is_the_plain_integral(name):
    """On one wide uniform grid, each model by itself; total variation's kinks fall between its points."""
    x = torch.linspace(-60, 60, 400_001, dtype=torch.float64)
    models = torch.tensor([[0.5, 1.5], [1.0, 1.65], [1.7, 1.45], [2.0, 1.6]], dtype=torch.float64)
    found = exact.divergences([exact.convex(name)], P, *models.T)[0]
    for (mu, sigma), value in zip(models.tolist(), found.tolist(), strict=True):
        log_q = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
        u = (P.log_density(x[:, None]) - log_q).clamp(-300, 300).exp()
        plain = torch.trapezoid(log_q.exp() * DIVERGENCES[name].f(u), x).item()
        steepness = max(1, DIVERGENCES[name].growth[0] - 2)  # a steep f has a narrow integrand
        assert value == pytest.approx(plain, rel=1e-5 * steepness)


OPTIMA = {
    "alpha_3": (0.351, 1.954, 0.419), "pearson": (0.574, 1.927, 0.646), "kl": (1.010, 1.831, 0.283),
    "jensen_shannon_weighted": (1.198, 1.788, 0.055), "jensen_shannon": (1.307, 1.754, 0.128),
    "squared_hellinger": (1.313, 1.733, 0.135), "jeffrey": (1.322, 1.703, 0.571),
    "total_variation": (1.338, 1.879, 0.240), "reverse_kl": (1.578, 1.631, 0.248), "neyman": (1.825, 1.519, 0.405),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMA)
def test_the_known_optima(name):
    assert exact.optimum(exact.convex(name), P) == pytest.approx(OPTIMA[name], abs=2e-3)


def test_the_optimum_is_the_deepest_of_several_minima():
    """Reverse KL fits one of two distant modes; the heavier one is better, at -log of its weight."""
    for weight, mean in ((0.7, 4.0), (0.3, -6.0)):
        mixture = Mixture([1 - weight, weight], [-6.0, 4.0], [0.5, 0.25])
        mu, sigma, value = exact.optimum(exact.convex("reverse_kl"), mixture)
        heavier = max(weight, 1 - weight)
        assert (mu, value) == pytest.approx((mean, -math.log(heavier)), abs=1e-3)
        assert sigma == pytest.approx(0.5 if mean > 0 else math.sqrt(0.5), abs=1e-3)


def test_the_optimum_of_gan_is_that_of_jensen_shannon():
    *where, value = exact.optimum(exact.convex("gan"), P)
    assert where == pytest.approx(OPTIMA["jensen_shannon"][:2], abs=2e-3)
    assert value == pytest.approx(OPTIMA["jensen_shannon"][2] - math.log(4), abs=2e-3)


@pytest.mark.parametrize("name, other", [("kl", "reverse_kl"), ("pearson", "kl"), ("reverse_kl", "neyman"),
                                         ("alpha_3", "pearson"), ("total_variation", "total_variation")])  # fmt: skip
def test_the_alternative_objective_has_the_optimum_of_its_effective_divergence(name, other):
    assert exact.optimum(exact.effective(name), P)[:2] == pytest.approx(OPTIMA[other][:2], abs=2e-3)


def test_the_softened_reverse_kl_of_gan_has_its_known_optimum():
    for name in ("gan", "jensen_shannon"):
        assert exact.optimum(exact.effective(name), P)[:2] == pytest.approx((1.738, 1.567), abs=2e-3)


U = torch.logspace(-6, 6, 49, dtype=torch.float64)
EFFECTIVE = {
    "kl": lambda u: u - 1 - u.log(), "pearson": lambda u: 2 * (u * u.log() - u + 1),
    "reverse_kl": lambda u: (1 - u) ** 2 / (2 * u), "alpha_3": lambda u: (u - 1) ** 2 / 2,
    "jeffrey": lambda u: u - 1 - u.log() + (1 - u) ** 2 / (2 * u),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTIVE)
def test_effective_is_the_twice_integrated_f_second_over_u(name):
    found = exact.effective(name).f(U)
    torch.testing.assert_close(found, EFFECTIVE[name](U), rtol=1e-4, atol=1e-9)


AT_ZERO = {
    "total_variation": 0, "kl": 0, "reverse_kl": 1, "pearson": 0, "neyman": 2, "squared_hellinger": 0.5, "jeffrey": 1,
    "jensen_shannon": 0, "jensen_shannon_weighted": 0, "gan": 0, "alpha_3": 0, "alpha_m2": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", AT_ZERO)
def test_effective_grows_by_one_power_less_at_infinity_and_one_more_at_zero(name):
    at_infinity, at_zero = exact.effective(name).growth
    assert at_infinity == pytest.approx(2 if name == "alpha_3" else 1, abs=1e-3)
    assert at_zero == pytest.approx(AT_ZERO[name], abs=1e-3)


def test_finiteness_is_decided_by_the_widest_component():
    narrow = Mixture([0.99, 0.01], [0.0, 0.0], [0.01, 4.0])
    assert exact.divergence(exact.convex("pearson"), narrow, 0.0, 1.41) == math.inf
    assert exact.divergence(exact.convex("pearson"), narrow, 0.0, 1.42) < math.inf
