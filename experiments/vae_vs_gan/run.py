"""GAN against VAE: both on digits, with discrete pixels, with discrete latents, and a hybrid of the two.

Judged on images that no training saw: Frechet distance, precision and recall in a classifier's features, and sharpness.
"""

from dataclasses import replace

import torch

from fgan.classifier import classifier
from fgan.hybrids import GAN, Autoencoder, Hybrid, Pair, draw, thresholded
from fgan.metrics import features, sharpness
from fgan.metrics.tracking import correlation, tracking
from fgan.networks import mlp
from fgan.population import seeded

KINDS = {"gan": GAN, "vae": Autoencoder, "hybrid": Hybrid}
SHEET = 16  # images of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    model, latent = settings["model"], settings["noise"]["dimension"]
    images = (thresholded(data) if "binary" in model else data).to(device)
    codes = latent if "categories" in model else 2 * latent  # what an encoder puts out
    generator = mlp(latent, images.dimension, **settings["generator"])
    variational = mlp(images.dimension, codes if model["kind"] == "vae" else 1, **settings["variational"])
    if model["kind"] == "hybrid":
        generator = Pair(generator, mlp(images.dimension, codes, **model["encoder"]))
    return KINDS[model["kind"]](runs, images, generator, variational, settings, device)


def judge(images, rule):
    """The classifier, trained on the first `classifier_images` training images."""
    first, own = rule["classifier_images"], images.labels
    return classifier(replace(images, train=images.train[:first], labels=(own[0][:first], *own[1:])))


def observe(population):
    """The objective and the Frechet distance on held-out images; of a VAE the encoder's gradient, term by term."""
    rule, runs = population.settings["measure"], len(population.runs)
    x = population.target.held_out[: rule["watched"]]
    real = judge(population.target, rule).features(x)
    generators = [seeded(population.device, stream, "held out") for stream in population.streams]
    x, noise = (
        x.expand(runs, -1, -1),
        population.spread(torch.stack([population.noise((len(x),), g) for g in generators])),
    )
    found = judge(population.target, rule).features(population.sample(rule["watched"], "watch"))
    entry = {
        "held-out objective": population.objective(x, noise).detach(),
        "watched Frechet": features.frechet(found, real),
    }
    if population.model["kind"] == "vae":
        names = ("encoder gradient [reconstruction]", "encoder gradient [KL]")
        entry |= zip(names, population.encoder_gradients(x, noise), strict=True)
    return entry


def evaluate(population, steps, history):
    """Judges samples of the last step, and for a decoder of shades Bernoulli draws of them too."""
    rule, images = population.settings["measure"], population.target
    samples = population.sample(rule["samples"], "evaluation")
    metrics, sheets = judged(samples, images, rule), {"samples": samples[:, :SHEET]}
    if population.rises and "binary" not in population.model:
        shape, device = samples.shape[1:], samples.device
        uniform = [torch.rand(shape, generator=seeded(device, s, "pixels"), device=device) for s in population.streams]
        drawn = draw(samples, population.spread(torch.stack(uniform))[: population.wanted])
        metrics |= {f"{name} [draws]": values for name, values in judged(drawn, images, rule).items()}
        sheets["draws"] = drawn[:, :SHEET]
    distance, rises = history["watched Frechet"], population.rises
    metrics |= tracking(history["held-out objective"], distance, rises)
    if population.model["kind"] != "hybrid":  # whose F is V's objective alone
        metrics["tracking [batch]"] = correlation(-history["F"] if rises else history["F"], distance)
    return metrics, sheets


def judged(samples, images, rule):
    """Quality and sharpness of samples [runs, n, d] beside the test images; `relative` to a sampler of single pixels
    (distance) and to the test images (sharpness)."""
    network, manifold = judge(images, rule), rule["manifold"]
    found, real = network.features(samples), network.features(images.test)
    floor = features.frechet(network.features(independent(images, rule["samples"])), real)
    distance = features.frechet(found, real)
    precision, recall = features.precision_recall(found[:, :manifold], real[:manifold])
    fine, true = (
        torch.stack([
            sharpness.laplacian(x, images.shape), sharpness.high_frequency(x, images.shape, rule["radius"])
        ])
        for x in (samples, images.test[None])
    )  # fmt: skip
    ratio = fine / true
    return {
        "Frechet distance": distance, "relative Frechet": distance / floor, "precision": precision, "recall": recall,
        "Laplacian": fine[0], "relative Laplacian": ratio[0],
        "high frequency": fine[1], "relative high frequency": ratio[1],
    }  # fmt: skip


def independent(images, count):
    """Images [1, count, d] whose pixels are each from another training image: right pixel by pixel, no structure."""
    rows = torch.randint(len(images.train), (count, images.dimension), generator=seeded("cpu", "independent pixels"))
    return images.train.gather(0, rows.to(images.train.device))[None]


def baselines(settings, data=None):
    """Training images (ceiling) and independent pixels (floor), of shades and of thresholded images.

    Of independent pixels also the ELBO that a decoder reaches which ignores its latents, on held-out images.
    """
    rule, rows = settings["measure"], []
    for kind, images in {"": data, " (binary)": thresholded(data)}.items():
        samplers = {"training images": images.train[None, : rule["samples"]]}
        samplers["independent pixels"] = independent(images, rule["samples"])
        for name, samples in samplers.items():
            metrics = judged(samples, images, rule)
            rows += [(name + kind, 0, metric, float(value)) for metric, value in metrics.items()]
        x = images.held_out[: rule["watched"]]
        logits = images.train.mean(0).clamp(1e-4, 1 - 1e-4).logit().expand_as(x)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1).mean()
        rows.append(("independent pixels" + kind, 0, "held-out objective", -float(loss)))
        rows.append(("classifier" + kind, 0, "accuracy", judge(images, rule).accuracy))
    return rows, {"real": data.test[:SHEET].numpy(), "real (binary)": thresholded(data).test[:SHEET].numpy()}
