"""Natural images: the paper's LSUN experiment on a DCGAN, judged by sliced Wasserstein distances to test images."""

import torch
import torch.nn.functional as F

from fgan.convolutions import dcgan_generator, dcgan_variational
from fgan.population import Population
from fgan.targets.natural import scaled

COARSE = 8  # side of the small images: distances on them see layout and colour, on pixels detail as well
SHEET = 12  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    images = data.to(device)
    generator = dcgan(dcgan_generator, settings["noise"]["dimension"], *images.shape[:2], **settings["generator"])
    variational = dcgan(dcgan_variational, *images.shape[:2], **settings["variational"])
    return Population(runs, images, generator, variational, settings, device)


def dcgan(make, *sizes, channels, init=None, **rest):
    """A network of the design's settings, where no `init` means torch's start."""
    return make(*sizes, widths=channels, init=init, **rest)


def observe(population):
    """Mean standard deviation of the pixels over samples: falls to zero where a generator collapses."""
    return {"spread": population.sample(population.settings["batch"], "watch").std(dim=1).mean(dim=1)}


def evaluate(population, steps, history):
    rule, images = population.settings["measure"], population.target
    samples = population.sample(rule["samples"], "evaluation")
    return distances(samples, images, rule), {"samples": samples[:, :SHEET]}


def distances(samples, images, rule):
    """Distances of samples [runs, n, d] to test images over that of held-out images to them, and its log, each [runs].

    Beyond sampling noise a ratio of 1 is that of real images. One run at a time, so that none depends on the others.
    """
    n = rule["samples"]
    test, real = scaled(images.test[:n]), scaled(images.held_out[:n])
    found = {}
    for name, view in (("pixels", lambda x: x), ("coarse", lambda x: coarse(x, images.shape))):
        wanted, u = view(test), directions(view(test).shape[1], rule["directions"]).to(test.device)
        floor = sliced_wasserstein(view(real), wanted, u)
        ratio = torch.stack([sliced_wasserstein(view(x), wanted, u) for x in samples]) / floor
        found |= {f"distance [{name}]": ratio, f"log distance [{name}]": ratio.log()}
    return found


def coarse(x, shape):
    """Images [n, d] averaged over squares to COARSE x COARSE pixels."""
    return F.adaptive_avg_pool2d(x.unflatten(-1, shape), COARSE).flatten(1)


def directions(d, count):
    """Unit vectors [d, count], uniform on the sphere, the same for every run."""
    u = torch.randn((d, count), generator=torch.Generator().manual_seed(0))
    return u / u.norm(dim=0)


def sliced_wasserstein(x, y, u):
    """W_2 of the projections on the directions u [d, k] of as many points x and y [n, d], its root mean square over u.

    On a line W_2 pairs the sorted points (Rabin et al. 2011). nan where a point is not finite.
    """
    return ((x @ u).sort(dim=0).values - (y @ u).sort(dim=0).values).square().mean().sqrt()


def baselines(settings, data=None):
    """Samplers without training: training images (ceiling), the same without detail, their mean with a little noise."""
    rule = settings["measure"]
    real = scaled(data.train[: rule["samples"]])
    small = coarse(real, data.shape).view(-1, data.shape[0], COARSE, COARSE)
    blurred = F.interpolate(small, size=data.shape[1:], mode="bilinear", align_corners=False).flatten(1)
    noise = 0.01 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    samplers = {"training images": real, "blurred images": blurred, "mean image": real.mean(dim=0) + noise}
    rows = [
        (name, 0, metric, float(value))
        for name, samples in samplers.items()
        for metric, value in distances(samples[None], data, rule).items()
    ]
    return rows, {"real": scaled(data.test[:SHEET]).numpy()}
