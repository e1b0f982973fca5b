"""Digits: the paper's MNIST experiment, with its variational autoencoder.

Judged by kernel-density log-likelihood under two readings of the bandwidth, and in the features of a classifier.
"""

import numpy as np
import torch

from fgan.classifier import classifier
from fgan.metrics import features, kde, saturation
from fgan.networks import mlp
from fgan.population import Population
from fgan.vae import VAE

# The two readings of "bandwidth chosen by cross-validation".
READINGS = ("held out", "own samples")
SHEET = 16  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    images, latent = data.to(device), settings["noise"]["dimension"]
    kind, outputs = (VAE, 2 * latent) if settings["objectives"] == ["elbo"] else (Population, 1)
    generator = mlp(latent, images.dimension, **settings["generator"])
    variational = mlp(images.dimension, outputs, **settings["variational"])
    return kind(runs, images, generator, variational, settings, device)


def observe(population):
    """Mean standard deviation of the pixels over samples: falls to zero where a generator collapses."""
    return {"spread": population.sample(population.settings["batch"], "watch").std(dim=1).mean(dim=1)}


def evaluate(population, steps, history):
    rule, images = population.settings["measure"], population.target
    samples = population.sample(rule["samples"], "evaluation")
    metrics = likelihoods(samples, images, rule) | in_features(samples, images, rule)
    metrics["saturated"] = saturation.saturated(population)
    sheet = samples[:, :SHEET]
    # The nearest training image beside each: memorised images would be found here.
    nearest = [images.train[torch.cdist(own, images.train).argmin(1)] for own in sheet.nan_to_num()]
    return metrics, {"samples": sheet, "nearest": torch.stack(nearest)}


def in_features(samples, images, rule):
    """Distances to the training images in a classifier's features, and the classes that samples [runs, n, d] cover.

    Precision and recall are of the first `manifold` samples and images.
    """
    judge, manifold = classifier(images), rule["manifold"]
    found, real = judge.features(samples), judge.features(images.train)
    precision, recall = features.precision_recall(found[:, :manifold], real[:manifold])
    classes = judge.classes(samples)
    shares = {f"share of {digit}": (classes == digit).double().mean(1) for digit in range(10)}
    return shares | {
        "Frechet distance": features.frechet(found, real),
        "kernel distance": features.kernel_distance(found, real[: rule["samples"]]),
        "precision": precision,
        "recall": recall,
        "class divergence": features.class_divergence(classes, images.labels[0]),
    }


def likelihoods(samples, images, rule, own=None):
    """Mean log-likelihood of the test images, its standard error over images, and the bandwidth, by reading.

    Each [runs] for samples [runs, n, d], nan where a run's samples are not finite. `own` holds the samples that the
    second reading rests on where they differ from the first's.
    """
    own, grid = samples if own is None else own, bandwidths(rule)
    chosen = (
        (samples, kde.bandwidth_held_out(samples, images.held_out[: rule["bandwidth_images"]], grid)),
        (own, kde.bandwidth_cross_validation(own[:, : rule["samples"]], grid, rule["folds"])),
    )
    found = {}
    for reading, (points, bandwidth) in zip(READINGS, chosen, strict=True):
        values = kde.log_likelihood(points, images.test, bandwidth)
        mean, n = values.mean(1), values.shape[1]
        found[f"log-likelihood [{reading}]"] = mean
        # Not by std, whose last bits depend on the number of runs.
        found[f"standard error [{reading}]"] = ((values - mean[:, None]).square().sum(1) / (n * (n - 1))).sqrt()
        found[f"bandwidth [{reading}]"] = bandwidth
    return found


def bandwidths(rule):
    smallest, largest, number = rule["bandwidths"]
    return np.geomspace(smallest, largest, int(number)).tolist()


def baselines(settings, data=None):
    """Samplers without training: the training images (ceiling), one of them with a little noise, black images.

    The reading that fits to held-out images uses the training images without them; the other uses all.
    """
    rule = settings["measure"]
    generator = torch.Generator().manual_seed(0)
    noise = 0.01 * torch.randn((1, rule["samples"], data.dimension), generator=generator)
    samplers = {
        "training images": (data.train[None], data.all_train[None]),
        "one image": (data.train[0] + noise, None),
        "black images": (noise, None),
    }
    rows = [
        (name, 0, metric, float(value))
        for name, (samples, own) in samplers.items()
        for metric, value in likelihoods(samples, data, rule, own).items()
    ]
    for name, samples in {"test images": data.test[None], "one image": samplers["one image"][0]}.items():
        rows += [(name, 0, metric, float(value)) for metric, value in in_features(samples, data, rule).items()]
    judge = classifier(data)
    rows += [("classifier", 0, "accuracy", judge.accuracy), ("classifier", 0, "hash", int(judge.hash[:12], 16))]
    return rows, {"real": data.test[:SHEET].numpy()}
