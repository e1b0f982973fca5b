"""Gradients between two Gaussians that move apart: closed forms, batches, classifiers with errors, and limits."""

import math

import pytest
import torch
from experiments.vanishing import separation

from fgan.divergences import DIVERGENCES, alpha
from fgan.metrics import exact
from fgan.targets.mixtures import Mixture

EVERY = pytest.mark.parametrize("divergence", DIVERGENCES.values(), ids=DIVERGENCES)
# Derivatives in d of D_f(N(0, 1) || N(d, 1)), in closed form.
CLOSED = {
    "kl": lambda d: d, "reverse_kl": lambda d: d, "jeffrey": lambda d: 2 * d,
    "pearson": lambda d: 2 * d * math.exp(d**2), "neyman": lambda d: 2 * d * math.exp(d**2),
    "squared_hellinger": lambda d: d / 2 * math.exp(-(d**2) / 8), "alpha_3": lambda d: d * math.exp(3 * d**2),
    "alpha_m2": lambda d: d * math.exp(3 * d**2),
    "total_variation": lambda d: math.exp(-(d**2) / 8) / math.sqrt(2 * math.pi),
}  # fmt: skip


@pytest.mark.parametrize("d", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("name", CLOSED)
def test_the_exact_gradient_in_closed_form(name, d):
    assert separation.exact(DIVERGENCES[name], d)["saddle"].item() == pytest.approx(CLOSED[name](d), rel=1e-6)


@EVERY
def test_at_the_optimum_the_saddle_gradient_is_that_of_the_divergence(divergence):
    normal, d, step = Mixture([1.0], [0.0], [1.0]), 1.2, 1e-3
    above, below = (exact.divergence(exact.convex(divergence.name), normal, d + s, 1.0) for s in (step, -step))
    if not math.isfinite(above - below):
        pytest.skip("beyond float64")
    assert separation.exact(divergence, d)["saddle"].item() == pytest.approx((above - below) / (2 * step), rel=2e-3)


@pytest.mark.parametrize("name, other, factor", [("kl", "reverse_kl", 1), ("pearson", "kl", 2), ("gan", "gan", None)])
def test_the_alternative_gradient_is_that_of_its_effective_divergence(name, other, factor):
    saddle, alternative = (separation.exact(DIVERGENCES[name], 3.0)[o].item() for o in separation.OBJECTIVES)
    if factor:
        assert alternative == pytest.approx(factor * separation.exact(DIVERGENCES[other], 3.0)["saddle"].item())
    else:  # r f'' + r^2 f'' = 1 for GAN, so that the two gradients add up to d
        assert alternative + saddle == pytest.approx(3.0)


@pytest.mark.parametrize("way", ["optimal", "noisy"])
@EVERY
def test_a_batch_has_the_gradient_of_autograd_through_T(divergence, way):
    generator = torch.Generator().manual_seed(0)
    z, phase = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3, 64), (3, 1)))
    x = (1.5 + z).requires_grad_()
    s, slope = separation.optimal(1.5, x) if way == "optimal" else separation.noisy(1.5, x, 0.1, 3.0, phase)
    if way == "noisy":
        torch.testing.assert_close(torch.autograd.grad(s.sum(), x, retain_graph=True)[0], slope)
    t = divergence.f_prime(s.exp())
    losses = {"saddle": -divergence.conjugate(t), "alternative": -t}
    gradients = separation.through(divergence, s.detach(), slope.detach())
    for name, loss in losses.items():
        (expected,) = torch.autograd.grad(loss.mean(-1).sum(), x, retain_graph=True)
        torch.testing.assert_close(gradients[name], expected.sum(-1), rtol=1e-6, atol=1e-9)


def test_a_noisy_classifier_is_off_by_the_error_at_most():
    x, phase = torch.linspace(-5, 15, 2001, dtype=torch.float64)[None], torch.zeros((1, 1), dtype=torch.float64)
    off = separation.noisy(8.0, x, 0.01, 3.0, phase)[0].sigmoid() - separation.optimal(8.0, x)[0].sigmoid()
    assert 0.009 < off.abs().max() <= 0.01


@EVERY
def test_the_weights_go_on_evenly_beyond_the_edge(divergence):
    s = torch.tensor([-200.0, -100.0, -50.0], dtype=torch.float64)
    for name, weights in separation.log_weights(divergence, s).items():
        k = separation.exponents(divergence)[name]
        if divergence.name != "total_variation" and divergence.growth[0] < 10:  # steeper ones underflow there
            torch.testing.assert_close(weights.diff(), k * s.diff())
        assert name == "alternative" or k == separation.exponents(divergence)["alternative"] + 1


def test_the_limits_of_F():
    known = {"gan": 0.0, "jensen_shannon": 2 * math.log(2), "total_variation": 1.0, "squared_hellinger": 2.0,
             "jensen_shannon_weighted": -0.3 * math.log(0.3) - 0.7 * math.log(0.7)}  # fmt: skip
    known |= {alpha(a).name: 1 / (a * (1 - a)) for a in (0.1, 0.5, 0.9)}
    for name, divergence in DIVERGENCES.items():
        assert separation.limit(divergence) == pytest.approx(known.get(name, math.inf))
        assert separation.uniform(divergence, 0.0) == pytest.approx(float(divergence.f(torch.ones(()))))
        assert separation.uniform(divergence, 2.0) == separation.uniform(divergence, 1.0)
