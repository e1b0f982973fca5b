"""GAN against VAE: both on digits, with discrete pixels, with discrete latents, and a hybrid of the two.

Judged on images that no training saw: Frechet distance, precision and recall in a classifier's features, and sharpness.
"""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fgan import targets
from fgan.engine.networks import Pair, mlp
from fgan.engine.population import seeded
from fgan.metrics import features
from fgan.models.base import GAN, draw, thresholded
from fgan.models.hybrid import Hybrid
from fgan.models.vae import VAE

from .quality import independent, quality, trained_classifier
from .tracking import correlation, tracking

MODELS = {"gan": GAN, "vae": VAE, "hybrid": Hybrid}
SHEET = 16  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    model, latent = settings["model"], settings["noise"]["dimension"]
    images = targets.of(settings, device, thresholded(data) if "binary" in model else data)
    codes = latent if "categories" in model else 2 * latent  # an encoder's outputs
    generator = mlp(latent, images.dimension, **settings["generator"])
    variational = mlp(images.dimension, codes if model["kind"] == "vae" else 1, **settings["variational"])
    if model["kind"] == "hybrid":
        generator = Pair(generator, mlp(images.dimension, codes, **model["encoder"]))
    return MODELS[model["kind"]](runs, images, generator, variational, settings, device)


def observe(population):
    """The objective and the Frechet distance on held-out images; for a VAE also its encoder's gradient by term."""
    measure = population.settings["measure"]
    x = population.target.held_out[: measure["watched"]]
    network = trained_classifier(population.target, measure)
    real, fake = (network.features(points) for points in (x, population.sample(measure["watched"], "watch")))
    generators = [seeded(population.device, stream, "held out") for stream in population.streams]
    noise = population.spread(torch.stack([population.noise((len(x),), g) for g in generators]))
    x = x.expand(len(population.runs), -1, -1)
    entry = {"held-out objective": population.objective(x, noise).detach()}
    entry["watched Frechet"] = features.frechet(fake, real)
    if population.model["kind"] == "vae":
        terms = [("encoder gradient", term) for term in ("reconstruction", "KL")]
        entry |= zip(terms, population.encoder_gradients(x, noise), strict=True)
    return entry


def evaluate(population, steps, history):
    """Judges samples of the last step, and for a decoder of shades also Bernoulli draws from them."""
    measure, images, rises = population.settings["measure"], population.target, population.rises
    samples = population.sample(measure["samples"], "evaluation")
    metrics, sheets = quality(samples, images, measure), {"samples": samples[:, :SHEET]}
    if rises and "binary" not in population.model:
        shape, device = samples.shape[1:], samples.device
        uniform = [torch.rand(shape, generator=seeded(device, s, "pixels"), device=device) for s in population.streams]
        drawn = draw(samples, population.spread(torch.stack(uniform))[: population.n_runs])
        metrics |= {(name, "draws"): values for name, values in quality(drawn, images, measure).items()}
        sheets["draws"] = drawn[:, :SHEET]
    distance = history["watched Frechet"]
    metrics |= tracking(history["held-out objective"], distance, rises)
    if population.model["kind"] != "hybrid":  # F is the objective of a hybrid's V alone
        metrics["tracking", "batch"] = correlation(-history["F"] if rises else history["F"], distance)
    return metrics, sheets


def baselines(settings, data=None):
    """Training images (best case) and independent pixels (worst), of shades and (rule `binary`) of thresholded images.

    For independent pixels also the ELBO, on held-out images, of a decoder that ignores its latents.
    """
    measure, count, rows = settings["measure"], settings["measure"]["samples"], []
    for rule, images in (("", data), ("binary", thresholded(data))):
        samplers = {"training images": images.train[None, :count], "independent pixels": independent(images, count)}
        metrics = {name: quality(samples, images, measure) for name, samples in samplers.items()}
        x = images.held_out[: measure["watched"]]
        logits = images.train.mean(0).clamp(1e-4, 1 - 1e-4).logit().expand_as(x)
        loss = binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1).mean()
        metrics["independent pixels"]["held-out objective"] = -loss
        metrics["classifier"] = {"accuracy": trained_classifier(images, measure).accuracy}
        for name, values in metrics.items():
            rows.append((name, "", 0, {(metric, rule): value for metric, value in values.items()}))
    return rows, {"real": data.test[:SHEET].numpy(), "real (binary)": thresholded(data).test[:SHEET].numpy()}
