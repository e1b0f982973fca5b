"""The quality of samples beside the test images: distances in a classifier's features, and the amount of fine detail.

Noise counts as detail too, so read sharpness beside a distance. Samples are [runs, n, d], images of the shape (h, w) or
(channels, h, w); each metric is one value for each run.
"""

from dataclasses import replace

import torch

from fgan.engine.population import seeded
from fgan.metrics import features
from fgan.metrics.classifier import classifier


def trained_classifier(images, measure):
    """The classifier, trained on the first `classifier_images` training images."""
    first, labels = measure["classifier_images"], images.labels
    return classifier(replace(images, train=images.train[:first], labels=(labels[0][:first], *labels[1:])))


def quality(samples, images, measure):
    """Quality and sharpness [runs] of samples [runs, n, d] beside the test images; `relative` to a sampler of single
    pixels (distance) and to the test images (sharpness)."""
    network, manifold = trained_classifier(images, measure), measure["manifold"]
    single_pixels = independent(images, measure["samples"])
    fake, floor, real = (network.features(x) for x in (samples, single_pixels, images.test))
    distance = features.frechet(fake, real)
    precision, recall = features.precision_recall(fake[:, :manifold], real[:manifold])
    shape, radius = images.shape, measure["radius"]
    detail = lambda x: {"Laplacian": laplacian(x, shape), "high frequency": high_frequency(x, shape, radius)}
    fine, true = detail(samples), detail(images.test[None])
    return {
        "Frechet distance": distance, "relative Frechet": distance / features.frechet(floor, real),
        "precision": precision, "recall": recall,
    } | fine | {f"relative {name}": values / true[name] for name, values in fine.items()}  # fmt: skip


def independent(images, count):
    """Images [1, count, d] with each pixel from another training image: correct single pixels, no structure."""
    rows = torch.randint(len(images.train), (count, images.dimension), generator=seeded("cpu", "independent pixels"))
    return images.train.gather(0, rows.to(images.train.device))[None]


def laplacian(images, shape):
    """Variance of the discrete Laplacian within an image, mean over images [runs], (units of the pixels)^2.

    L = sum of the four neighbours - 4 x the pixel, at inner pixels. Source: Pech-Pacheco et al. 2000.
    """
    x = images.double().unflatten(-1, shape)
    inner = x[..., 1:-1, 1:-1]
    neighbours = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return (neighbours - 4 * inner).flatten(2).var(-1).mean(-1)


def high_frequency(images, shape, radius):
    """Share of the spectral energy above `radius` cycles per pixel (at most 1/2 along an axis), the mean left out.

    sum of |FFT|^2 beyond the radius over the sum of all, both over all images of a run; nan for flat images.
    """
    x = images.double().unflatten(-1, shape)
    energy = torch.fft.fft2(x - x.mean((-2, -1), keepdim=True)).abs().square()
    frequencies = [torch.fft.fftfreq(side, device=x.device, dtype=x.dtype) for side in shape[-2:]]
    beyond = frequencies[0][:, None].hypot(frequencies[1]) > radius
    return (energy * beyond).flatten(1).sum(1) / energy.flatten(1).sum(1)
