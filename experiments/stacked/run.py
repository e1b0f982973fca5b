"""Stacked MNIST: convolutional generators of digits as channels, and how the modes that they cover are counted."""

import torch

from fgan.classifier import classifier
from fgan.convolutions import dcgan_generator, dcgan_variational
from fgan.metrics import stacked_modes
from fgan.population import seeded
from fgan.remedies import Remedied
from fgan.targets.stacked import Stacked

CLASSES = 10
SHEET = 16  # images of each run that are kept for the figures
PORTION = 2500  # samples of a run that are in memory at once


def target(settings, data):
    return Stacked(data, settings["target"]["stack"])


def population(settings, runs, device="cpu", data=None):
    p = target(settings, data.to(device))
    channels, side, _ = p.shape
    generator = dcgan(dcgan_generator, settings["noise"]["dimension"], channels, side, **settings["generator"])

    def variational(inputs):
        """V for points of so many values: packed images are more channels."""
        return dcgan(dcgan_variational, inputs // side**2, side, **settings["variational"])

    return Remedied(runs, p, generator, variational, settings, device)


def dcgan(make, *sizes, channels, init=None, **rest):
    """A network of the design's settings, where no `init` means torch's start."""
    return make(*sizes, widths=channels, init=init, **rest)


def observe(population):
    """Mean standard deviation of the pixels over samples: falls to zero where a generator collapses."""
    return {"spread": population.sample(population.settings["batch"], "watch").std(dim=1).mean(dim=1)}


def measured(mode, confidence, p):
    """Modes and KL under every rule; by themselves those of the published one, a sample of any confidence."""
    total, sure = CLASSES**p.count, (confidence >= 0.9).double().where(mode >= 0, torch.nan)
    found = stacked_modes.summary(mode, confidence, total)
    found |= {name: found[f"{name} [1, confidence 0]"] for name in ("modes", "KL")}
    covered = {"covered": found["modes"], "covered [strictest]": found["modes [10, confidence 0.9]"]}
    return found | {name: count / total for name, count in covered.items()} | {"high quality": sure.mean(dim=1)}


def evaluate(population, steps, history):
    """Judges the last step. All samples of all runs would not fit in a GPU, so they are drawn in portions."""
    count, p = population.settings["measure"]["samples"], population.target
    judge, found, sheets = classifier(p.images), [], []
    for first in range(0, count, PORTION):
        x = population.sample(min(PORTION, count - first), f"evaluation {first}")
        found.append(stacked_modes.judged(judge, x, p.count))
        sheets.append(x[:, :SHEET].half())
    mode, confidence = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
    return measured(mode, confidence, p), {"samples": sheets[0]}


def baselines(settings, data=None):
    """Samplers without training: fresh stacks of P (ceiling), one of them alone, pixels of noise (what a rule counts
    where no digit is), exactly uniform modes (floor of KL).

    Beside them the classifier that judges: its accuracy on test images and the first digits of its weights' hash.
    """
    p, judge, n, rows = target(settings, data), classifier(data), settings["measure"]["samples"], []
    for seed in range(settings["measure"]["baseline_seeds"]):
        generator = seeded("cpu", "stacked", "baseline", seed)
        x = p(p.draw((1, n), generator))
        mode, confidence = stacked_modes.judged(judge, x, p.count)
        uniform = torch.randint(CLASSES**p.count, (1, n), generator=generator)
        noise = torch.rand(x.shape, generator=generator) * 2 - 1
        samplers = {
            "fresh samples of P": (mode, confidence),
            "one image": (mode[:, :1].expand(1, n), confidence[:, :1].expand(1, n)),
            "noise": stacked_modes.judged(judge, noise, p.count),
            "uniform classes": (uniform, torch.ones(1, n)),
        }
        for name, known in samplers.items():
            rows += [(name, seed, metric, float(value)) for metric, value in measured(*known, p).items()]
    rows += [("classifier", 0, "accuracy", judge.accuracy), ("classifier", 0, "hash", int(judge.hash[:12], 16))]
    return rows, {"real": x[0, :SHEET].half()}
