"""Discrete: a categorical generator with a known target, under estimators that do and do not pass a gradient."""

from itertools import groupby

import torch

from fgan.divergences import DIVERGENCES
from fgan.engine.networks import Network, mlp
from fgan.engine.population import seeded

from .categorical import Categorical, Logits, Table, estimates, exact_gradient


def population(settings, runs, device="cpu", data=None):
    p = Table(settings["target"]["probabilities"], device)
    variational = mlp(p.dimension, 1, **settings["variational"])
    return Categorical(runs, p, Network(Logits(p.dimension)), variational, settings, device)


def distances(names, p, q):
    """D_f(P||Q) of each run's own divergence, and total variation and KL for all; [runs] for q [runs, K], float64."""
    one = torch.ones((), dtype=q.dtype)

    def between(name, q):
        divergence = DIVERGENCES[name]
        return (q * divergence.f(p / q)).sum(dim=-1) - divergence.f(one)  # GAN's f(1) is not 0

    groups = [(name, len(list(same))) for name, same in groupby(names)]
    parts = q.split([length for _, length in groups])
    each = [between(name, part) for (name, _), part in zip(groups, parts, strict=True)]
    return {"D_f": torch.cat(each), "TV": between("total_variation", q), "KL": between("kl", q)}


def exact(population):
    """The distances of a population's own runs."""
    names = [run.divergence for run in population.runs[: population.n_runs]]
    return distances(names, population.target.p, population.q())


def observe(population):
    return {f"watched {name}": values for name, values in exact(population).items()}


def gradients(population, draws):
    """Bias and standard deviation of the estimator's gradient over the norm of the exact one, and the bias that chance
    alone leaves after `draws` batches; each [runs]."""
    n_runs = population.n_runs
    every, true = estimates(population, draws)[:, :n_runs], exact_gradient(population)[:n_runs]
    mean, norm = every.mean(dim=0), true.norm(dim=-1)
    spread = (every - mean).square().sum(dim=-1).mean(dim=0).sqrt()
    bias, chance = (mean - true).norm(dim=-1), spread / draws**0.5
    return {
        "bias": bias / norm, "noise": spread / norm, "chance": chance / norm, "bias over chance": bias / chance,
        "cosine": torch.cosine_similarity(mean, true, dim=-1),
    }  # fmt: skip


def evaluate(trained, steps, history):
    """Exact distances at the end, how far theta has moved, and the estimator at the start and at the end."""
    measure, metrics = trained.settings["measure"], exact(trained)
    start = population(trained.settings, trained.runs[: trained.n_runs], trained.device)
    metrics["relative D_f"] = metrics["D_f"] / exact(start)["D_f"]
    metrics["moved"] = (trained.theta - start.theta)[: trained.n_runs].detach().abs().amax(dim=1)
    metrics["categories"] = (trained.q() >= measure["covered"] * trained.target.p).sum(dim=-1)
    # At the start G is uniform. V is the trained one, because an untrained V's gradient does not depend on the data.
    start.omega.data.copy_(trained.omega.data)
    for place, at in (("start", start), ("end", trained)):
        metrics |= {(name, place): values for name, values in gradients(at, measure["draws"]).items()}
    metrics["path"] = torch.full_like(metrics["D_f"], float(trained.passes()))
    return metrics, {"q": trained.q().float()}


def baselines(settings, data=None):
    """Without training: the uniform distribution, and the frequencies of many draws of P."""
    table, measure, every = Table(settings["target"]["probabilities"]), settings["measure"], list(DIVERGENCES)
    uniform = torch.full_like(table.p, 1 / table.dimension).expand(len(every), -1)
    values = zip(every, distances(every, table.p, uniform)["D_f"], strict=True)
    rows = [("uniform", name, 0, {"D_f": value}) for name, value in values]
    for seed in range(measure["baseline_seeds"]):
        drawn = table.draw((measure["sample"],), seeded("cpu", "discrete", "baseline", seed))
        q = (torch.bincount(drawn, minlength=table.dimension) + 0.5).double()
        apart = distances(["kl"], table.p, (q / q.sum())[None])
        rows.append(("frequencies", "", seed, {metric: apart[metric] for metric in ("TV", "KL")}))
    return rows, {"p": table.p.float()}
