"""Stacked digits: convolutional generators on images whose channels are digits, and how their modes are counted."""

from fgan.classifier import classifier
from fgan.convolutions import dcgan_generator, dcgan_variational
from fgan.metrics import stacked_modes
from fgan.population import seeded
from fgan.remedies import Remedied
from fgan.targets.stacked import Stacked

SHEET = 16  # images of each run that are kept for the figures
CLASSES = 10


def target(settings, data):
    return Stacked(data, settings["target"]["stack"])


def population(settings, runs, device="cpu", data=None):
    p = target(settings, data.to(device))
    channels, side = p.shape[0], p.shape[1]
    generator = dcgan_generator(settings["noise"]["dimension"], channels, side, **network(settings["generator"]))

    def variational(inputs):
        """V for points of so many values: packed images are more channels."""
        return dcgan_variational(inputs // side**2, side, **network(settings["variational"]))

    return Remedied(runs, p, generator, variational, settings, device)


def network(design):
    """The design's settings of a DCGAN as arguments of its function."""
    return {"widths" if key == "channels" else key: value for key, value in design.items()}


def observe(population):
    """Mean standard deviation of the pixels over samples: falls to zero where a generator collapses."""
    return {"spread": population.sample(population.settings["batch"], "watch").std(dim=1).mean(dim=1)}


def measured(x, p):
    """Modes and KL under every rule, and the headline rule by itself: one sample, whatever its confidence."""
    mode, confidence = stacked_modes.judged(x, classifier(p.images), p.count)
    found = stacked_modes.summary(mode, confidence, CLASSES**p.count)
    found |= {"modes": found["modes [1, confidence 0]"], "KL": found["KL [confidence 0]"]}
    return found | {"high quality": (confidence >= 0.9).double().mean(dim=1)}


def evaluate(population, steps, history):
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    return measured(samples, population.target), {"samples": samples[:, :SHEET].half()}


def baselines(settings, data=None):
    """Fresh stacks of P (ceiling), one image (floor), and the classifier that judges them."""
    p, measure, rows = target(settings, data), settings["measure"], []
    for seed in range(measure["baseline_seeds"]):
        x = p(p.draw((1, measure["samples"]), seeded("cpu", "stacked", "baseline", seed)))
        for name, samples in {"fresh samples of P": x, "one image": x[:, :1].expand_as(x)}.items():
            rows += [(name, seed, metric, float(value)) for metric, value in measured(samples, p).items()]
    judge = classifier(data)
    rows += [("classifier", 0, "accuracy", judge.accuracy), ("classifier", 0, "hash", int(judge.hash[:12], 16))]
    return rows, {"real": x[0, :SHEET].half()}
