"""Bound: the gap between the maximum of F over V and D_f(P||Q), for a fixed Q, on fresh and on finite samples."""

from functools import partial

import torch

from fgan import targets
from fgan.divergences import DIVERGENCES
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.targets.mixtures import Mixture

from . import estimates, parameters, quadrature
from .estimates import by_divergence
from .quadrature import Densities


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    # The generator's learning rate is 0: Q stays fixed, and only V is trained.
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


@torch.no_grad()
def output(population, x):
    """V [runs, points] at the points x [points], in float64 so that rounding is not taken for a gap."""
    views = [view.double() for view in population.omega_views]
    return population.variational(views, x[None, :, None].expand(len(population.runs), -1, 1)).squeeze(-1)


def on_grid(population, points):
    """P and Q on a grid of `points` points, and V there [runs, points]."""
    densities = Densities.of(population.target, *population.settings["start"], points)
    return densities, output(population, densities.x)


def observe(population):
    densities, v = on_grid(population, population.settings["measure"]["watched"])
    return {"watched F": by_divergence(population, densities.value, v)}


def evaluate(population, steps, history):
    """F of the last V, exactly and on samples, and its late growth; and the T and the ratio that V implies."""
    measure, runs = population.settings["measure"], population.runs[: population.n_runs]
    densities, v = on_grid(population, measure["points"])
    value = by_divergence(population, densities.value, v)
    spread = by_divergence(population, densities.spread, v)
    known = lambda number: value.new_tensor([number(DIVERGENCES[run.divergence]) for run in runs])
    supremum, constant = known(densities.supremum), known(quadrature.constant)
    metrics = {
        "D_f": supremum, "exact F": value, "gap": supremum - value, "spread": spread,
        "recovered": (value - constant) / (supremum - constant),  # share of D_f beyond the best constant V
        "ratio error": by_divergence(population, partial(densities.ratio_error, largest=measure["cut"]), v),
        "wrong side": by_divergence(population, densities.wrong_side, v),
        "raw outside": by_divergence(
            population, lambda d, rows: densities.mean_of_both(parameters.outside(d, rows).double()), v
        ),
    }  # fmt: skip
    metrics |= estimates.evaluate(population, value, spread)

    # F still grows if its mean over the last fifth of the training exceeds that around the middle.
    path, entries = history["watched F"], len(steps)
    late = path[-max(1, entries // 5) :].mean(dim=0)
    middle = path[int(0.4 * entries) : max(1, int(0.6 * entries))].mean(dim=0)
    metrics |= {"late growth": (late - middle) / (middle - constant).abs(), "late F": late}
    # F of a T* that is free only near P: if the divergence is infinite, training passes these levels one by one.
    levels = [known(partial(densities.free, reach=width * float(densities.tails[0]))) for width in measure["levels"]]
    metrics |= {("level", f"{width:g} sd"): level for width, level in zip(measure["levels"], levels, strict=True)}
    metrics["above level"] = late - levels[0]
    # The best V of the training, which can be chosen only by the exact F.
    best = path.nan_to_num(nan=-torch.inf).max(dim=0)
    metrics |= {"best exact F": best.values, "best recovered": (best.values - constant) / (supremum - constant)}
    metrics["best step"] = torch.tensor(steps, device=path.device)[best.indices]

    x = torch.linspace(*measure["shown"], measure["shown_points"], dtype=torch.float64, device=population.device)
    v, cut = output(population, x), measure["cut"]
    curves = {"T": by_divergence(population, lambda d, rows: d.activation(rows), v)}
    curves["log ratio"] = by_divergence(population, quadrature.log_ratio, v).clamp(-cut, cut)
    return metrics, curves


def baselines(settings, data=None):
    """Without training, for every divergence: D_f, F of the free T*, of the best constant V and of the best line.

    Beside them what g_f does for the domain of f*, and whether F has the gradients that both players follow.
    """
    measure, p, (mu, sigma) = settings["measure"], targets.of(settings), settings["start"]
    densities, rows = Densities.of(p, mu, sigma, measure["points"]), []
    for name, divergence in DIVERGENCES.items():
        supremum, constant = densities.supremum(divergence), quadrature.constant(divergence)
        line = densities.best_line(divergence)
        rows += [
            ("free T", name, 0, {"D_f": supremum, "gap": supremum - densities.free(divergence)}),
            ("constant V", name, 0, {"exact F": constant}),
            ("best line", name, 0, {"exact F": line, "recovered": (line - constant) / (supremum - constant)}),
        ]
        checked = parameters.measured(divergence, densities, mu, sigma)
        rows += [(t, name, 0, {key: float(value) for key, value in own.items()}) for t, own in checked.items()]
    x = torch.linspace(*measure["shown"], measure["shown_points"], dtype=torch.float64)
    log_p, log_q = p.log_density(x[:, None]), Mixture([1.0], [mu], [sigma**2]).log_density(x[:, None])
    return rows, {"shown/x": x, "shown/p": log_p.exp(), "shown/q": log_q.exp(), "shown/log ratio": log_p - log_q}
