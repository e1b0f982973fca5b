"""Discrete: a categorical generator with a known target, under estimators that do and do not pass a gradient."""

import torch

from fgan.categorical import Categorical, Logits, Table, estimates, exact_gradient
from fgan.divergences import DIVERGENCES
from fgan.networks import Network, mlp
from fgan.population import seeded


def population(settings, runs, device="cpu", data=None):
    p = Table(settings["target"]["probabilities"], device)
    variational = mlp(p.dimension, 1, **settings["variational"])
    return Categorical(runs, p, Network(Logits(p.dimension)), variational, settings, device)


def distances(names, p, q):
    """D_f(P||Q) of each run's own divergence, and total variation and KL for all; [runs] for q [runs, K], float64."""
    one = torch.ones((), dtype=q.dtype)

    def between(name, own):
        divergence = DIVERGENCES[name]
        return (own * divergence.f(p / own)).sum(dim=-1) - divergence.f(one)  # GAN's f(1) is not 0

    own = torch.stack([between(name, row) for name, row in zip(names, q, strict=True)])
    return {"D_f": own, "TV": between("total_variation", q), "KL": between("kl", q)}


def names(population):
    return [run.divergence for run in population.runs[: population.wanted]]


def observe(population):
    found = distances(names(population), population.target.p, population.q())
    return {f"watched {name}": values for name, values in found.items()}


def gradients(trained, draws):
    """Bias and standard deviation of the estimator's gradient against its exact value's norm, and the bias that
    chance alone would give so many draws; each [runs]."""
    found, exact = estimates(trained, draws)[:, : trained.wanted], exact_gradient(trained)[: trained.wanted]
    mean, norm = found.mean(dim=0), exact.norm(dim=-1)
    spread = (found - mean).square().sum(dim=-1).mean(dim=0).sqrt()
    bias, chance = (mean - exact).norm(dim=-1), spread / draws**0.5
    return {"bias": bias / norm, "noise": spread / norm, "chance": chance / norm, "bias over chance": bias / chance,
            "cosine": torch.cosine_similarity(mean, exact, dim=-1)}  # fmt: skip


def evaluate(trained, steps, history):
    """Exact distances at the end, how far theta has moved, and the estimator at the start and at the end."""
    p, q, wanted, measure = trained.target.p, trained.q(), trained.wanted, trained.settings["measure"]
    metrics = distances(names(trained), p, q)
    start = population(trained.settings, trained.runs, trained.device)
    before = distances(names(trained), p, start.q())
    metrics["relative D_f"] = metrics["D_f"] / before["D_f"]
    metrics["moved"] = (trained.theta - start.theta)[:wanted].detach().abs().amax(dim=1)
    metrics["categories"] = (q >= measure["covered"] * p).sum(dim=-1)
    # At the start G is uniform; V is the trained one, or its gradient would say nothing of the data.
    start.omega.data.copy_(trained.omega.data)
    for place, at in (("start", start), ("end", trained)):
        metrics |= {f"{name} [{place}]": values for name, values in gradients(at, measure["draws"]).items()}
    metrics["path"] = torch.full((wanted,), float(trained.passes()), device=q.device)
    return metrics, {"q": q.float()}


def baselines(settings, data=None):
    """Without training: the uniform distribution, and the frequencies of as many draws of P as a batch has."""
    table, rows, every = Table(settings["target"]["probabilities"]), [], list(DIVERGENCES)
    uniform = torch.full_like(table.p, 1 / table.dimension)
    for name, value in zip(every, distances(every, table.p, uniform.expand(len(every), -1))["D_f"], strict=True):
        rows.append((f"uniform, {name}", 0, "D_f", float(value)))
    for seed in range(settings["measure"]["baseline_seeds"]):
        drawn = table.draw((settings["measure"]["sample"],), seeded("cpu", "discrete", "baseline", seed))
        q = (torch.bincount(drawn, minlength=table.dimension) + 0.5).double()
        found = distances(["kl"], table.p, (q / q.sum())[None])
        rows += [("frequencies", seed, metric, float(found[metric])) for metric in ("TV", "KL")]
    return rows, {"p": table.p.float()}
