"""Special case: GAN as a row of the table of divergences, against a textbook GAN from the same start."""

import contextlib
import math
from dataclasses import replace

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.engine.training import train
from fgan.metrics import kde

from . import textbook

SMALLEST = 1e-8  # smaller differences count as this: single precision rounds F to 1e-7


def population(settings, runs, device="cpu", data=None):
    images = targets.of(settings, device, data)
    return Population(runs, images, *networks.of(settings, images.dimension), settings, device)


def observe(population):
    """Returns nothing, because F is recorded at every step anyway."""
    return {}


def evaluate(population, steps, history):
    """The distance of the two trainings at first, the steps at which rounding separates them, and the end of each."""
    measure, images = population.settings["measure"], population.target
    loops, values = textbook.retrain(population)
    step = torch.tensor(steps, device=values.device)
    histories = {"population": history["F"], "textbook": values[step - 1]}
    difference = (histories["population"] - histories["textbook"]).abs()
    metrics = {("difference of F", "single precision"): difference[step <= measure["first"]].amax(dim=0)}
    metrics["difference of F", "double precision"] = in_double(population)
    for bound in measure["bounds"]:
        far = difference > bound
        metrics["step of difference", f"{bound:g}"] = torch.where(far.any(0), step[far.int().argmax(0)], math.nan)
    own = population.sample(measure["samples"], "evaluation")
    samples = {"population": own, "textbook": textbook.sampled(population, loops)}
    for way, f in histories.items():
        metrics["late F", way] = f[step > (1 - measure["late"]) * steps[-1]].mean(0)
        metrics["log-likelihood", way] = likelihood(samples[way], images, measure)
    for name in ("late F", "log-likelihood"):
        metrics[name, "difference"] = metrics[name, "population"] - metrics[name, "textbook"]
    ends = ends_of_quality(images, measure)
    scale = ends["training images"] - ends["one image"]
    metrics["quality", "difference"] = metrics["log-likelihood", "difference"] / scale
    return metrics, {"difference": difference.clamp(min=SMALLEST).log10().T}


def in_double(trained):
    """The largest difference of F over the first steps [runs] if both trainings compute in double precision.

    In single precision, a ReLU whose input is 0 up to rounding may be on in one training and off in the other; within
    a dozen steps Adam, which ignores the size of a gradient, turns that into a difference of most weights of G.
    """
    settings = trained.settings | {"steps": min(trained.settings["measure"]["first"], trained.settings["steps"])}
    images = replace(trained.target, train=trained.target.train.double())
    with default_dtype(torch.float64):
        again = population(settings, trained.runs[: trained.n_runs], trained.device, images)
        _, history, _ = train(again, observe)
        _, values = textbook.retrain(again)
    return (history["F"] - values).abs().amax(dim=0)


@contextlib.contextmanager
def default_dtype(dtype):
    """Makes draws and weights in this precision within the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def likelihood(samples, images, measure):
    """Mean log-likelihood of test images [runs] under a kernel density on samples [runs, n, d].

    The bandwidth is fitted to held-out images; nan if a run's samples are not finite.
    """
    held_out = images.held_out[: measure["bandwidth_images"]]
    bandwidth = kde.bandwidth_held_out(samples, held_out, kde.grid(*measure["bandwidths"]))
    return kde.log_likelihood(samples, images.test, bandwidth).mean(1)


def ends_of_quality(images, measure):
    """Log-likelihood of samplers without training: as many training images, and one of them with a little noise."""
    noise = 0.01 * torch.randn((measure["samples"], images.dimension), generator=torch.Generator().manual_seed(0))
    one = images.train[0] + noise.to(images.train)
    samplers = {"training images": images.train[: measure["samples"]], "one image": one}
    return {name: float(likelihood(samples[None], images, measure)) for name, samples in samplers.items()}


def baselines(settings, data=None):
    """The two samplers that define the scale of quality."""
    ends = ends_of_quality(data, settings["measure"])
    return [(name, "", 0, {"log-likelihood": value}) for name, value in ends.items()], {}
