"""Unrolling: G's loss is evaluated at V as it will be after a few updates."""

import torch

from fgan.engine.optimisers import Adam
from fgan.engine.population import per_run
from fgan.remedies.base import Remedy

TINY = 1e-24  # the root of an exact zero has no derivative


class Unrolling(Remedy):
    """G's loss is taken at V_k, after `steps` updates by V's own optimiser, and G's gradient flows through them all.

    theta <- theta - rate d/dtheta F(theta, omega_k(theta)); the alternative objective takes V_k in its own loss. The
    updates see the step's samples; V itself then moves by one ordinary update. Source: Metz et al. 2017, eq. 7 to 9.
    """

    def __init__(self, steps):
        self.steps = steps

    def ahead(self, population, play, loss):
        views, move = population.omega_views, ascent(population)
        for _ in range(self.steps):
            objective = play(views)[2]
            gradients = torch.autograd.grad(objective.sum(), views, create_graph=True)
            views = [view + update for view, update in zip(views, move(gradients), strict=True)]
        value, loss, _ = play(views)
        # After the updates V depends on G, and so does F's data term: the saddle objective minimises it too.
        return torch.where(population.saddle, value, loss)


def ascent(population):
    """A function from V's gradients, one tensor for each of its views, to the updates of its optimiser."""
    optimiser, views = population.omega_optimiser, population.variational.views
    rates = [per_run(optimiser.rate, view) for view in population.omega_views]
    if not isinstance(optimiser, Adam):
        return lambda gradients: [rate * gradient for rate, gradient in zip(rates, gradients, strict=True)]
    beta1, beta2 = optimiser.betas
    means, squares, steps = views(optimiser.mean.clone()), views(optimiser.square.clone()), optimiser.steps.double()

    def move(gradients):
        nonlocal means, squares, steps
        steps = steps + 1
        means = [mean.lerp(gradient, 1 - beta1) for mean, gradient in zip(means, gradients, strict=True)]
        squares = [beta2 * old + (1 - beta2) * new.square() for old, new in zip(squares, gradients, strict=True)]
        root = (1 - beta2**steps).sqrt()
        scale, shift = (value.to(means[0].dtype) for value in (root / (1 - beta1**steps), 1e-8 * root))
        return [
            rate * scale * mean / ((square + TINY).sqrt() + shift)
            for rate, mean, square in zip(rates, means, squares, strict=True)
        ]

    return move
