"""Textbook: GAN as a row of the table of divergences, against a GAN of binary cross-entropy from the same start."""

import contextlib
import math
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from fgan.metrics import kde
from fgan.networks import mlp
from fgan.population import CHUNK, Population, seeded
from fgan.training import train

LAYERS = {"relu": nn.ReLU, "elu": nn.ELU, "sigmoid": nn.Sigmoid}
SMALLEST = 1e-8  # a difference below is none: single precision rounds F to 1e-7


def population(settings, runs, device="cpu", data=None):
    images = data.to(device)
    generator = mlp(settings["noise"]["dimension"], images.dimension, **settings["generator"])
    variational = mlp(images.dimension, 1, **settings["variational"])
    return Population(runs, images, generator, variational, settings, device)


def observe(population):
    """Nothing beside F, which is recorded at every step."""
    return {}


def sequential(inputs, outputs, hidden, activation, batch_norm=False, output=None, init=None):
    """The perceptron in torch.nn; its initial weights come from the run."""
    layers = []
    for width in hidden:
        layers += [nn.Linear(inputs, width)]
        layers += [nn.BatchNorm1d(width, track_running_stats=False)] if batch_norm else []
        layers += [LAYERS[activation]()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs), *([LAYERS[output]()] if output else []))


class Textbook:
    """A GAN of one run with binary cross-entropy, labels 1 for data and 0 for samples of the generator.

    It starts from the run's initial weights. V ends in a logit, so D = sigmoid(V) stands inside the loss.
    """

    loss = staticmethod(nn.BCEWithLogitsLoss())

    def __init__(self, population, run):
        settings, dimension = population.settings, population.target.dimension
        self.objective, self.stream = run.objective, population.streams.index(run.stream)
        self.generator = sequential(settings["noise"]["dimension"], dimension, **settings["generator"])
        self.variational = sequential(dimension, 1, **settings["variational"])
        self.optimisers = {}
        for name in ("variational", "generator"):
            module, network = getattr(self, name), getattr(population, name)
            views = network.views(network.start(seeded("cpu", run.stream, "weights", name))[None])
            for parameter, view in zip(module.parameters(), views, strict=True):
                # nn.Linear keeps its weight as [outputs, inputs]. GAN's V starts at 0: its output bias needs no shift.
                parameter.data.copy_(view[0].mT if parameter.dim() == 2 else view.flatten())
            module.to(population.device)
            betas = (settings["optimiser"]["beta1"], 0.999)
            self.optimisers[name] = torch.optim.Adam(module.parameters(), settings["optimiser"][name], betas)

    def losses(self, x, z):
        """The discriminator's loss, and the generator's: minimax (saddle) or non-saturating (alternative)."""
        real, fake = self.variational(x), self.variational(self.generator(z))
        ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
        caught = self.loss(fake, zeros)
        return self.loss(real, ones) + caught, -caught if self.objective == "saddle" else self.loss(fake, ones)

    def step(self, x, z):
        """One step of both networks from the same iterate; returns F, the discriminator's loss with the other sign."""
        loss, generator_loss = self.losses(x, z)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        loss.backward(inputs=list(self.variational.parameters()), retain_graph=True)
        generator_loss.backward(inputs=list(self.generator.parameters()))
        for optimiser in self.optimisers.values():
            optimiser.step()
        return -loss.detach()


def retrain(population):
    """Textbook loops of the population's runs, trained on its draws, and their F [steps, runs]."""
    loops = [Textbook(population, run) for run in population.runs[: population.wanted]]
    values = []
    for at in range(population.settings["steps"]):
        if at % CHUNK == 0:
            data, noise = population.draws(at // CHUNK, 1, 1)
        batches = [(data[loop.stream, at % CHUNK, 0], noise[loop.stream, at % CHUNK, 0]) for loop in loops]
        values += [loop.step(population.target(x), z) for loop, (x, z) in zip(loops, batches, strict=True)]
    return loops, torch.stack(values).view(-1, len(loops))


def sampled(population, loops):
    """Samples of the textbook generators [runs, count, x] from the noise that the population samples with."""
    count, batch = population.settings["measure"]["samples"], population.settings["batch"]
    found = []
    for loop in loops:
        stream = seeded(population.device, population.streams[loop.stream], "evaluation")
        with torch.no_grad():
            parts = [loop.generator(population.noise((batch,), stream)) for _ in range(-(-count // batch))]
        found.append(torch.cat(parts)[:count])
    return torch.stack(found)


def evaluate(population, steps, history):
    """How far both ways are apart at first, when rounding parts them, and what becomes of each."""
    rule, images = population.settings["measure"], population.target
    loops, values = retrain(population)
    step = torch.tensor(steps, device=values.device)
    ways = {"population": history["F"], "textbook": values[step - 1]}
    difference = (ways["population"] - ways["textbook"]).abs()
    metrics = {"difference of F [first steps]": difference[step <= rule["first"]].amax(dim=0)}
    metrics["difference of F [first steps, double]"] = in_double(population)
    for bound in rule["bounds"]:
        far = difference > bound
        metrics[f"step of difference [{bound:g}]"] = torch.where(far.any(0), step[far.int().argmax(0)], math.nan)

    late = {way: f[step > (1 - rule["late"]) * steps[-1]].mean(0) for way, f in ways.items()}
    samples = {"population": population.sample(rule["samples"], "evaluation"), "textbook": sampled(population, loops)}
    likelihoods = {way: likelihood(points, images, rule) for way, points in samples.items()}
    for name, found in {"late F": late, "log-likelihood": likelihoods}.items():
        metrics |= {f"{name} [{way}]": value for way, value in found.items()}
        metrics[f"{name} [difference]"] = found["population"] - found["textbook"]
    ends = references(images, rule)
    scale = ends["training images"] - ends["one image"]
    metrics["quality [difference]"] = metrics["log-likelihood [difference]"] / scale
    return metrics, {"difference": difference.clamp(min=SMALLEST).log10().T}


def in_double(trained):
    """The largest difference of F over the first steps [runs] where both ways compute in double precision.

    In single precision an input of a ReLU that is 0 up to rounding may turn its unit on in one way and not in the
    other; within a dozen steps Adam, blind to the size of a gradient, makes that a difference of most weights of G.
    """
    settings = trained.settings | {"steps": min(trained.settings["measure"]["first"], trained.settings["steps"])}
    images = replace(trained.target, train=trained.target.train.double())
    with default_dtype(torch.float64):
        again = population(settings, trained.runs[: trained.wanted], trained.device, images)
        _, history, _ = train(again, observe)
        _, values = retrain(again)
    return (history["F"] - values).abs().amax(dim=0)


@contextlib.contextmanager
def default_dtype(dtype):
    """Draws and weights of this precision within the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def likelihood(samples, images, rule):
    """Mean log-likelihood of test images [runs] under a kernel density on samples [runs, n, d].

    The bandwidth is fitted to held-out images; nan where a run's samples are not finite.
    """
    smallest, largest, number = rule["bandwidths"]
    grid = np.geomspace(smallest, largest, int(number)).tolist()
    bandwidth = kde.bandwidth_held_out(samples, images.held_out[: rule["bandwidth_images"]], grid)
    return kde.log_likelihood(samples, images.test, bandwidth).mean(1)


def references(images, rule):
    """Log-likelihood of samplers without training: as many training images, and one of them with a little noise."""
    noise = 0.01 * torch.randn((rule["samples"], images.dimension), generator=torch.Generator().manual_seed(0))
    samplers = {
        "training images": images.train[: rule["samples"]],
        "one image": images.train[0] + noise.to(images.train),
    }
    return {name: float(likelihood(points[None], images, rule)) for name, points in samplers.items()}


def baselines(settings, data=None):
    """The ends of the scale of quality."""
    ends = references(data, settings["measure"])
    return [(name, 0, "log-likelihood", value) for name, value in ends.items()], {}
