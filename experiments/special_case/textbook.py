"""A textbook GAN: torch.nn, binary cross-entropy and torch.optim.Adam, one run after the other."""

import torch
from torch import nn

from fgan.engine.population import CHUNK, seeded

LAYERS = {"relu": nn.ReLU, "elu": nn.ELU, "sigmoid": nn.Sigmoid}


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
    """A GAN of one run, labels 1 for data and 0 for samples of the generator.

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
    loops = [Textbook(population, run) for run in population.runs[: population.n_runs]]
    values = []
    for at in range(population.settings["steps"]):
        if at % CHUNK == 0:
            data, noise = population.draws(at // CHUNK, 1, 1)
        batches = [(data[loop.stream, at % CHUNK, 0], noise[loop.stream, at % CHUNK, 0]) for loop in loops]
        values += [loop.step(population.target(x), z) for loop, (x, z) in zip(loops, batches, strict=True)]
    return loops, torch.stack(values).view(-1, len(loops))


@torch.no_grad()
def sampled(population, loops):
    """Samples of the textbook generators [runs, count, x] from the noise that the population samples with."""
    count, batch = population.settings["measure"]["samples"], population.settings["batch"]
    samples = []
    for loop in loops:
        stream = seeded(population.device, population.streams[loop.stream], "evaluation")
        parts = [loop.generator(population.noise((batch,), stream)) for _ in range(-(-count // batch))]
        samples.append(torch.cat(parts)[:count])
    return torch.stack(samples)
