"""A device against the CPU: 20 steps in float64 of every architecture and every remedy, on the same draws.

On a GPU the steps are captured. Images are random, because their pixels decide no operation of a step.
"""

import contextlib
import functools
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from fgan import design, targets
from fgan.design import Shard, merge
from fgan.engine import machines
from fgan.engine.training import captured, rounds, step

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SCALES = ("smoke", "quick", "full", "extended")  # in this order, so most architectures are met at a small size
CUT = {"batch": 8, "pretraining": {"epochs": 1}}
WIDTH = 8  # the most units or channels that a layer keeps
IMAGES = 24  # in each part of a random image set
STEPS = 20


def cases():
    """Names <scale>/<experiment>/<arm> of arms that show all architectures, remedies and methods between them."""
    return list(_cases())


def disagreement(name, device="cuda"):
    """Largest |F - F'| over 20 steps and all runs of a case, F on the CPU and F' on the device, both in float64.

    The device "cpu" computes in the ways of a GPU, without its capture. Where |F| exceeds 1 the difference is relative;
    it is infinite where only one of the two is finite.
    """
    with double():
        make, largest = _cases()[name], 0.0
        reference = make()
        data, noise = reference.draws(0, max(rounds(reference), 1), rounds(reference) + 1)
        there = data.to(device), noise.to(device)
        with machines.as_on("cuda"):
            other = make(device)
            other.load(reference.state())
            first = (drawn[:, 0] for drawn in there)
            advance = captured(other, *first) if other.device.type == "cuda" else partial(step, other)
        for i in range(STEPS):
            mine = step(reference, data[:, i], noise[:, i])["F"]
            with machines.as_on("cuda"):
                theirs = advance(*(drawn[:, i] for drawn in there))["F"].to("cpu")
            largest = max(largest, apart(mine, theirs))
    return largest


def apart(one, other):
    """The largest difference of two vectors, relative where the first exceeds 1."""
    both = one.isfinite() & other.isfinite()
    if not torch.equal(one.isfinite(), other.isfinite()):
        return math.inf
    return ((one - other).abs() / one.abs().clamp(min=1))[both].max().item() if both.any() else 0.0


@contextlib.contextmanager
def double():
    """Populations that are made and drawn inside are of float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@functools.cache
def _cases():
    """{name: function of a device that makes the population}, the first arm of each kind."""
    found = {}
    for scale in SCALES:
        for experiment in design.find(EXPERIMENTS):
            chosen = design.load(experiment, scale, EXPERIMENTS)
            for arm, values in chosen.arms.items():
                make = partial(population, chosen, arm, small(values), scale)
                found.setdefault(kind(make("meta")), (f"{scale}/{experiment}/{arm}", make))
    return dict(found.values())


def small(values):
    """The settings of an arm with a small batch and narrow layers."""
    cut = {key: value for key, value in CUT.items() if key in values}
    for network in {"generator", "variational"} & set(values):
        cut[network] = {
            key: [min(width, WIDTH) for width in values[network][key]]
            for key in ("hidden", "channels") if key in values[network]
        }  # fmt: skip
    return merge(values, cut)


def population(chosen, arm, settings, scale, device="cpu"):
    """The runs of the first seed of an arm: all of them at smoke, those of two divergences elsewhere."""
    few = settings["divergences"] if scale == "smoke" else settings["divergences"][:2]
    runs = Shard(chosen.name, arm, 0, 0, settings | {"divergences": few}).runs
    return chosen.run.population(settings, runs, device, images(settings))


def images(settings):
    """An image set of random pixels in the shape of a design's own; None for another target."""
    blank = targets.blank(settings)
    if blank is None:
        return None
    generator, parts = torch.Generator().manual_seed(0), ("train", "held_out", "test")
    pixels = torch.randint(256, (3, IMAGES, blank.dimension), generator=generator)
    pixels = pixels.to(torch.uint8) if blank.train.dtype == torch.uint8 else pixels / 255
    return replace(blank, **dict(zip(parts, pixels, strict=True)))


def kind(population):
    """What decides the operations of a population's step, apart from the widths and numbers of its layers."""
    settings, networks = population.settings, (population.generator, population.variational)
    optimiser, model = settings["optimiser"], settings.get("model", {})
    return repr((
        type(population).__name__, type(population.target).__name__, settings["method"]["kind"],
        [sorted({layer_kind(layer) for layer in network.layers}) for network in networks],
        [remedy["kind"] for remedy in settings.get("remedies", [])],
        (optimiser["kind"], "clip" in optimiser, optimiser["generator"] == 0), settings.get("fresh"),
        sorted(model), model.get("binary"), settings.get("estimator", {}).get("kind"), settings["noise"]["kind"],
    ))  # fmt: skip


def layer_kind(layer):
    """A layer's class, its settings, and the kernel of a convolution."""
    own = [str(getattr(layer, name, "")) for name in ("name", "settings", "pieces")]
    inner = layer_kind(layer.layer) if hasattr(layer, "layer") else ""
    return f"{type(layer).__name__} {own} {[shape[2:] for shape in layer.shapes]} {inner}"
