"""Games that are played: the Dirac game iterated near its solution and from afar, and Gaussians met on samples."""

import itertools
import math

import pandas as pd
import torch

from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine import networks, training
from fgan.engine.population import Population

from . import games

ITERATED = ("simultaneous", "alternating")
NEAR, FAR = [1e-7, 0.0], [1.0, 1.0]  # starts (theta, omega)
# Lengths of z between which the game is linear, and above which rounding of v_0 + omega x is less than 1e-5 of z.
LINEAR = 1e-11, 1e-6
FEWEST = 3  # steps to which a map is fitted
DECIDED = 3.0  # steps times |log radius| from which on a path must have grown or fallen


def iterated(measure, remedies):
    """Rows of the iterated Dirac games, and their predicted and measured contractions."""
    steps, number, rows, arrays, paths = measure["steps"], measure["iterations"], [], {}, []
    for remedy, method in itertools.product(remedies, ITERATED):
        if remedy != "R2":  # the same game as R1, as V is linear
            runs = games.runs_of(2 * len(steps))
            pairs = len(runs) // (2 * len(steps))
            rates = torch.tensor(steps, dtype=torch.float64).repeat_interleave(2).repeat(pairs)
            game = games.Game(runs, remedies[remedy], method, rates, batch=2)
            predicted = games.jacobian(game)[::2]
            start = torch.tensor([NEAR, FAR], dtype=torch.float64).repeat(len(runs) // 2, 1)
            near, far = games.iterated(game, start, number).unflatten(1, (-1, 2)).unbind(2)
            metrics = measured(predicted, near, far)
            arrays[f"curve/paths/{remedy}, {method}"] = torch.stack([metrics["radius"], metrics["measured radius"]])
            paths.append(metrics)
    every = {metric: torch.cat([metrics[metric] for metrics in paths]) for metric in paths[0]}
    error, turns = (every["measured radius"] - every["radius"]).abs(), every["error of the half turns"]
    decided, local = every["decided"], every["decided"] & (every["radius"] < 1)
    rows.append(("paths", "", 0, {
        "games": len(error), "games that are decided": decided.sum(), "games that are fitted": (~error.isnan()).sum(),
        ("error of the contraction", "most"): error.nan_to_num(0).max(),
        ("error of the contraction", "median"): error.nanmedian(),
        "share as predicted": (every["fell"] == (every["radius"] < 1))[decided].double().mean(),
        ("error of the half turns", "most"): turns.nan_to_num(0).max(),
        "share that converges from afar": every["fell from afar"][local].double().mean(),
    }))  # fmt: skip
    return rows, arrays


def measured(predicted, near, far):
    """Metrics [runs] of Dirac games with Jacobians `predicted`, from their paths [steps + 1, runs, 2]."""
    length, steps = near.norm(dim=-1), len(near) - 1
    linear = ((length > LINEAR[0]) & (length < LINEAR[1])).int().cummin(dim=0).values
    # Each step counts alike, however short z has become.
    fit = games.fitted(near, (linear[1:] / length[:-1].square()).nan_to_num(0, 0, 0))
    radius, angle = games.radius(predicted), games.angle(predicted)
    side, number = near[..., 0] >= 0, linear.sum(dim=0)
    turns = ((side[1:] != side[:-1]) & (linear[1:] == 1)).sum(dim=0)
    fell = [path[-1].norm(dim=-1) < path[0].norm(dim=-1) for path in (near, far)]
    known = number > FEWEST
    return {
        "radius": radius, "measured radius": games.radius(fit).where(known, math.nan),
        "error of the half turns": (turns - angle / math.pi * (number - 1)).abs().where(known, math.nan),
        "decided": radius.log().abs() * steps > DECIDED,
        "fell": fell[0], "fell from afar": fell[1],
    }  # fmt: skip


def trained(measure):
    """Rows of the trained Gaussian games: of each run, of each seed, and over seeds."""
    own, rows = measure["trained"], []
    pairs = [(divergence, objective) for divergence in DIVERGENCES for objective in games.OBJECTIVES]
    runs = [Run("local_convergence", "trained", *pair, seed) for pair in pairs for seed in range(own["seeds"])]
    for arm, (maps, path) in {
        "linear V, simultaneous": linear(own, runs, "simultaneous"),
        "linear V, alternating": linear(own, runs, "alternating"),
        "tanh V, simultaneous": (linear(own | {"steps": 1}, runs, "simultaneous")[0], tanh(own, runs)),
    }.items():  # fmt: skip
        table = pd.DataFrame({
            "divergence": [run.divergence for run in runs], "objective": [run.objective for run in runs],
            "seed": [run.seed for run in runs], "predicted overshoot": overshoot(ideal(maps, own)).numpy(),
            "overshoot": overshoot(path).numpy(),
        })  # fmt: skip
        if path.shape[-1] == 2:
            same = torch.ones(path.shape[:2], dtype=torch.float64)[1:]
            table["radius"] = games.radius(maps).numpy()
            table["measured radius"] = games.radius(games.fitted(path, same)).numpy()
        for divergence, objective, seed, *values in table.itertuples(index=False):
            metrics = dict(zip(table.columns[3:], values, strict=True))
            rows.append((arm, divergence, seed, {(metric, objective): value for metric, value in metrics.items()}))
        seeds = [by_seed(group) for _, group in table.groupby("seed")]
        rows += [(arm, "", seed, metrics) for seed, metrics in enumerate(seeds)]
        least, most = pd.DataFrame(seeds).min(), pd.DataFrame(seeds).max()
        rows.append(
            (arm, "", 0, {(m, rule): v[m] for rule, v in (("least", least), ("most", most)) for m in least.index})
        )
    return rows


def by_seed(table):
    """Metrics of the runs of one seed: does the spectrum order them, and is their contraction that of the spectrum?"""
    metrics = {"rank correlation": table["predicted overshoot"].rank().corr(table.overshoot.rank())}
    if "radius" in table:
        metrics["median error of the contraction"] = (table["measured radius"] - table.radius).abs().median()
    return metrics


def linear(own, runs, method):
    """Jacobians [runs, 2, 2] at the solution of P = Q = N(0, 1) under a linear V, and trained paths from `start`."""
    rates = torch.full((len(runs),), own["rate"], dtype=torch.float64)
    game = games.Game(runs, [], method, rates, batch=own["batch"], steps=own["steps"], history=1)
    maps = games.jacobian(game, sd=1.0)
    game.point = torch.tensor([[own["start"], 0.0]], dtype=torch.float64).expand(len(runs), 2)
    return maps, path(game)


def tanh(own, runs):
    """Paths of mu [steps + 1, runs, 1] under a tanh network V, with G(z) = mu + sigma z from (start, 1)."""
    settings = {
        "start": [own["start"], 1.0], "noise": {"kind": "normal", "dimension": 1}, "history": 1,
        "variational": {"hidden": own["hidden"], "activation": "tanh"}, "method": games.METHODS["simultaneous"],
        "optimiser": {"kind": "sgd", "generator": own["rate"], "variational": own["rate"]},
    } | {key: own[key] for key in ("batch", "steps")}  # fmt: skip
    return path(Population(runs, games.GAUSSIAN, *networks.of(settings, 1), settings))[..., :1]


def path(population):
    """theta and omega at the start and after every step [steps + 1, runs, parameters], float64."""

    def now(population):
        return {"theta": population.theta, "omega": population.omega}

    first = {name: stack.detach().clone() for name, stack in now(population).items()}
    _, history, _ = training.train(population, now)
    return torch.cat([torch.cat([first[n][None], history[n]]) for n in first], dim=-1).double()


def ideal(maps, own):
    """The path [steps + 1, runs, 2] of linear maps from the start of the trained games."""
    z = [torch.tensor([own["start"], 0.0], dtype=torch.float64).expand(len(maps), 2)]
    for _ in range(own["steps"]):
        z.append(torch.einsum("rij,rj->ri", maps, z[-1]))
    return torch.stack(z)


def overshoot(path):
    """How far theta, the first of a path [steps + 1, runs, ...], passes 0, as a share of where it started."""
    theta = path[..., 0]
    return (-theta / theta[0]).nan_to_num(math.inf).amax(dim=0).clamp(min=0)
