"""Digits: the paper's MNIST experiment, with its variational autoencoder.

Judged by kernel-density log-likelihood under two readings of the bandwidth, and in the features of a classifier.
"""

import torch

from fgan import targets
from fgan.engine.networks import mlp
from fgan.engine.population import Population
from fgan.metrics import features, kde, saturation
from fgan.metrics.classifier import classifier
from fgan.models.vae import VAE

SHEET = 16  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    images, latent = targets.of(settings, device, data), settings["noise"]["dimension"]
    kind, outputs = (VAE, 2 * latent) if settings["objectives"] == ["elbo"] else (Population, 1)
    generator = mlp(latent, images.dimension, **settings["generator"])
    variational = mlp(images.dimension, outputs, **settings["variational"])
    return kind(runs, images, generator, variational, settings, device)


def observe(population):
    return {"spread": features.spread(population)}


def evaluate(population, steps, history):
    """Judges samples of the last step; keeps the nearest training image of each, which would show a memorised one."""
    measure, images = population.settings["measure"], population.target
    samples = population.sample(measure["samples"], "evaluation")
    metrics = likelihoods(samples, images, measure) | in_features(samples, images, measure)
    metrics["saturated"] = saturation.saturated(population)
    sheet = samples[:, :SHEET]
    nearest = [images.train[torch.cdist(x, images.train).argmin(1)] for x in sheet.nan_to_num()]
    return metrics, {"samples": sheet, "nearest": torch.stack(nearest)}


def in_features(samples, images, measure):
    """Distances to the training images in a classifier's features, and the classes that samples [runs, n, d] cover.

    Precision and recall are of the first `manifold` samples and images.
    """
    judge, manifold = classifier(images), measure["manifold"]
    made, real = judge.features(samples), judge.features(images.train)
    precision, recall = features.precision_recall(made[:, :manifold], real[:manifold])
    classes = judge.classes(samples)
    shares = {("class share", str(digit)): (classes == digit).double().mean(1) for digit in range(10)}
    return shares | {
        "Frechet distance": features.frechet(made, real),
        "kernel distance": features.kernel_distance(made, real[: measure["samples"]]),
        "precision": precision,
        "recall": recall,
        "class divergence": features.class_divergence(classes, images.labels[0]),
    }


def likelihoods(samples, images, measure, own=None):
    """Mean log-likelihood of the test images, its standard error over images, and the bandwidth, by reading.

    Each [runs] for samples [runs, n, d], nan if a run's samples are not finite. `own` holds the samples of the
    second reading if they differ from the first's.
    """
    own = samples if own is None else own
    held_out, grid = images.held_out[: measure["bandwidth_images"]], kde.grid(*measure["bandwidths"])
    bandwidths = kde.readings(samples, held_out, grid, measure["folds"], own[:, : measure["samples"]])
    metrics = {}
    for (reading, bandwidth), points in zip(bandwidths.items(), (samples, own), strict=True):
        values = kde.log_likelihood(points, images.test, bandwidth)
        mean, n = values.mean(1), values.shape[1]
        # Not by std, whose last bits depend on the number of runs.
        error = ((values - mean[:, None]).square().sum(1) / (n * (n - 1))).sqrt()
        row = {"log-likelihood": mean, "standard error": error, "bandwidth": bandwidth}
        metrics |= {(metric, reading): value for metric, value in row.items()}
    return metrics


def baselines(settings, data=None):
    """Samplers without training: the training images (best case), one of them with a little noise, black images.

    The reading that fits to held-out images uses the training images without them; the other uses all.
    """
    measure = settings["measure"]
    generator = torch.Generator().manual_seed(0)
    noise = 0.01 * torch.randn((1, measure["samples"], data.dimension), generator=generator)
    one, test = data.train[0] + noise, data.test[None]
    rows = [
        ("training images", likelihoods(data.train[None], data, measure, data.all_train[None])),
        ("one image", likelihoods(one, data, measure) | in_features(one, data, measure)),
        ("black images", likelihoods(noise, data, measure)),
        ("test images", in_features(test, data, measure)),
        ("classifier", {"accuracy": classifier(data).accuracy}),
    ]
    return [(sampler, "", 0, metrics) for sampler, metrics in rows], {"real": data.test[:SHEET].numpy()}


def facts(settings, data):
    """For the run card: the beginning of the hash of the classifier's weights."""
    return {"facts": {"classifier": classifier(data).hash[:12]}}
