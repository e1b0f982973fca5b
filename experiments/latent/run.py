"""Latent: the number of z that a generator sends to one x, on the ring and on digits, as a measure of lost modes."""

import math

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population, seeded
from fgan.metrics import modes
from fgan.metrics.classifier import classifier
from fgan.targets.mixtures import Mixture, ring

from . import collisions, known, mapping

REACH = 4.0  # half-width of the grid of z for the search of preimages: it holds all but 1e-4 of the noise
PAIRS = 6  # closest pairs of images of each run that are kept for the figure


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device, data)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    """Returns nothing beside the losses, because the last step is judged."""
    return {}


def real(target, measure, seed="reference"):
    """Real data [1, n, d]: those that set the resolution or, for another seed, fresh ones.

    n is the setting `samples`, but at most the number of images that no training saw.
    """
    n = measure["samples"]
    if isinstance(target, Mixture):
        return target.draw((n,), seeded(target.means.device, "latent", "data", seed))[None]
    unseen = torch.cat([target.held_out, target.test])[:n]
    return (target.train[: len(unseen)] if seed == "reference" else unseen)[None]


def modes_of(x, target, measure):
    """(points [runs, n, ..] of samples, the distance within which two share a mode, counts [runs, modes]).

    On the ring two samples of one mode lie within twice its radius of each other; digits share a class.
    """
    if isinstance(target, Mixture):
        radius = modes.RULES[measure["rule"]].radius(target)
        return x, 2 * radius, modes.counts(x, target.means, radius)
    classes = classifier(target).classes(x)[..., None]
    hits = (classes == torch.arange(10, device=x.device)).sum(1).double()
    return classes.double().where(classes >= 0, math.nan), 0.5, hits


def measured(x, z, stretch, target, measure):
    """Metrics [runs] of samples x [runs, n, d], noise z and singular values of dx/dz [runs, points, k], None for data.

    Collisions at the resolutions `same mode` and `same point` (the median distance between nearest real neighbours).
    """
    data = real(target, measure)
    radius = collisions.nearest(data).median()
    (points, same, hits), (data_points, _, _) = (modes_of(samples, target, measure) for samples in (x, data))
    counted = modes.summary(hits, x.shape[1], modes.RULES[measure["rule"]])
    metrics = {"mode divergence": counted["reverse_kl"]} | {name: counted[name] for name in ("modes", "high_quality")}
    for at, own, ceiling, reach in (("same mode", points, data_points, same), ("same point", x, data, radius)):
        share = collisions.share(own, reach)
        metrics |= {("collisions", at): share, ("birthday", at): collisions.birthday(share)}
        metrics["relative collisions", at] = share / collisions.share(ceiling, reach)
        if z is not None:
            metrics["far collisions", at] = collisions.share(own, reach, z)
    metrics["alone"] = collisions.each(lambda distance: (distance > radius).double().mean(), collisions.nearest(x))
    if z is not None:
        metrics["rank correlation"] = collisions.distance_correlation(z, x)
        metrics |= mapping.spectrum(stretch, measure["rank_share"])
    metrics["effective modes"] = collisions.effective_modes(hits)
    metrics["mode error"] = (metrics["effective modes"] - metrics["modes"]).abs()
    excess, collapsed = metrics["relative collisions", "same mode"], metrics["modes"] < hits.shape[1]
    metrics["collapsed without collisions"] = (collapsed & (excess <= 1)).double().where(excess.isfinite(), math.nan)
    return metrics


def evaluate(population, steps, history):
    """Judges the last step; keeps the map of the plane of z to modes, or the closest pairs of images."""
    target, measure, batch = population.target, population.settings["measure"], population.settings["batch"]
    views = [view.detach()[: population.n_runs] for view in population.theta_views]
    sample = real(target, measure).shape[1], "evaluation"
    z, x = collisions.noise(population, *sample), population.sample(*sample)
    # A batch of the training's size, because batch normalisation depends on it.
    stretch = mapping.singular_values(population.generator, views, z[:, :batch], measure["points"])
    metrics = measured(x, z, stretch, target, measure)
    if not isinstance(target, Mixture):
        return metrics, {"pairs": collisions.closest(x, PAIRS)}
    functions, radius = mapping.maps(population.generator, views), modes.RULES[measure["rule"]].radius(target)
    metrics["preimages"] = mapping.preimages(functions, z[:, : measure["preimages"]], measure["mesh"], REACH)
    plane = mapping.nearest_modes(functions, target.means, radius, measure["shown"], measure["shown_reach"])
    return metrics, {"map": plane}


def baselines(settings, data=None):
    """Samplers without training on both targets (the images are the first arm's), and atoms of known number."""
    measure, rows = settings["measure"], []
    for seed in range(measure["baseline_seeds"]):
        for place, target in (("ring", ring(**measure["ring"])), ("digits", data)):
            generator = seeded("cpu", "latent", "baseline", seed)
            for name, sample in known.samplers(target, measure["ring"], real(target, measure, seed), generator).items():
                rows.append((f"{name}, {place}", "", seed, measured(*sample, target, measure)))
        for name, common in (("equal atoms", measure["atoms"]), ("rare atoms", measure["common_atoms"])):
            generator = seeded("cpu", "latent", name, seed)
            share = collisions.share(known.atoms(measure["atoms"], common, measure["atom_samples"], generator), 0.1)
            ratios = {"1/collisions over support": 1 / share.item() / measure["atoms"]}
            ratios["support over s squared"] = measure["atoms"] / collisions.birthday(share).item() ** 2
            rows.append((name, "", seed, ratios))
    return rows, {"pairs/data": collisions.closest(real(data, measure, 0), PAIRS)[0].numpy()}
