"""F of a trained V on samples: on its training sample, and on points that it never saw."""

import torch

from fgan.engine.population import seeded

PIECE = 8192  # points that V sees at once


def by_divergence(population, function, *stacks):
    """function(divergence, its rows of each stack [runs, ...]), joined again to [runs, ...]."""
    parts = [function(d, *(stack[first:last] for stack in stacks)) for d, first, last, _ in population.slices]
    return torch.cat(parts)[: population.n_runs]


@torch.no_grad()
def terms(population, data, noise):
    """g_f(V) on data and f*(g_f(V)) on fakes made from noise [streams, points, 1]: each [runs, points], float64."""
    pieces = [], []
    for x, z in zip(data.split(PIECE, dim=1), noise.split(PIECE, dim=1), strict=True):
        x, fake = population.spread(x), population.generate(population.spread(z))
        real, model = (population.judge(points).squeeze(-1).double() for points in (x, fake))
        pieces[0].append(by_divergence(population, lambda d, v: d.activation(v), real))
        pieces[1].append(by_divergence(population, lambda d, v: d.conjugate_of_activation(v), model))
    return [torch.cat(piece, dim=1) for piece in pieces]


def evaluate(population, value, spread):
    """Metrics [runs] of the estimates, from the exact F(V) `value` and the `spread` of an estimate of two points."""
    measure = population.settings["measure"]

    # The sample of the first step, which `fresh: false` makes the sample of every step.
    data, noise = population.draws(0, 1, 1)
    real, fake = terms(population, data[:, 0, 0], noise[:, 0, 0])
    metrics = {"sample F": real.mean(dim=1) - fake.mean(dim=1)}

    # A large sample that V never saw, cut into many of n points, tests whether their mean is F(V) and how they scatter.
    generators = [seeded(population.device, stream, "fresh") for stream in population.streams]
    data, noise = (
        torch.stack([draw((measure["fresh"],), generator) for generator in generators])
        for draw in (population.target.draw, population.noise)
    )
    real, fake = terms(population, data, noise)
    mean = real.mean(dim=1) - fake.mean(dim=1)
    metrics |= {"fresh F": mean, "fresh z": ((mean - value) / (spread / measure["fresh"] ** 0.5)).abs()}
    for n in measure["sizes"]:
        metrics["fresh sd", f"n = {n}"] = sd((real - fake).unflatten(1, (-1, n)).mean(dim=2))
    return metrics


def sd(x):
    """Standard deviation [runs] of x [runs, n]; torch's own adds up in another order if there is one run alone."""
    return ((x - x.mean(dim=1, keepdim=True)).square().mean(dim=1) * x.shape[1] / (x.shape[1] - 1)).sqrt()
