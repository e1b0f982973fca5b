"""Figures of the table of divergences: generator functions, their conjugates, and the two terms of the objective."""

import matplotlib.pyplot as plt
import torch

from fgan.divergences import DIVERGENCES
from fgan.report import figures

REACH = 3.0  # |t| of the conjugates


def generators():
    """f(u) and, on its domain, f*(t) of every divergence, each beside those of all others."""
    figure, axes = figures.panels(len(DIVERGENCES), 1.3, top=0.3, sharex=True, sharey=True)
    u, curves = torch.linspace(1e-3, REACH + 1, 800, dtype=torch.float64), {}
    for name, d in DIVERGENCES.items():
        low, high = max(d.domain[0], -REACH), min(d.domain[1], REACH + 1)
        t = torch.linspace(low, high - 1e-6, 800, dtype=torch.float64)
        curves[name] = ((u, d.f(u)), (t, d.conjugate(t)))
    for axis, (name, own) in zip(axes, curves.items(), strict=True):
        for other in curves.values():
            axis.plot(*other[0], color="#dddddd", lw=0.5, zorder=0)
        drawn = [
            axis.plot(*curve, color=colour, lw=1.3)[0]
            for curve, colour in zip(own, figures.OBJECTIVES.values(), strict=True)
        ]
        axis.axhline(0, lw=0.5, color=figures.GREY, zorder=0)
        axis.set(title=DIVERGENCES[name].label, xlim=(-REACH, REACH + 1), ylim=(-2.2, 3))
    handles = [*drawn, figures.line(color="#dddddd", lw=0.8)]
    figure.legend(handles, ["$f(u)$", "$f^*(t)$", "$f(u)$ of the others"], loc="outside upper center", ncols=3)
    figure.supxlabel("$u=p/q$, or $t$")
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
