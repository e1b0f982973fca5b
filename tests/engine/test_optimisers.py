"""The stacked update rules against torch.optim, gradient clipping, and runs that stop being finite."""

import math

import pytest
import torch
from small import driven, nothing, population, run, trained

from fgan.engine.cost import Counter
from fgan.engine.machines import as_on
from fgan.engine.optimisers import SGD, Adam
from fgan.engine.training import apply, train

FIVE = [run("kl"), run("pearson"), run("pearson", "alternative"), run("gan"), run("gan", seed=1)]
ALIVE = torch.ones(4, dtype=torch.bool)
RATES = torch.tensor([1e-3, 1e-2, 0.0, 1e-1])


def gradients(seed, scale=1.0):
    return scale * torch.randn(4, 30, generator=torch.Generator().manual_seed(seed))


def fused(parameters, rate):
    """Adam in the way of a GPU."""
    with as_on("cuda"):
        return Adam(parameters, rate)


@pytest.mark.parametrize("scale", [1.0, 1e-6], ids=["gradients", "tiny gradients"])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(SGD, torch.optim.SGD), (Adam, torch.optim.Adam), (fused, torch.optim.Adam),
     (lambda p, rate: Adam(p, rate, 0.5, 0.99), lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.5, 0.99)))],
    ids=["sgd", "adam", "adam fused", "adam with other decays"])  # fmt: skip
def test_a_rule_is_that_of_torch_with_a_rate_for_each_run(mine, theirs, scale):
    start = gradients(99, scale)
    stack = start.clone()
    rule = mine(stack, RATES)
    singles = [start[r].clone().requires_grad_() for r in range(4)]
    optimisers = [theirs([p], lr=rate.item()) for p, rate in zip(singles, RATES, strict=True)]
    for step in range(20):
        gradient = gradients(step, scale * 10.0 ** (step % 3 - 1))
        rule.step(gradient, ALIVE)
        for r in range(4):
            singles[r].grad = gradient[r].clone()
            optimisers[r].step()
    torch.testing.assert_close(stack, torch.stack(singles).detach(), rtol=1e-4, atol=1e-5 * scale)
    assert torch.equal(stack[2], start[2]) and (stack[3] != start[3]).all()


@pytest.mark.parametrize("rule", [SGD, Adam, fused])
def test_a_run_that_is_not_alive_stands_still(rule):
    stack = gradients(99)
    mine, others = rule(stack, RATES + 1.0), torch.tensor([True, False, True, True])
    mine.step(gradients(9), ALIVE)
    before = stack.clone()
    for step in range(3):
        mine.step(gradients(step) * others[:, None], others)  # a frozen run has zero gradients, but an Adam's mean
    assert torch.equal(stack[1], before[1]) and (stack[[0, 2, 3]] != before[[0, 2, 3]]).all()


def test_a_fused_step_is_one_kernel_for_all_runs_of_one_rate():
    for rates, calls in ((RATES, 4), (torch.full((4,), 0.1), 1)):
        rule, gradient = fused(torch.zeros(4, 30), rates), torch.ones(4, 30)
        with Counter() as counter:
            rule.step(gradient, ALIVE)
        assert counter.kernels == 2 + calls  # the count and the means are the others


class Recorder:
    """In the place of a rule: keeps the gradient that it is given."""

    def step(self, gradient, alive):
        self.gradient, self.alive = gradient, alive


def test_a_long_gradient_is_scaled_down_and_a_short_one_left():
    p = population([run(seed=s) for s in range(4)], optimiser={"clip": 2.0})
    rule, gradient = Recorder(), gradients(0) * torch.tensor([1e-3, 1.0, 100.0, 0.0])[:, None]
    norm = apply(p, rule, gradient, torch.zeros(4))
    torch.testing.assert_close(norm, gradient.norm(dim=1))  # the norm before clipping is what is recorded
    torch.testing.assert_close(rule.gradient[[0, 3]], gradient[[0, 3]])
    torch.testing.assert_close(rule.gradient[1:3].norm(dim=1), torch.tensor([2.0, 2.0]))
    torch.testing.assert_close(rule.gradient[2] / rule.gradient[2].norm(), gradient[2] / gradient[2].norm())


def test_without_a_clip_every_gradient_is_left():
    p, rule, gradient = population([run(seed=s) for s in range(4)]), Recorder(), gradients(0, 1e6)
    apply(p, rule, gradient, torch.zeros(4))
    assert torch.equal(rule.gradient, gradient)


@pytest.mark.parametrize("value, gradient", [(math.nan, 1.0), (math.inf, 1.0), (0.0, math.nan), (0.0, 1e30)])
def test_a_value_or_gradient_that_is_not_finite_freezes_its_run_alone(value, gradient):
    p, rule, stack = population([run(seed=s) for s in range(4)]), Recorder(), gradients(0)
    stack[2, 5] = gradient
    apply(p, rule, stack, torch.tensor([0.0, 0.0, value, 0.0]))
    assert p.alive.tolist() == rule.alive.tolist() == [True, True, False, True]
    assert not rule.gradient[2].any() and torch.equal(rule.gradient[[0, 1, 3]], stack[[0, 1, 3]])
    apply(p, rule, gradients(1), torch.zeros(4))
    assert p.alive.tolist() == [True, True, False, True]  # for good


class Poison:
    """An observer that makes one weight of one run NaN after a step, and keeps the parameters of every entry."""

    def __init__(self, after, which):
        self.after, self.which, self.entries = after, which, []

    def __call__(self, p):
        self.entries.append((p.theta.clone(), p.omega.clone()))
        if len(self.entries) == self.after:
            p.omega[self.which, 0] = math.nan
        return {}


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_run_that_becomes_non_finite_is_frozen_and_reported_at_its_step(kind):
    optimiser = {"kind": kind, "generator": 0.01, "variational": 0.01}
    p, poison = driven(FIVE, optimiser=optimiser), Poison(after=7, which=1)
    _, history, diverged = train(p, poison)
    assert diverged.isnan().tolist() == [True, False, True, True, True] and diverged[1] == 8
    before, last = poison.entries[6][0], poison.entries[-1][0]
    assert torch.equal(last[1], before[1]) and last.isfinite().all()  # G as it was before the poison
    assert history["F"][7:, 1].isnan().all()

    healthy = driven(FIVE, optimiser=optimiser)
    undisturbed, _ = trained(healthy)
    others = [0, 2, 3, 4]
    assert torch.equal(history["F"][:, others], undisturbed["F"][:, others])
    assert torch.equal(p.theta[others], healthy.theta[others]) and torch.equal(p.omega[others], healthy.omega[others])


def test_a_huge_rate_is_frozen_with_finite_parameters():
    optimiser = {"kind": "sgd", "generator": 1e6, "variational": 1e6}
    p = driven([run("kl"), run("pearson"), run("reverse_kl", "alternative")], optimiser=optimiser)
    poison = Poison(after=-1, which=0)
    _, _, diverged = train(p, poison)
    assert diverged.isfinite().all() and (diverged >= 2).all() and not p.alive.any()
    assert p.theta.isfinite().all() and p.omega.isfinite().all()
    for r, step in enumerate(diverged.int().tolist()):
        for theta, omega in poison.entries[step - 1 :]:
            assert torch.equal(theta[r], p.theta[r]) and torch.equal(omega[r], p.omega[r])


def test_a_healthy_population_reports_no_step():
    p = population(FIVE)
    _, _, diverged = train(p, nothing)
    assert diverged.isnan().all() and p.alive.all()
