"""Theorem 1 on a grid of random games, on games that violate its conditions, and in f-GAN's game at its solution."""

import itertools
import math

import torch

from fgan.divergences import DIVERGENCES

from . import games

ROUNDING = 1e-12  # of log J in a step: far above the rounding of float64, far below the measured changes
# Games whose paths are drawn: kind, condition, coupling, and the number of steps.
DRAWN = {
    "weak coupling": ("convex-concave", 10.0, 0.3, 1000),
    "strong coupling": ("convex-concave", 10.0, 3.0, 10000),
    "concave in omega": ("concave in omega", 10.0, 1.0, 1000),
    "bilinear": ("bilinear", 1.0, 1.0, 1000),
}
ENTRIES, PATHS = 200, 6  # of a drawn path, and paths of a game


def convex_concave(game, measure):
    """Metrics [draws] of strongly convex-concave games at the theorem's step delta/L.

    A fall is 1 - J_(t+1) / J_t: the promised one, delta^2/L, that of the worst step of all, that of the steps of the
    worst path on average, and that of a late step.
    """
    step, fall, iterations = game.delta / game.L, game.delta.square() / game.L, measure["iterations"]
    worst, late = games.worst_factor(game, step), games.late_factor(game, step)
    log = games.paths(game, step, measure["starts"], iterations)
    t = torch.arange(iterations + 1.0, dtype=torch.float64)[:, None, None]
    bound, mean = torch.log1p(-fall), log[-1].amax(dim=-1) / iterations
    above = log > t * bound[:, None] + ROUNDING * (1 + t)
    return {
        "step": step, "largest step over delta/L": games.largest_step(game) / step,
        "promised fall": fall, "worst fall": 1 - worst, "mean fall": 1 - mean.exp(), "late fall": 1 - late,
        "times faster, worst step": worst.log() / bound, "times faster, mean": mean / bound,
        "times faster, late step": late.log() / bound,
        "steps above the bound": above.sum(dim=(0, 2)), "excess over the bound": worst - (1 - fall),
    }  # fmt: skip


def misread(game):
    """The same games at step delta/L with L the Lipschitz constant of grad F, the largest eigenvalue of |H|."""
    step, fall = game.delta / game.L.sqrt(), game.delta.square() / game.L.sqrt()
    above = games.worst_factor(game, step) > 1 - fall + ROUNDING
    return {"above the bound": above, "diverges": games.late_factor(game, step) > 1}


def concave(game):
    """Metrics [...] of games that are strongly concave in omega alone, at the step delta/L of omega's block."""
    step = game.concavity / game.L
    worst, late = games.worst_factor(game, step), games.late_factor(game, step)
    largest = games.largest_step(game)
    return {"step": step, "worst factor": worst, "late factor": late, "converges": late < 1, "largest step": largest}


def bilinear(game, measure, relative):
    """Metrics [draws] of bilinear games at the step `relative` over the largest singular value of B."""
    step = relative / game.L.sqrt()
    log = games.paths(game, step, measure["starts"], measure["iterations"])
    growth = log[:, :, 0].diff(dim=0).exp()  # along the largest singular value: that start is the worst one
    error = (growth / (1 + relative**2) - 1).abs().amax(dim=0)
    rises = (log.diff(dim=0) > 0).all(dim=2).all(dim=0)
    return {"step": step, "growth": growth.mean(dim=0), "error of the growth": error, "diverges": rises}


def at_solution(name):
    """Metrics of f-GAN's own game at its solution for a divergence."""
    game = games.at_solution(name)
    flat, coupling = torch.linalg.eigvalsh(game.A).abs().amax() == 0, torch.linalg.matrix_norm(game.B, ord=2)
    return concave(game) | {"flat in theta": flat, "curvature": game.concavity, "coupling": coupling}


def of_every_game(measure):
    """{kind: metrics of stacks of games}, over couplings, dimensions and conditions (steps in bilinear games)."""
    stacks = {"convex-concave": [], "L of grad F": [], "concave in omega": [], "bilinear": []}
    for coupling, dimensions in itertools.product(measure["couplings"], measure["dimensions"]):
        for condition in measure["conditions"]:
            form = (condition, coupling, dimensions, measure["draws"])
            game = games.random_game("convex-concave", *form)
            stacks["convex-concave"].append(convex_concave(game, measure))
            stacks["L of grad F"].append(misread(game))
            metrics = concave(games.random_game("concave in omega", *form))
            metrics["largest step over delta/L"] = metrics["largest step"] / metrics["step"]
            stacks["concave in omega"].append(metrics)
        game = games.random_game("bilinear", 1.0, coupling, dimensions, measure["draws"])
        stacks["bilinear"] += [bilinear(game, measure, relative) for relative in measure["relative_steps"]]
    return stacks


SPREAD = {"least": torch.min, "median": torch.median, "most": torch.max}
# The numbers that the claims judge, over all games of a kind: {name: (function, metric)}.
SUMMARY = {
    "convex-concave": {
        "games": (torch.numel, "step"),
        "steps above the bound": (torch.sum, "steps above the bound"),
        "largest excess over the bound": (torch.max, "excess over the bound"),
        **{("times faster than the bound", rule): (f, "times faster, late step") for rule, f in SPREAD.items()},
        **{("largest step over delta/L", rule): (f, "largest step over delta/L") for rule, f in SPREAD.items()},
    },
    "L of grad F": {
        "games above the bound": (torch.sum, "above the bound"), "games that diverge": (torch.sum, "diverges"),
        "share above the bound": (torch.mean, "above the bound"), "share that diverges": (torch.mean, "diverges"),
    },
    "concave in omega": {
        "games": (torch.numel, "step"), "share that converges": (torch.mean, "converges"),
        ("largest step over delta/L", "least"): (torch.min, "largest step over delta/L"),
        ("worst factor", "most"): (torch.max, "worst factor"),
    },
    "bilinear": {
        "games": (torch.numel, "step"), "share that diverges": (torch.mean, "diverges"),
        "largest error of the growth": (torch.max, "error of the growth"),
    },
    "f-GAN": {"share flat in theta": (torch.mean, "flat in theta")},
    "f-GAN, all but total variation": {"share that converges": (torch.mean, "converges")},
}  # fmt: skip


def drawn(measure):
    """log10 J/J_0 [PATHS, ENTRIES + 1] of the games that are drawn, and theory's prediction of it: {name: array}."""
    arrays = {}
    for name, (kind, condition, coupling, iterations) in DRAWN.items():
        game = games.random_game(kind, condition, coupling, measure["dimensions"][-1], 1)
        # The step times L, and the sign of theory's change of J: exact in the bilinear game, a bound in the others.
        delta = {"convex-concave": game.delta, "concave in omega": game.concavity, "bilinear": 0.1 * game.L.sqrt()}
        sign = {"convex-concave": -1, "concave in omega": 0, "bilinear": 1}
        rise = sign[kind] * delta[kind].square() / game.L
        log = games.paths(game, delta[kind] / game.L, PATHS, iterations)[:, 0]
        t = torch.linspace(0, iterations, ENTRIES + 1, dtype=torch.float64)
        arrays[f"games/{name}"] = log[t.long()].mT / math.log(10)
        arrays[f"bound/{name}"] = t * torch.log1p(rise) / math.log(10)
    return arrays


def baselines(measure):
    """Rows of samplers that were not trained, and arrays by name: metrics of the games of the grid, and drawn paths.

    A metric of the grid is [couplings, dimensions, conditions or relative steps, draws].
    """
    grid, solution = of_every_game(measure), {name: at_solution(name) for name in DIVERGENCES}
    curved = [metrics for name, metrics in solution.items() if name != "total_variation"]
    groups = grid | {"f-GAN": list(solution.values()), "f-GAN, all but total variation": curved}
    rows = [
        (kind, "", 0, {name: function(stacked(groups[kind], metric)) for name, (function, metric) in numbers.items()})
        for kind, numbers in SUMMARY.items()
    ]
    rows += [("f-GAN", name, 0, metrics) for name, metrics in solution.items()]
    rows += [(name, "", 0, {"iterations": iterations}) for name, (*_, iterations) in DRAWN.items()]
    shape = len(measure["couplings"]), len(measure["dimensions"]), -1
    curves = {
        f"curve/{kind}/{metric}": stacked(group, metric).unflatten(0, shape)
        for kind, group in grid.items() for metric in group[0]
    }  # fmt: skip
    return rows, curves | drawn(measure)


def stacked(group, metric):
    """A metric of several stacks of games, float64."""
    return torch.stack([metrics[metric] for metrics in group]).double()
