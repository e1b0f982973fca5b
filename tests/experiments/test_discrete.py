"""Categorical generators: what passes a gradient and what does not, and the estimators against the exact gradient."""

import pytest
import torch
from experiments.discrete.categorical import Logits, Table, estimates, exact_gradient, seen
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine.networks import Network, mlp
from fgan.engine.training import train
from fgan.models.base import one_hot

DISCRETE = design.module(EXPERIMENTS, "discrete", "run")
P = [4.0, 2.0, 1.0, 1.0]
EVERY = [Run("discrete", "main", d, o, 0) for d in DIVERGENCES for o in ("saddle", "alternative")]
FEW = [Run("discrete", "main", name, "saddle", 0) for name in ("kl", "gan")]


def population(kind, runs=FEW, temperature=0.5, **changes):
    own = {
        "target": {"kind": "table", "probabilities": P}, "noise": {"kind": "uniform", "dimension": 4},
        "variational": {"hidden": [8], "activation": "tanh"}, "method": {"kind": "single_step"},
        "optimiser": {"kind": "adam", "generator": 1e-2, "variational": 1e-2, "beta1": 0.5},
        "estimator": {"kind": kind, "temperature": temperature}, "batch": 64, "steps": 60, "history": 20,
        "measure": {"draws": 50, "covered": 0.1, "sample": 100, "baseline_seeds": 2},
    } | changes  # fmt: skip
    return DISCRETE.population(own, runs)


def moved(p):
    """The population with G and V away from their start."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        p.theta.add_(torch.randn(p.theta.shape[1:], generator=generator))
        p.omega.add_(torch.randn(p.omega.shape[1:], generator=generator))
    return p


def test_perturbed_logits_are_samples_of_their_softmax():
    layer, theta = Logits(3), torch.tensor([[[1.0, 0.0, -1.0]]])
    u = torch.rand(1, 200_000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    shares = one_hot(layer(u, theta))[0].mean(dim=0)
    torch.testing.assert_close(shares, theta.flatten().softmax(0), atol=5e-3, rtol=0)


def test_the_table_draws_its_probabilities_as_corners():
    table = Table(P)
    points = table(table.draw((50_000,), torch.Generator().manual_seed(0)))
    assert points.shape == (50_000, 4) and torch.equal(points.sum(dim=1), torch.ones(50_000))
    torch.testing.assert_close(points.double().mean(dim=0), table.p, atol=0.01, rtol=0)


def test_through_argmax_nothing_passes_and_not_a_bit_of_theta_moves():
    p = population("argmax", EVERY)
    start = p.theta.clone()
    logits = p.generator(p.theta_views, torch.zeros(len(EVERY), 5, 4))
    assert logits.requires_grad and not seen(logits, {"kind": "argmax"}).requires_grad and not p.passes()
    history = train(p, DISCRETE.observe)[1]
    assert torch.equal(p.theta, start) and not history["gradient_G"].any()
    assert (history["gradient_V"] > 0).all()


@pytest.mark.parametrize("kind", ["score_function", "straight_through", "gumbel_softmax"])
def test_every_other_estimator_moves_every_generator(kind):
    p = population(kind, EVERY)
    start = p.theta.clone()
    train(p, DISCRETE.observe)
    assert ((p.theta - start).abs().amax(dim=1) > 0).all() and p.theta.isfinite().all()
    assert p.passes() == (kind != "score_function")


def test_the_exact_gradient_is_the_derivative_of_the_expected_loss():
    p = moved(population("score_function", EVERY))
    theta = p.theta.detach().double().requires_grad_()
    points = torch.eye(4).expand(len(EVERY), -1, -1)
    losses = p.sample_losses(p.judge(points)).detach().double()
    (expected,) = torch.autograd.grad((theta.softmax(dim=1) * losses).sum(), theta)
    torch.testing.assert_close(exact_gradient(p), expected)


def test_the_score_function_has_no_bias_and_the_straight_through_gradient_has():
    found = {}
    for kind in ("score_function", "straight_through"):
        p = moved(population(kind, EVERY))
        draws, exact = estimates(p, 400), exact_gradient(p)
        error = draws.std(dim=0) / 400**0.5
        found[kind] = ((draws.mean(dim=0) - exact).abs() / error.clamp_min(1e-12)).flatten()
    assert found["score_function"].max() < 5 and found["straight_through"].median() > 5


def test_the_reported_loss_is_the_plain_mean_whatever_the_estimator():
    plain, score = (moved(population(kind)) for kind in ("argmax", "score_function"))
    data, noise = plain.draws(0, 1, 1)
    batch = plain.target(plain.spread(data[:, 0, 0])), plain.spread(noise[:, 0, 0])
    for one, other in zip(plain.losses(*batch), score.losses(*batch), strict=True):
        torch.testing.assert_close(one, other)


def test_distances_are_zero_at_p_and_known_elsewhere():
    names = list(DIVERGENCES)
    p = Table(P).p
    at_p = DISCRETE.distances(names, p, p.expand(len(names), -1))
    assert all(values.abs().max() < 1e-12 for values in at_p.values())
    uniform = DISCRETE.distances(["kl"], p, torch.full((1, 4), 0.25, dtype=torch.float64))
    assert uniform["KL"].item() == pytest.approx(float((p * (4 * p).log()).sum()))
    assert uniform["TV"].item() == pytest.approx(0.25) and uniform["D_f"].item() == pytest.approx(uniform["KL"].item())


def test_a_run_is_judged_at_its_start_and_at_its_end():
    p = population("score_function", steps=400)
    steps, history, _ = train(p, DISCRETE.observe)
    metrics, samples = DISCRETE.evaluate(p, steps, history)
    assert (metrics["relative D_f"] < 0.5).all() and (metrics["moved"] > 0).all() and metrics["categories"].max() <= 4
    assert {("bias", "start"), ("noise", "end"), ("cosine", "start"), ("bias over chance", "end")} <= set(metrics)
    torch.testing.assert_close(samples["q"].sum(dim=1), torch.ones(2))


def test_a_run_does_not_depend_on_the_runs_beside_it():
    whole, piece = population("gumbel_softmax", EVERY), population("gumbel_softmax", EVERY[6:9])
    train(whole, DISCRETE.observe), train(piece, DISCRETE.observe)
    assert torch.equal(whole.theta[6:9], piece.theta)


def test_networks_are_those_of_the_design():
    arm = design.load("discrete", "quick", EXPERIMENTS).arms["gumbel_softmax_linear"]
    p = DISCRETE.population(arm, FEW)
    assert isinstance(p, DISCRETE.Categorical) and p.variational.size == mlp(10, 1, [], "tanh").size
    assert p.generator.size == Network(Logits(10)).size == 10
