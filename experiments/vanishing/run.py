"""Vanishing: what is left of the generator's gradient when V has learned to tell real from generated.

First on images, for generators that were trained for a while and stay; then between two Gaussians, without training.
"""

import math

import torch

from fgan.divergences import DIVERGENCES
from fgan.metrics import separation
from fgan.metrics.energy import energy_distance
from fgan.networks import mlp
from fgan.population import seeded
from fgan.snapshot import Snapshot, accuracy, watched

OBJECTIVES = ("saddle", "alternative")
LARGEST = 300.0  # |log10| of a norm beyond which it counts as this: float64 ends at 308


def population(settings, runs, device="cpu", data=None):
    images = data.to(device)
    generator = mlp(settings["noise"]["dimension"], images.dimension, **settings["generator"])
    variational = mlp(images.dimension, 1, **settings["variational"])
    # Where the generator's learning rate is 0 it stays as it was trained before, and V alone climbs.
    return Snapshot(runs, images, generator, variational, settings, device)


def observe(population):
    return watched(population)


def log_norm(norms):
    return norms.log10().clamp(-LARGEST, LARGEST)


@torch.no_grad()
def evaluate(population, steps, history):
    """The way of the gradients, F and accuracy at the end, and what the generator has learnt since its snapshot."""
    tail, metrics = max(1, len(steps) // 10), {}
    for name in OBJECTIVES:
        path = log_norm(history[f"gradient {name}"])
        late = path[-tail:].median(dim=0).values  # single batches scatter over orders of magnitude
        metrics |= {f"{name} first": path[0], f"{name} largest": path.max(dim=0).values, f"{name} late": late}
        metrics |= {f"{name} change": late - path[0], f"{name} fall": late - metrics[f"{name} largest"]}

    limits = [separation.limit(DIVERGENCES[run.divergence]) for run in population.runs[: population.wanted]]
    metrics["F to its limit"] = torch.tensor(limits, device=population.device) - history["fresh F"][-1]
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    test = population.target.test[: samples.shape[1]]
    draws = [population.noise((len(test),), seeded(population.device, s, "held out")) for s in population.streams]
    v_fake = population.judge(population.generate(population.spread(torch.stack(draws))))
    v_test = population.judge(test.expand(len(population.runs), -1, -1))
    metrics["held-out accuracy"] = accuracy(population, v_test, v_fake)[: population.wanted]

    metrics["distance"] = energy_distance(samples, test)
    metrics["learnt"] = 1 - metrics["distance"] / energy_distance(snapshot_samples(population), test)
    return metrics, {}


def snapshot_samples(population):
    """The same noise through the generators as they were before V's training [runs, n, d]."""
    now = population.theta.clone()
    population.theta.copy_(population.start)
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    population.theta.copy_(now)
    return samples


def baselines(settings, data=None):
    """Gaussians that move apart, for every divergence: the exact gradient, a batch's, and those of a V with errors.

    Gradients are kept as log10 of their absolute value, in arrays [divergences, objectives, separations].
    """
    measure, rows, curves = settings["measure"], [], {}
    generator = seeded("cpu", "vanishing", "batches")
    z = torch.randn((measure["batches"], measure["batch"]), generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand((measure["batches"], 1), generator=generator, dtype=torch.float64)
    for name, divergence in DIVERGENCES.items():
        rows.append((name, 0, "limit of F", separation.limit(divergence)))
        rows += [(name, 0, f"exponent {o}", k) for o, k in separation.exponents(divergence).items()]
        apart = {c: separation.uniform(divergence, c) for c in (0.25, 0.75, 1.5, 2.0)}
        rows += [(name, 0, f"uniform D_f at {c:g}", value) for c, value in apart.items()]
        rows.append((name, 0, "uniform slope together", (apart[0.75] - apart[0.25]) / 0.5))
        rows.append((name, 0, "uniform slope apart", (apart[2.0] - apart[1.5]) / 0.5))  # undefined where infinite
        rows.append((name, 0, "uniform infinite", float(math.isinf(apart[2.0]))))
        for d in map(float, measure["separations"]):
            found = {"exact": separation.exact(divergence, d)}
            found["shrunk"] = separation.exact(divergence, d, measure["shrink"])
            ways = {"batch": separation.optimal(d, d + z)}
            ways["noisy"] = separation.noisy(d, d + z, measure["error"], measure["wave"], phase)
            for way, v in ways.items():
                for o, values in separation.through(divergence, *v).items():
                    quartiles = torch.quantile(values.abs(), torch.tensor([0.5, 0.25, 0.75], dtype=torch.float64))
                    for label, value in zip(("", " lower", " upper"), quartiles.tolist(), strict=True):
                        found.setdefault(way + label, {})[o] = value
                    found.setdefault(f"{way} sd", {})[o] = float(values.std())
            for way, values in found.items():
                curves.setdefault(way, []).append([values[o] for o in OBJECTIVES])
                if d in measure["listed"]:
                    rows += [(name, 0, f"{o} {way} at {d:g}", value) for o, value in values.items()]
            if d in measure["listed"]:
                rows += [(name, 0, f"{o} noisy excess at {d:g}", found["noisy sd"][o] / max(found["noisy"][o], 1e-300))
                         for o in OBJECTIVES]  # fmt: skip
    shape = (len(DIVERGENCES), len(measure["separations"]), len(OBJECTIVES))
    curves = {f"curve/{way}": log_norm(torch.tensor(values, dtype=torch.float64)).view(shape).mT.numpy()
              for way, values in curves.items()}  # fmt: skip
    return rows, curves
