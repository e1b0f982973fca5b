"""Latent: how many z a generator sends to one x, on the ring and on digits, and whether that counts lost modes."""

import math

import torch

from fgan.classifier import classifier
from fgan.metrics import latent, mapping, modes
from fgan.networks import mlp
from fgan.population import Population, seeded
from fgan.targets import known
from fgan.targets.mixtures import Mixture, ring

REACH = 4.0  # half-width of the grid of z in which preimages are sought: all but 1e-4 of the noise
PAIRS = 6  # closest pairs of images of each run that are kept for the figure


def population(settings, runs, device="cpu", data=None):
    p = ring(**settings["measure"]["ring"], device=device) if data is None else data.to(device)
    generator = mlp(settings["noise"]["dimension"], p.dimension, **settings["generator"])
    return Population(runs, p, generator, mlp(p.dimension, 1, **settings["variational"]), settings, device)


def observe(population):
    """Nothing beside the losses: the last step is judged."""
    return {}


def real(target, rule, seed="reference"):
    """Real data [1, n, d]: those that set the resolution, or, for a seed, other ones.

    n is the setting `samples`, but of images at most as many as no training saw.
    """
    n = rule["samples"]
    if isinstance(target, Mixture):
        return target.draw((n,), seeded(target.means.device, "latent", "data", seed))[None]
    unseen = torch.cat([target.held_out, target.test])[:n]
    return (target.train[: len(unseen)] if seed == "reference" else unseen)[None]


def modes_of(x, target, rule):
    """Samples [runs, n, d] as points of which those of one mode lie within a distance, and counts [runs, modes].

    On the ring two samples within `radius_sd` of one mode are within twice that; digits share a class.
    """
    if isinstance(target, Mixture):
        radius = rule["radius_sd"] * rule["ring"]["sd"]
        return x, 2 * radius, modes.counts(x, target.means, radius)
    classes = classifier(target).classes(x)[..., None]
    hits = (classes == torch.arange(10, device=x.device)).sum(1).double()
    return classes.double().where(classes >= 0, math.nan), 0.5, hits


def judged(x, z, stretch, target, rule):
    """Metrics [runs] of samples x [runs, n, d], noise z and singular values of dx/dz [runs, points, k], None for data.

    Collisions at the resolutions `same mode` and `same point` (the median distance between nearest real neighbours).
    """
    data = real(target, rule)
    radius = latent.nearest(data).median()
    (points, same, hits), (data_points, _, _) = (modes_of(samples, target, rule) for samples in (x, data))
    found = modes.summary(hits, x.shape[1], rule["fair_share"])
    found = {"mode divergence": found["reverse_kl"]} | {name: found[name] for name in ("modes", "high_quality")}
    for name, own, ceiling, reach in (("same mode", points, data_points, same), ("same point", x, data, radius)):
        collisions = latent.collisions(own, reach)
        found |= {f"collisions [{name}]": collisions, f"birthday [{name}]": latent.birthday(collisions)}
        found[f"relative collisions [{name}]"] = collisions / latent.collisions(ceiling, reach)
        if z is not None:
            found[f"far collisions [{name}]"] = latent.collisions(own, reach, z)
    found["alone"] = latent.each(lambda distance: (distance > radius).double().mean(), latent.nearest(x))
    if z is not None:
        found["rank correlation"] = latent.distance_correlation(z, x)
        found |= mapping.spectrum(stretch, rule["rank_share"])
    found["effective modes"] = latent.effective(hits)
    found["mode error"] = (found["effective modes"] - found["modes"]).abs()
    excess, collapsed = found["relative collisions [same mode]"], found["modes"] < hits.shape[1]
    found["collapsed without collisions"] = (collapsed & (excess <= 1)).double().where(excess.isfinite(), math.nan)
    return found


def evaluate(population, steps, history):
    """Judges the last step; keeps the map of the plane of z to modes, or the closest pairs of images."""
    target, rule, wanted = population.target, population.settings["measure"], population.wanted
    views = [view.detach()[:wanted] for view in population.theta_views]
    z, x = latent.drawn(population, real(target, rule).shape[1], "evaluation")
    # A batch of the training's size, because batch normalisation depends on it.
    batch = z[:, : population.settings["batch"]]
    stretch = mapping.singular_values(population.generator, views, batch, min(rule["points"], batch.shape[1]))
    metrics = judged(x, z, stretch, target, rule)
    if not isinstance(target, Mixture):
        return metrics, {"pairs": latent.closest(x, PAIRS)}

    functions = mapping.maps(population.generator, views)
    metrics["preimages"] = mapping.preimages(functions, z[:, : rule["preimages"]], rule["mesh"], REACH)
    plane = torch.cartesian_prod(*2 * [rule["shown_reach"] * torch.linspace(-1, 1, rule["shown"], device=z.device)])
    # The number of the nearest mode, plus the number of modes where it is further than the radius of high quality.
    distance, mode = torch.cdist(torch.stack([function(plane)[0] for function in functions]), target.means).min(-1)
    outside = distance > rule["radius_sd"] * rule["ring"]["sd"]
    return metrics, {"map": (mode + outside * len(target.means)).unflatten(1, (rule["shown"], -1))}


def samplers(target, rule, seed):
    """Without training: fresh data (ceiling), one mode or image (floor), a linear map with the data's two moments."""
    data, generator = real(target, rule, seed), seeded("cpu", "latent", "baseline", seed)
    if isinstance(target, Mixture):
        one, sd, centre = target.means[0], rule["ring"]["sd"], torch.zeros(2, dtype=torch.float64)
        root = rule["ring"]["radius"] / math.sqrt(2) * torch.eye(2, dtype=torch.float64)
    else:
        one, sd, centre, root = target.train[0].double(), 0.01, target.train.double().mean(0), known.root(target.train)
    floor = sd * torch.eye(len(one), dtype=torch.float64)
    own = {"data": (None, data, None), "one mode": known.linear(one, floor, data.shape[1], generator)}
    return own | {"linear map": known.linear(centre, root, data.shape[1], generator)}


def baselines(settings, data=None):
    """Samplers without training on both targets (the images are the first arm's), and atoms of known number."""
    rule, rows = settings["measure"], []
    for seed in range(rule["baseline_seeds"]):
        for place, target in (("ring", ring(**rule["ring"])), ("digits", data)):
            for name, (z, x, stretch) in samplers(target, rule, seed).items():
                metrics = judged(x, z, stretch, target, rule)
                rows += [(f"{name} ({place})", seed, metric, float(value)) for metric, value in metrics.items()]
        for name, common in (("equal atoms", rule["atoms"]), ("rare atoms", rule["common_atoms"])):
            x = known.atoms(rule["atoms"], common, rule["atom_samples"], seeded("cpu", "latent", name, seed))
            probability = latent.collisions(x, 0.1)
            rows.append((name, seed, "1/collisions over support", 1 / probability.item() / rule["atoms"]))
            rows.append(
                (name, seed, "support over s squared", rule["atoms"] / latent.birthday(probability).item() ** 2)
            )
    return rows, {"pairs/data": latent.closest(real(data, rule, 0), PAIRS)[0].numpy()}
