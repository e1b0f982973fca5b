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
        views, move = population.omega_views, descent(population)
        for _ in range(self.steps):
            gradients = torch.autograd.grad(-play(views)[2].sum(), views, create_graph=True)
            views = [view - update for view, update in zip(views, move(gradients), strict=True)]
        value, loss, _ = play(views)
        # After the updates V depends on G, and so does F's data term: the saddle objective minimises it too.
        return torch.where(population.saddle, value, loss)


def descent(population):
    """A function from the gradients of what V's optimiser descends, -F, to its updates, a tensor for each view of V.

    It continues from the optimiser's state, whose mean is an average of gradients of -F as well, and clips as it does.
    """
    optimiser, views, limit = population.omega_optimiser, population.variational.views, population.clip
    rates = [per_run(optimiser.rate, view) for view in population.omega_views]
    adam = Moments(optimiser, views) if isinstance(optimiser, Adam) else None

    def move(gradients):
        if limit:
            square = sum(gradient.square().flatten(1).sum(dim=1) for gradient in gradients)
            factor = limit / square.clamp(min=limit**2).sqrt()
            gradients = [gradient * per_run(factor, gradient) for gradient in gradients]
        updates = adam(gradients) if adam else gradients
        return [rate * update for rate, update in zip(rates, updates, strict=True)]

    return move


class Moments:
    """Adam's updates at rate 1, differentiable, from a copy of the state that an optimiser has now."""

    def __init__(self, optimiser, views):
        self.betas, self.steps = optimiser.betas, optimiser.steps.double()
        self.means, self.squares = views(optimiser.mean.clone()), views(optimiser.square.clone())

    def __call__(self, gradients):
        beta1, beta2 = self.betas
        self.steps = self.steps + 1
        self.means = [old.lerp(new, 1 - beta1) for old, new in zip(self.means, gradients, strict=True)]
        self.squares = [
            beta2 * old + (1 - beta2) * new.square() for old, new in zip(self.squares, gradients, strict=True)
        ]
        root = (1 - beta2**self.steps).sqrt()
        scale, shift = (value.to(gradients[0].dtype) for value in (root / (1 - beta1**self.steps), 1e-8 * root))
        both = zip(self.means, self.squares, strict=True)
        return [scale * mean / ((square + TINY).sqrt() + shift) for mean, square in both]
