"""Stacked MNIST: convolutional generators of digits as channels, and the modes that they cover by several rules."""

import torch

from fgan import targets
from fgan.engine.convolutions import generator_of, variational_of
from fgan.engine.population import seeded
from fgan.metrics import features
from fgan.metrics.classifier import classifier
from fgan.remedies import Remedied

from . import tuples
from .tuples import PUBLISHED, RULES, STRICTEST

CLASSES = 10
SHEET = 16  # images of each run that are kept for the figures
PORTION = 2500  # samples of a run that are in memory at once


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device, data)
    channels, side, _ = p.shape

    def variational(inputs):
        """V for points of `inputs` values: packed images add channels."""
        return variational_of(settings, inputs // side**2, side)

    return Remedied(runs, p, generator_of(settings, channels, side), variational, settings, device)


def observe(population):
    """Spread of the pixels; modes of fewer samples, and the share of which the classifier is sure."""
    p, count = population.target, population.settings["measure"]["watched"]
    mode, confidence = tuples.modes_of(classifier(p.images), population.sample(count, "watch"), p.count)
    known = measured(mode, confidence, p)
    watched = {"watched modes": known["modes"], "watched high_quality": known["high_quality"]}
    return {"spread": features.spread(population)} | watched


def measured(mode, confidence, p):
    """Modes and KL under every rule; metrics without a rule use the published one, a sample of any confidence."""
    total, sure = CLASSES**p.count, (confidence >= 0.9).double().where(mode >= 0, torch.nan)
    metrics = tuples.summary(mode, confidence, total)
    metrics |= {name: metrics[name, PUBLISHED] for name in ("modes", "KL")}
    metrics["covered"] = metrics["modes"] / total
    metrics["covered", STRICTEST] = metrics["modes", STRICTEST] / total
    return metrics | {"high_quality": sure.mean(dim=1)}


def evaluate(population, steps, history):
    """Judges the last step. All samples of all runs would not fit in a GPU, so they are drawn in portions."""
    count, p = population.settings["measure"]["samples"], population.target
    judge, parts, sheets = classifier(p.images), [], []
    for first in range(0, count, PORTION):
        x = population.sample(min(PORTION, count - first), f"evaluation {first}")
        parts.append(tuples.modes_of(judge, x, p.count))
        sheets.append(x[:, :SHEET].half())
    mode, confidence = (torch.cat(values, dim=1) for values in zip(*parts, strict=True))
    return measured(mode, confidence, p), {"samples": sheets[0]}


def baselines(settings, data=None):
    """Samplers without training: fresh stacks of P (best case), one of them alone, pixels of noise (modes counted
    without any digit), exactly uniform modes (least KL); and the accuracy of the classifier on test images.

    The array of rules holds their least numbers of samples and least confidences, which figures need.
    """
    p, judge, n = targets.of(settings, data=data), classifier(data), settings["measure"]["samples"]
    rows = [("classifier", "", 0, {"accuracy": judge.accuracy})]
    for seed in range(settings["measure"]["baseline_seeds"]):
        generator = seeded("cpu", "stacked", "baseline", seed)
        x = p(p.draw((1, n), generator))
        mode, confidence = tuples.modes_of(judge, x, p.count)
        uniform = torch.randint(CLASSES**p.count, (1, n), generator=generator)
        noise = torch.rand(x.shape, generator=generator) * 2 - 1
        samplers = {
            "fresh samples of P": (mode, confidence),
            "one image": (mode[:, :1].expand(1, n), confidence[:, :1].expand(1, n)),
            "noise": tuples.modes_of(judge, noise, p.count),
            "uniform classes": (uniform, torch.ones(1, n)),
        }
        rows += [(name, "", seed, measured(*known, p)) for name, known in samplers.items()]
    return rows, {"real": x[0, :SHEET].half(), "rules": list(RULES.values())}


def facts(settings, data):
    """For the run card: the beginning of the hash of the classifier's weights."""
    return {"facts": {"classifier": classifier(data).hash[:12]}}
