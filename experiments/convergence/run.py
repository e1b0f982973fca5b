"""Convergence: Theorem 1 measured on quadratic games, and Algorithm 1 against inner loops on ring and mixture."""

import math

import torch

from fgan.divergences import DIVERGENCES
from fgan.metrics import exact, games, modes, saturation
from fgan.networks import Affine, Network, mlp
from fgan.population import Population, seeded
from fgan.targets.mixtures import Mixture, ring
from fgan.training import rounds

TARGETS = {"ring": ring, "mixture": Mixture}
# Games whose paths are drawn: kind, condition, coupling; with them how many steps.
DRAWN = {
    "weak coupling": ("convex-concave", 10.0, 0.3, 1000),
    "strong coupling": ("convex-concave", 10.0, 3.0, 10000),
    "concave in omega": ("concave in omega", 10.0, 1.0, 1000),
    "bilinear": ("bilinear", 1.0, 1.0, 1000),
}
ENTRIES, PATHS = 200, 6  # of a drawn path, and paths of a game


def target(settings, device="cpu"):
    chosen = dict(settings["target"])
    return TARGETS[chosen.pop("kind")](**chosen, device=device)


def population(settings, runs, device="cpu", data=None):
    p = target(settings, device)
    if "start" in settings:
        generator = Network(Affine(settings["start"]))
    else:
        generator = mlp(settings["noise"]["dimension"], p.dimension, **settings["generator"])
    return Population(runs, p, generator, mlp(p.dimension, 1, **settings["variational"]), settings, device)


def judged(samples, settings):
    """Modes and quality of ring samples [runs, n, 2] under the ring experiment's rule."""
    rule = settings["measure"]
    hits = modes.counts(samples, target(settings, samples.device).means, rule["radius_sd"] * settings["target"]["sd"])
    return modes.summary(hits, samples.shape[1], rule["fair_share"])


def distance(population):
    """D_f(P || N(mu, sigma^2)) of every run under its own divergence [runs], float64."""
    mu, sigma = population.theta.T.double()
    found = torch.empty_like(mu)
    for divergence, first, last, _ in population.slices:
        own = slice(first, last)
        found[own] = exact.divergences([exact.of(divergence.name)], population.target, mu[own], sigma[own])[0]
    return found


def observe(population):
    if "start" in population.settings:
        return {"D": distance(population)}
    watched = judged(population.sample(population.settings["measure"]["watched"], "watch"), population.settings)
    return {f"watched {name}": watched[name] for name in ("modes", "high_quality")}


def evaluate(population, steps, history):
    """Ring: modes and quality of the last step. Mixture: mean D over the last updates of V."""
    settings, rule = population.settings, population.settings["measure"]
    if "start" in settings:
        ahead = (settings["steps"] - torch.tensor(steps)) * max(1, rounds(population))
        found = {"mean D": history["D"][ahead < rule["averaged"]].mean(dim=0)}
    else:
        found = judged(population.sample(rule["samples"], "evaluation"), settings)
    return found | {"saturated": saturation.saturated(population)}, {}


def game(kind, condition, coupling, dimensions, draws):
    """A stack of random games of a kind [draws]; those of one name are the same wherever they are made."""
    generator = seeded("cpu", "convergence", kind, condition, coupling, *dimensions)
    a, c = (games.block(size, condition, draws, generator) for size in dimensions)
    b = games.coupling(*dimensions, coupling, draws, generator)
    return games.Game(a if kind == "convex-concave" else 0 * a, b, c if kind != "bilinear" else 0 * c)


def measured(rule):
    """Metrics of every game of the grid: {kind: {name: {metric: [draws]}}}."""
    found = {kind: {} for kind in ("convex-concave", "L of grad F", "concave in omega", "bilinear", "f-GAN")}
    sizes = [(n, m, f"{n}+{m}") for n, m in rule["dimensions"]]
    for b in rule["couplings"]:
        for n, m, size in sizes:
            for condition in rule["conditions"]:
                name, form = f"condition {condition:g}, coupling {b:g}, {size}", (condition, b, (n, m), rule["draws"])
                one = game("convex-concave", *form)
                found["convex-concave"][name] = games.convex_concave(one, rule)
                found["L of grad F"][f"L of grad F, {name}"] = games.misread(one)
                found["concave in omega"][f"concave, {name}"] = games.concave(game("concave in omega", *form))
            one = game("bilinear", 1.0, b, (n, m), rule["draws"])
            for relative in rule["relative_steps"]:
                name = f"bilinear, coupling {b:g}, {size}, step {relative:g}"
                found["bilinear"][name] = games.bilinear(one, rule, relative)
    for name, divergence in DIVERGENCES.items():
        one = games.at_solution(name)
        flat = {"flat in theta": torch.linalg.eigvalsh(one.A).abs().amax() == 0, "curvature": one.concavity}
        own = games.concave(one) | flat | {"coupling": torch.linalg.matrix_norm(one.B, ord=2)}
        found["f-GAN"][f"f-GAN {divergence.label}"] = own | {"largest step": games.largest_step(one)}
    return found


def summary(found):
    """What the claims judge, over all games of a kind: rows (kind, 0, metric, value)."""

    def values(kind, metric, but=""):
        own = [metrics[metric] for name, metrics in found[kind].items() if name != but]
        return torch.stack(own).double()

    faster, ratio = values("convex-concave", "times faster than the bound"), values("convex-concave", "largest step")
    rows = [(kind, "games", len(values(kind, metric).flatten())) for kind, metric in
            (("convex-concave", "bound"), ("concave in omega", "step"), ("bilinear", "step"))]  # fmt: skip
    rows += [
        ("convex-concave", "steps above the bound", values("convex-concave", "steps above the bound").sum()),
        ("convex-concave", "largest excess over the bound", values("convex-concave", "excess over the bound").max()),
        ("convex-concave", "least times faster than the bound", faster.min()),
        ("convex-concave", "median times faster than the bound", faster.median()),
        ("convex-concave", "most times faster than the bound", faster.max()),
        ("convex-concave", "least largest step", ratio.min()),
        ("convex-concave", "median largest step", ratio.median()),
        ("convex-concave", "most largest step", ratio.max()),
        ("L of grad F", "games above the bound", values("L of grad F", "games above the bound").sum()),
        ("L of grad F", "games that diverge", values("L of grad F", "games that diverge").sum()),
        ("L of grad F", "share above the bound", values("L of grad F", "games above the bound").mean()),
        ("L of grad F", "share that diverges", values("L of grad F", "games that diverge").mean()),
        ("concave in omega", "share that converges", values("concave in omega", "converges").mean()),
        ("concave in omega", "least largest step", values("concave in omega", "largest step").min()),
        ("concave in omega", "largest worst step", values("concave in omega", "worst step").max()),
        ("bilinear", "share that diverges", values("bilinear", "diverges").mean()),
        ("bilinear", "largest error of the growth", values("bilinear", "error of the growth").max()),
        ("f-GAN", "share flat in theta", values("f-GAN", "flat in theta").mean()),
        ("f-GAN, all but total variation", "share that converges",
         values("f-GAN", "converges", but="f-GAN TV").mean()),
    ]  # fmt: skip
    return [(kind, 0, metric, float(value)) for kind, metric, value in rows]


def drawn(rule):
    """log10 J/J_0 [PATHS, ENTRIES + 1] of the games that are drawn, and what theory says of it: {name: array}."""
    arrays = {}
    for name, (kind, condition, b, iterations) in DRAWN.items():
        one = game(kind, condition, b, rule["dimensions"][-1], 1)
        by = {"convex-concave": one.delta, "concave in omega": one.concavity, "bilinear": 0.1 * one.L.sqrt()}[kind]
        log = games.path(one, by / one.L, rule | {"iterations": iterations, "starts": PATHS})[:, 0]
        rise = {"convex-concave": -by.square() / one.L, "concave in omega": 0 * by, "bilinear": by.square() / one.L}
        t = torch.linspace(0, iterations, ENTRIES + 1, dtype=torch.float64)
        arrays[f"games/{name}"] = log[t.long()].mT / math.log(10)
        arrays[f"bound/{name}"] = t * torch.log1p(rise[kind]) / math.log(10)
    return {name: array.numpy() for name, array in arrays.items()}


def baselines(settings, data=None):
    """Theorem 1 on the grid of games; where the settings' target is a mixture, also the least D of each divergence."""
    rule = settings["measure"]
    found = measured(rule)
    rows = summary(found) + [(name, 0, "iterations", drawing[-1]) for name, drawing in DRAWN.items()]
    for name, metrics in (pair for own in found.values() for pair in own.items()):
        rows += [(name, seed, m, float(v)) for m, stack in metrics.items() for seed, v in enumerate(stack.flatten())]
    if "start" in settings:
        p = target(settings)
        rows += [(name, 0, "exact D", exact.optimum(exact.of(name), p)[2]) for name in settings["divergences"]]
    return rows, drawn(rule)
