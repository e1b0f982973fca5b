"""Figures of the table of divergences: generator functions, their conjugates, and the two terms of the objective."""

import itertools

import matplotlib.pyplot as plt
import torch

from fgan.divergences import DIVERGENCES
from fgan.report import figures

REACH = 3.0  # |t| of the conjugates


def generators():
    """f(u) and f*(t), on its domain, of every divergence."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(figures.WIDTH, 3.1))
    u = torch.linspace(1e-3, 4, 800, dtype=torch.float64)
    for (name, colour), dash in zip(figures.palette(DIVERGENCES).items(), itertools.cycle(["-", "--", "-."])):
        d = DIVERGENCES[name]
        low, high = max(d.domain[0], -REACH), min(d.domain[1], REACH)
        t = torch.linspace(low, high - 1e-6, 800, dtype=torch.float64)
        left.plot(u, d.f(u), color=colour, ls=dash, lw=1.1, label=d.label)
        right.plot(t, d.conjugate(t), color=colour, ls=dash, lw=1.1)
    left.set(xlabel="$u = p/q$", ylabel="$f(u)$", xlim=(0, 4), ylim=(-2.2, 3))
    right.set(xlabel="$t$", ylabel="$f^*(t)$", xlim=(-REACH, REACH), ylim=(-2.2, 3))
    for axis in (left, right):
        axis.axhline(0, lw=0.5, color=figures.GREY, zorder=0)
    figure.legend(loc="outside lower center", ncols=6)
    return figure


def terms():
    """g_f(v), the term that a data point adds to F, and -f*(g_f(v)), the term that a model sample adds, against v.

    The dotted line is the threshold f'(1): a point with T = g_f(v) above it counts as data.
    """
    lines = -(-len(DIVERGENCES) // 4)
    figure, axes = plt.subplots(lines, 4, figsize=(figures.WIDTH, 0.3 + 1.3 * lines), sharex=True, sharey=True)
    v = torch.linspace(-6, 6, 601, dtype=torch.float64)
    for axis, d in zip(axes.flat, DIVERGENCES.values(), strict=False):
        real = axis.plot(v, d.activation(v), color=figures.OBJECTIVES["saddle"], lw=1.3)
        fake = axis.plot(v, -d.conjugate_of_activation(v), color=figures.OBJECTIVES["alternative"], lw=1.3)
        level = axis.axhline(d.threshold, ls=":", lw=0.8, color=figures.GREY)
        axis.plot(d.threshold_v, d.threshold, "o", ms=3, color="black")
        axis.set(title=d.label, ylim=(-7, 4), xlim=(-6, 6))
    for axis in axes.flat[len(DIVERGENCES) :]:
        axis.set_visible(False)
    figure.legend(
        [*real, *fake, level], ["$g_f(v)$ (data)", "$-f^*(g_f(v))$ (samples)", "threshold $f'(1)$"],
        loc="outside upper center", ncols=3,
    )  # fmt: skip
    figure.supxlabel("output $v$ of the network V")
    return figure


FIGURES = {"generators": generators, "terms": terms}
