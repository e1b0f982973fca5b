"""Snapshots: generators that a GAN trained for a while, judged by variational networks from scratch."""

import math

import torch

from fgan.design import Run
from fgan.engine import networks, objectives
from fgan.engine.population import Population, seeded
from fgan.engine.training import gradients, train

LARGEST = 300.0  # |log10| of a norm or a ratio is cut off here, because float64 ends at 308


class Snapshot(Population):
    """A population whose generators start from the end of a GAN training with `settings["pretraining"]`.

    With the generator's rate 0 they stay fixed, and only V is trained. The earlier training depends on the experiment
    and the seed, not on the arm: a snapshot after 10 epochs is the one after 1 epoch, trained on, and all divergences
    of a seed share it. V, its data and its noise are new, and V may be another network than the one that the generator
    was trained against. Source: Arjovsky and Bottou 2017, arXiv:1701.04862, sec. 2.
    """

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        if self.device.type != "meta":
            self.theta.copy_(self.pretrained()[self.stream_of])
        self.start = self.theta.clone()

    def pretrained(self):
        """Parameters of the trained generators, a row for each stream [streams, parameters]."""
        before = self.settings["pretraining"]
        steps = math.ceil(before["epochs"] * len(self.target.train) / self.settings["batch"])
        method = {"optimiser": before["optimiser"], "method": {"kind": "single_step"}, "steps": steps, "history": steps}
        runs = [
            Run(f"{run.experiment}/pretraining", run.arm, before["divergence"], before["objective"], run.seed)
            for run in {run.stream: run for run in self.runs}.values()
        ]
        own = self.settings | method | {"variational": before["variational"]}
        game = Population(runs, self.target, *networks.of(own, self.target.dimension), own, self.device)
        train(game, lambda _: {})
        return game.theta.detach()


def watched(population):
    """F, V's accuracy and the norm of G's would-be gradient on one fixed batch of training images and noise [runs].

    The gradient is that of the saddle and of the alternative objective for the same V; accuracy is the mean of the
    shares of real and of generated points on the right side of V's start, where g_f(v) = f'(1). The ratio r that V
    implies, T = f'(r), is read off both gradients in v, since (f*)'(f'(r)) = r: the mean of log10 r over the fakes. In
    float64, so that rounding is not taken for a vanished gradient, nor an overflow for an infinite one.
    """
    streams = [seeded(population.device, stream, "watch") for stream in population.streams]
    shape = (population.settings["batch"],)
    x = population.target(torch.stack([population.target.draw(shape, g) for g in streams]))
    z = population.spread(torch.stack([population.noise(shape, g) for g in streams])).double()
    theta = [view.detach().double().requires_grad_() for view in population.theta_views]
    omega = [view.detach().double() for view in population.omega_views]
    norms, slopes = {}, {}
    with torch.enable_grad():
        v_real = population.variational(omega, population.spread(x).double())
        v_fake = population.variational(omega, population.generator(theta, z))
        for name in ("saddle", "alternative"):
            parts = [(d, first, last, last if name == "saddle" else first) for d, first, last, _ in population.slices]
            value, loss = objectives.value_and_loss(parts, v_real, v_fake)
            (slopes[name],) = torch.autograd.grad(loss.sum(), v_fake, retain_graph=True)
            norm = gradients(loss, theta, retain_graph=True).square().sum(dim=1).sqrt()
            # Infinite if a norm overflows float64, or if an infinite gradient has made it undefined.
            norms["gradient", name] = norm.nan_to_num(nan=math.inf, posinf=math.inf)
    ratio = log_norm(slopes["saddle"] / slopes["alternative"]).mean(dim=(1, 2))
    return {"fresh F": value.detach(), "accuracy": accuracy(population, v_real, v_fake), "ratio": ratio} | norms


def log_norm(norms):
    """log10, cut off at the ends of float64."""
    return norms.log10().clamp(-LARGEST, LARGEST)


def accuracy(population, v_real, v_fake):
    """Mean share of real and of generated points [runs, points, 1] on the right side of V's start [runs]."""
    threshold = population.output_bias().double()[:, None, None]
    right = (v_real > threshold, v_fake < threshold)
    return sum(side.double().mean(dim=(1, 2)) for side in right) / 2
