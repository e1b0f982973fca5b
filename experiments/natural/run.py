"""Natural images: the paper's LSUN experiment on a DCGAN, judged by sliced Wasserstein distances to test images."""

import torch
import torch.nn.functional as F

from fgan import targets
from fgan.engine.convolutions import generator_of, variational_of
from fgan.engine.population import Population
from fgan.metrics import features
from fgan.targets.natural import scaled

COARSE = 8  # side of the small images: distances on them measure layout and colour, on pixels detail as well
SHEET = 12  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    images = targets.of(settings, device, data)
    networks = (make(settings, *images.shape[:2]) for make in (generator_of, variational_of))
    return Population(runs, images, *networks, settings, device)


def observe(population):
    return {"spread": features.spread(population)}


def evaluate(population, steps, history):
    """Judges samples of the last step."""
    measure, images = population.settings["measure"], population.target
    samples = population.sample(measure["samples"], "evaluation")
    return distances(samples, images, measure), {"samples": samples[:, :SHEET]}


def distances(samples, images, measure):
    """Distances of samples [runs, n, d] to test images over that of held-out images to them, and its log, each [runs].

    Real images have a ratio of 1 up to sampling noise. One run at a time, so that none depends on the others.
    """
    n, metrics = measure["samples"], {}
    test, held_out = scaled(images.test[:n]), scaled(images.held_out[:n])
    for name, view in (("pixels", lambda x: x), ("coarse", lambda x: coarse(x, images.shape))):
        y = view(test)
        u = directions(y.shape[1], measure["directions"]).to(y.device)
        real = sliced_wasserstein(view(held_out), y, u)
        ratio = torch.stack([sliced_wasserstein(view(x), y, u) for x in samples]) / real
        metrics |= {("distance", name): ratio, ("log distance", name): ratio.log()}
    return metrics


def coarse(x, shape):
    """Images [n, d] averaged over squares to COARSE x COARSE pixels."""
    return F.adaptive_avg_pool2d(x.unflatten(-1, shape), COARSE).flatten(1)


def directions(d, count):
    """Unit vectors [d, count], uniform on the sphere, the same for every run."""
    u = torch.randn((d, count), generator=torch.Generator().manual_seed(0))
    return u / u.norm(dim=0)


def sliced_wasserstein(x, y, u):
    """W_2 of the projections on the directions u [d, k] of as many points x and y [n, d], its root mean square over u.

    On a line W_2 pairs the sorted points (Rabin et al. 2011). nan if a point is not finite.
    """
    return ((x @ u).sort(dim=0).values - (y @ u).sort(dim=0).values).square().mean().sqrt()


def baselines(settings, data=None):
    """Samplers without training: training images (best case), these without detail, their mean with a little noise."""
    measure = settings["measure"]
    real = scaled(data.train[: measure["samples"]])
    small = coarse(real, data.shape).view(-1, data.shape[0], COARSE, COARSE)
    blurred = F.interpolate(small, size=data.shape[1:], mode="bilinear", align_corners=False).flatten(1)
    noise = 0.01 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    samplers = {"training images": real, "blurred images": blurred, "mean image": real.mean(dim=0) + noise}
    rows = [(name, "", 0, distances(samples[None], data, measure)) for name, samples in samplers.items()]
    return rows, {"real": scaled(data.test[:SHEET]).numpy()}
