"""Vanishing: the generator's gradient after V has learned to tell real from generated.

First on images, for fixed generators that were trained for a while; then between two Gaussians, without training.
"""

import math

import torch

from fgan import targets
from fgan.divergences import DIVERGENCES
from fgan.engine import networks
from fgan.engine.population import seeded

from . import separation, theorems
from .snapshot import LARGEST, Snapshot, accuracy, log_norm, watched

QUARTILES = torch.tensor([0.5, 0.25, 0.75], dtype=torch.float64)


def population(settings, runs, device="cpu", data=None):
    images = targets.of(settings, device, data)
    # If the generator's learning rate is 0, it stays as it was trained before, and only V is trained.
    return Snapshot(runs, images, *networks.of(settings, images.dimension), settings, device)


def observe(population):
    return watched(population)


def slope(x, y, kept):
    """Least-squares slope in x of each column of y [entries, runs], over the entries that are `kept`.

    NaN for fewer than three such entries, or where x stays the same.
    """
    count = kept.sum(dim=0).clamp(min=1)
    x, y = (values.expand_as(kept).double() for values in (x, y))
    x, y = (torch.where(kept, v - torch.where(kept, v, 0).sum(dim=0) / count, 0) for v in (x, y))
    found = (x * y).sum(dim=0) / x.square().sum(dim=0)
    return found.where(kept.sum(dim=0) >= 3, torch.nan)


def fall(path):
    """From the largest of each run's values [entries, runs] to the median of their last tenth [runs]."""
    return path[-max(1, len(path) // 10) :].median(dim=0).values - path.max(dim=0).values


def energy_distance(samples, images):
    """2 E|x - y| - E|x - x'| - E|y - y'| of each run [runs], for samples x [runs, n, d] and images y [m, d].

    0 for equal distributions; pairs of a point with itself are included. It depends on no variational network.
    Source: Szekely and Rizzo 2013.
    """
    apart = lambda x, y: torch.cdist(x, y).mean()
    among = apart(images, images)
    # One run at a time, because a stacked product's last bits depend on the other runs.
    return torch.stack([2 * apart(x, images) - apart(x, x) - among for x in samples])


@torch.no_grad()
def evaluate(population, steps, history):
    """The gradients over the training (log10), F and accuracy at the end, and G's progress since its snapshot."""
    tail, n_runs, metrics = max(1, len(steps) // 10), population.n_runs, {}
    ratio, time = history["ratio"], torch.tensor(steps, device=population.device).double()[:, None]
    published = population.settings["measure"]["published"]
    early = sum(step <= published for step in steps)
    moving = ~(time >= population.diverged_at[:n_runs])  # a run that has diverged is frozen, and its slope ends there
    known = ratio < math.log10(population.settings["measure"]["known"])
    for name in separation.OBJECTIVES:
        path = log_norm(history["gradient", name])
        first, largest = path[0], path.max(dim=0).values
        late = path[-tail:].median(dim=0).values  # single batches scatter over orders of magnitude
        metrics |= {("first gradient", name): first, ("largest gradient", name): largest}
        metrics |= {("late gradient", name): late, ("gradient change", name): late - first}
        metrics["gradient fall", name] = fall(path)
        metrics["gradient fall", f"{name}, {published:,} steps"] = fall(path[:early])
        finite = moving & (path.abs() < LARGEST)
        metrics["decades per decade", name] = slope(time.log10(), path, finite)
        metrics["exponent", name] = slope(ratio, path, finite & known & (ratio > -LARGEST))
    metrics["exponent", "difference"] = metrics["exponent", "saddle"] - metrics["exponent", "alternative"]
    metrics["late ratio"] = ratio[-tail:].median(dim=0).values

    limits = [separation.limit(DIVERGENCES[run.divergence]) for run in population.runs[:n_runs]]
    metrics["F to its limit"] = torch.tensor(limits, device=population.device) - history["fresh F"][-1]
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    test = population.target.test[: samples.shape[1]]
    draws = [population.noise((len(test),), seeded(population.device, s, "held out")) for s in population.streams]
    v_fake = population.judge(population.generate(population.spread(torch.stack(draws))))
    v_test = population.judge(test.expand(len(population.runs), -1, -1))
    metrics["held-out accuracy"] = accuracy(population, v_test, v_fake)[:n_runs]
    metrics["distance"] = energy_distance(samples, test)
    theta = population.theta.clone()
    population.theta.copy_(population.start)
    before = population.sample(population.settings["measure"]["samples"], "evaluation")
    population.theta.copy_(theta)
    metrics["learnt"] = 1 - metrics["distance"] / energy_distance(before, test)
    return metrics, {}


def baselines(settings, data=None):
    """Closed forms of every divergence, and its gradients between two Gaussians that move apart.

    For each way to compute the gradient, curve/<way> [3, divergences, objectives, separations] holds log10 of the
    median and quartiles of its size.
    """
    measure, rows, curves = settings["measure"], [], {}
    generator = seeded("cpu", "vanishing", "batches")
    z = torch.randn((measure["batches"], measure["batch"]), generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand((measure["batches"], 1), generator=generator, dtype=torch.float64)
    for name, divergence in DIVERGENCES.items():
        rows += [(sampler, name, 0, metrics) for sampler, metrics in separation.closed_forms(divergence).items()]
        for d in map(float, measure["separations"]):
            for (way, objective), values in separation.gradients(divergence, d, z, phase, measure).items():
                quartiles = torch.quantile(values.abs(), QUARTILES)
                curves.setdefault(way, []).append(quartiles)
                metrics, rule = {"gradient": quartiles[0]}, f"{objective}, d = {d:g}"
                if way == "noisy V":
                    metrics["gradient scatter"] = values.std() / quartiles[0].clamp(min=1e-300)
                if d in measure["listed"]:
                    rows.append((way, name, 0, {(metric, rule): value for metric, value in metrics.items()}))
    rows += theorems.rows(measure, z)
    shape = (len(DIVERGENCES), len(measure["separations"]), len(separation.OBJECTIVES), 3)
    arrays = {way: log_norm(torch.stack(values)).view(shape).permute(3, 0, 2, 1) for way, values in curves.items()}
    return rows, {f"curve/{way}": array.numpy() for way, array in arrays.items()}
