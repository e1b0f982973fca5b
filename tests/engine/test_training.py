"""The training loop against hand-written loops for one run."""

import itertools

import pytest
import torch
from small import driven, population, run, trained
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from fgan.divergences import DIVERGENCES
from fgan.engine import cost, training
from fgan.engine.population import CHUNK
from fgan.engine.training import train

SGD = {"kind": "sgd", "generator": 0.05, "variational": 0.03}


def single(p):
    """(G's parameters, V's parameters) of the first run, as lists of plain leaf tensors."""
    both = (p.theta_views, p.omega_views)
    return tuple([view[0].detach().clone().requires_grad_() for view in views] for views in both)


def mlp(parameters, x):
    *hidden, weight, bias = parameters
    for w, b in zip(hidden[::2], hidden[1::2], strict=True):
        x = torch.tanh(x @ w + b)
    return x @ weight + bias


def batches(p, steps, k=0):
    """(data, noise) of the first run, for each step: what its stream draws, in order."""
    for step in range(steps):
        data, noise = p.draws(step // CHUNK, max(k, 1), k + 1)
        yield data[0, step % CHUNK], noise[0, step % CHUNK]


def descend(parameters, loss, rate, retain_graph=False):
    """New leaf parameters after one step of gradient descent."""
    gradients = torch.autograd.grad(loss, parameters, retain_graph=retain_graph)
    return [(q - rate * g).detach().requires_grad_() for q, g in zip(parameters, gradients, strict=True)]


def losses(one, v_real, v_fake):
    """(F, the generator's loss) of a run by the paper's formulas."""
    d = DIVERGENCES[one.divergence]
    fake = d.conjugate(d.activation(v_fake)).mean()
    return d.activation(v_real).mean() - fake, -fake if one.objective == "saddle" else -d.activation(v_fake).mean()


def same(p, theta, omega):
    for views, parameters in ((p.theta_views, theta), (p.omega_views, omega)):
        for mine, theirs in zip(views, parameters, strict=True):
            torch.testing.assert_close(mine[0], theirs, rtol=1e-4, atol=1e-5)


RUNS = pytest.mark.parametrize(
    "one", [run(*pair) for pair in itertools.product(("kl", "neyman", "gan"), ("saddle", "alternative"))],
    ids=lambda one: f"{one.divergence}-{one.objective}")  # fmt: skip


@RUNS
def test_single_step_is_algorithm_1(one):
    """V ascends F and G descends its loss at the same iterate, on the same samples."""
    p = driven([one, run("pearson", seed=1)], optimiser=SGD, steps=30)
    theta, omega = single(p)
    values = []
    for data, noise in batches(p, 30):
        value, loss = losses(one, mlp(omega, data[0]), mlp(omega, mlp(theta, noise[0])))
        ascended = descend(omega, -value, SGD["variational"], retain_graph=True)
        theta = descend(theta, loss, SGD["generator"])
        omega = ascended
        values.append(value.detach())
    history, _ = trained(p)
    same(p, theta, omega)
    torch.testing.assert_close(history["F"][:, 0], torch.stack(values), rtol=1e-4, atol=1e-5)


@RUNS
@pytest.mark.parametrize("k", [1, 2])
def test_k_step_moves_v_k_times_before_g(one, k):
    p = driven([one, run("pearson", seed=1)], optimiser=SGD, method={"kind": "k_step", "k": k}, steps=30)
    theta, omega = single(p)
    for data, noise in batches(p, 30, k):
        for j in range(k):
            value, _ = losses(one, mlp(omega, data[j]), mlp(omega, mlp(theta, noise[j])))
            omega = descend(omega, -value, SGD["variational"])
        _, loss = losses(one, mlp(omega, data[-1]), mlp(omega, mlp(theta, noise[k])))
        theta = descend(theta, loss, SGD["generator"])
    trained(p)
    same(p, theta, omega)


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("objective", ["saddle", "alternative"])
def test_gan_is_the_textbook_gan(objective, k):
    """Binary cross-entropy with logits and Adam of torch.optim, from the same weights and batches, for 20 steps."""
    p = population([run("gan", objective), run("kl")], **({"method": {"kind": "k_step", "k": k}} if k else {}))
    theta, omega = single(p)
    g = torch.optim.Adam(theta, lr=3e-4, betas=(0.5, 0.999))
    d = torch.optim.Adam(omega, lr=1e-3, betas=(0.5, 0.999))
    lost = []

    def play(x, z):
        real, fake = mlp(omega, x), mlp(omega, mlp(theta, z))
        discriminator = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
        non_saturating, saturating = bce(fake, torch.ones_like(fake)), -bce(fake, torch.zeros_like(fake))
        generator = non_saturating if objective == "alternative" else saturating
        for parameters, loss in ((omega, discriminator), (theta, generator)):
            for q, gradient in zip(parameters, torch.autograd.grad(loss, parameters, retain_graph=True), strict=True):
                q.grad = gradient
        return -discriminator.detach(), generator.detach()

    for data, noise in batches(p, 20, k):
        for x, z in zip(data[:k], noise[:k], strict=True):
            play(x, z)
            d.step()
        lost.append(play(data[-1], noise[k]))
        g.step()
        if not k:
            d.step()
    history, _ = trained(p)
    same(p, theta, omega)
    for name, theirs in zip(("F", "generator_loss"), zip(*lost, strict=True), strict=True):
        torch.testing.assert_close(history[name][:, 0], torch.stack(theirs), rtol=1e-4, atol=1e-5)


def test_the_history_has_every_nth_step_and_the_last():
    p = population([run("kl"), run("kl", seed=1)], steps=45, history=7)
    steps, history, _ = train(p, lambda p: {"size": p.theta.square().sum(dim=1)})
    assert steps == [7, 14, 21, 28, 35, 42, 45]
    assert set(history) == {"F", "generator_loss", "gradient_V", "gradient_G", "size"}
    assert torch.equal(history["size"][-1], p.theta.square().sum(dim=1))
    dense, _ = trained(population([run("kl"), run("kl", seed=1)], steps=45))
    assert torch.equal(history["F"], dense["F"][[step - 1 for step in steps]])


@pytest.mark.parametrize("method", [{"kind": "single_step"}, {"kind": "k_step", "k": 2}])
def test_a_generator_whose_rate_is_zero_takes_no_backward_pass(method):
    """V is trained as beside a G that moves by nothing at all, without the work for G and its gradient's norm."""
    fixed, still = (population([run("kl"), run()], optimiser={"generator": r}, method=method) for r in (0.0, 1e-30))
    start = fixed.theta.clone()
    (history, _), (wanted, _) = trained(fixed), trained(still)
    assert torch.equal(fixed.omega, still.omega) and torch.equal(fixed.theta, start)
    assert set(wanted) - set(history) == {"gradient_G"}
    assert all(torch.equal(history[name], wanted[name]) for name in history)
    counted = [
        cost.counted(lambda r=r: population([run()], "meta", optimiser={"generator": r}, method=method)).operations
        for r in (0.0, 1e-30)
    ]
    assert counted[0] < 0.9 * counted[1]
    fixed.losses = lambda x, z, inner: (kept.append(inner), type(fixed).losses(fixed, x, z, inner))[1]
    kept, (data, noise) = [], fixed.draws(0, 2, 3)
    training.step(fixed, data[:, 0], noise[:, 0])
    assert all(kept)  # samples keep nothing for a backward pass


def test_progress_is_called_at_the_start_and_after_each_chunk_with_the_step():
    seen = []
    trained(population([run()], steps=45), progress=seen.append)
    assert seen == [0, 20, 40, 45]
