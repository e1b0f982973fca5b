"""Bound: how near the maximum of F over V comes to D_f(P||Q), for a Q that stays, on endless and on finite samples."""

import torch

from fgan.divergences import DIVERGENCES
from fgan.metrics import bound
from fgan.networks import Affine, Network, mlp
from fgan.population import Population, seeded
from fgan.targets.mixtures import Mixture

PIECE = 8192  # points that V sees at once


def target(settings, device="cpu"):
    return Mixture(**{k: v for k, v in settings["target"].items() if k != "kind"}, device=device)


def population(settings, runs, device="cpu", data=None):
    p = target(settings, device)
    # The generator's learning rate is 0: Q stays where it starts, and V alone climbs.
    return Population(
        runs, p, Network(Affine(settings["start"])), mlp(1, 1, **settings["variational"]), settings, device
    )


@torch.no_grad()
def judge(population, x):
    """V [runs, points] in float64 at the points x [points]: rounding must not pass for a gap."""
    views = [view.double() for view in population.omega_views]
    return population.variational(views, x[None, :, None].expand(len(population.runs), -1, 1)).squeeze(-1)


def by_divergence(population, function, *stacks):
    """function(divergence, its rows of each stack [runs, ...]), joined again to [runs, ...]."""
    parts = [function(d, *(stack[first:last] for stack in stacks)) for d, first, last, _ in population.slices]
    return torch.cat(parts)[: population.wanted]


def exact(population, points):
    """F(V) by quadrature [runs], and what it was made from: P and Q on a grid, and V there."""
    both = bound.pair(population.target, *population.settings["start"], points)
    v = judge(population, both.x)
    return by_divergence(population, lambda d, rows: bound.value(both, d, rows), v), both, v


def observe(population):
    return {"watched F": exact(population, population.settings["measure"]["watched"])[0]}


@torch.no_grad()
def terms(population, data, noise):
    """g_f(V) on data and f*(g_f(V)) on fakes made from noise [streams, points, 1]: each [runs, points], float64."""
    found = [], []
    for x, z in zip(data.split(PIECE, dim=1), noise.split(PIECE, dim=1), strict=True):
        x, fake = population.spread(x), population.generate(population.spread(z))
        real, model = (population.judge(points).squeeze(-1).double() for points in (x, fake))
        found[0].append(by_divergence(population, lambda d, v: d.activation(v), real))
        found[1].append(by_divergence(population, lambda d, v: d.conjugate_of_activation(v), model))
    return [torch.cat(pieces, dim=1) for pieces in found]


def fresh(population, n):
    """n points of P and of z that no step has seen, for every stream: [streams, n, 1] each."""
    generators = [seeded(population.device, stream, "fresh") for stream in population.streams]
    return [torch.stack([draw((n,), g) for g in generators]) for draw in (population.target.draw, population.noise)]


def evaluate(population, steps, history):
    """F of the last V: exactly, on the sample that it was trained on, and on samples that it never saw."""
    measure, wanted = population.settings["measure"], population.wanted
    value, both, v = exact(population, measure["points"])
    names = [run.divergence for run in population.runs[:wanted]]
    supremum = value.new_tensor([bound.supremum(both, name) for name in names])
    constant = by_divergence(population, lambda d, rows: d.f(rows.new_ones(len(rows))), v)
    spread = by_divergence(population, lambda d, rows: bound.spread(both, d, rows), v)
    metrics = {
        "D_f": supremum, "exact F": value, "gap": supremum - value, "spread": spread,
        "recovered": (value - constant) / (supremum - constant),  # of what the best constant V leaves
        "ratio error": by_divergence(population, lambda d, rows: bound.distance(both, d, rows, measure["cut"]), v),
        "wrong side": by_divergence(population, lambda d, rows: bound.wrong_side(both, d, rows), v),
    }  # fmt: skip

    # The sample of the first step, which `fresh: false` makes the sample of every step.
    data, noise = population.draws(0, 1, 1)
    real, fake = terms(population, data[:, 0, 0], noise[:, 0, 0])
    metrics["sample F"] = real.mean(dim=1) - fake.mean(dim=1)

    # One large sample that V never saw, cut into many of n points: is their mean F(V), and how far do they scatter?
    real, fake = terms(population, *fresh(population, measure["fresh"]))
    metrics["fresh F"] = real.mean(dim=1) - fake.mean(dim=1)
    metrics["fresh z"] = ((metrics["fresh F"] - value) / (spread / measure["fresh"] ** 0.5)).abs()
    for n in measure["sizes"]:
        metrics[f"fresh sd {n}"] = (real - fake).unflatten(1, (-1, n)).mean(dim=2).std(dim=1)

    # Whether F still grows: its mean over the last fifth of the training, against that around the middle.
    path, entries = history["watched F"], len(steps)
    late = path[-max(1, entries // 5) :].mean(dim=0)
    middle = path[int(0.4 * entries) : max(1, int(0.6 * entries))].mean(dim=0)
    metrics |= {"late growth": (late - middle) / (middle - constant).abs(), "late F": late}
    # What T* reaches that is free near P alone: levels that an infinite divergence leaves behind one by one.
    sd = float(both.tails[0])
    for width in measure["levels"]:
        level = [bound.free(both, DIVERGENCES[name], width * sd) for name in names]
        metrics[f"level {width:g} sd"] = value.new_tensor(level)
    metrics["above level"] = late - metrics[f"level {measure['levels'][0]:g} sd"]
    # The best V on the way, which only the exact F can choose.
    best = path.nan_to_num(nan=-torch.inf).max(dim=0)
    metrics |= {"best exact F": best.values, "best recovered": (best.values - constant) / (supremum - constant)}
    metrics["best entry"] = torch.tensor(steps, device=path.device)[best.indices]

    x = torch.linspace(*measure["shown"], measure["shown_points"], dtype=torch.float64, device=population.device)
    v = judge(population, x)
    shown = {"T": by_divergence(population, lambda d, rows: d.activation(rows), v)}
    shown["log ratio"] = by_divergence(population, bound.log_ratio, v).clamp(-measure["cut"], measure["cut"])
    return metrics, shown


def baselines(settings, data=None):
    """Without training, for every divergence: D_f, what the free T* loses to it, and what the best line reaches."""
    measure, rows = settings["measure"], []
    p, (mu, sigma) = target(settings), settings["start"]
    both = bound.pair(p, mu, sigma, measure["points"])
    for name, divergence in DIVERGENCES.items():
        supremum = bound.supremum(both, name)
        constant = divergence.f(torch.ones((), dtype=torch.float64)).item()
        line = bound.best_line(both, divergence)
        rows += [(name, 0, "D_f", supremum), (name, 0, "constant V", constant), (name, 0, "best line", line)]
        rows += [(name, 0, "lost by the free T", supremum - bound.free(both, divergence))]
        rows += [(name, 0, "best line recovered", (line - constant) / (supremum - constant))]
    x = torch.linspace(*measure["shown"], measure["shown_points"], dtype=torch.float64)
    log_p, log_q = p.log_density(x[:, None]), Mixture([1.0], [mu], [sigma**2]).log_density(x[:, None])
    return rows, {"shown/x": x, "shown/p": log_p.exp(), "shown/q": log_q.exp(), "shown/log ratio": log_p - log_q}
