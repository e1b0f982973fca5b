"""The paper's tables of divergences: each printed formula with a numerical check.

The checks use two distributions P and Q on four points and the supremum over V, point by point.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from fgan.check.checks import convex
from fgan.check.search import F64, UNBOUNDED, P, Q, gradient, supremum
from fgan.divergences import DIVERGENCES, Divergence
from fgan.report.printed import number

PI = 0.3  # weight of the weighted Jensen-Shannon divergence in the table
HOLDS, FAILS = r"\holds", r"\fails"


class Printed(NamedTuple):
    """The paper's formulas of a divergence beside f: D_f(P||Q), the optimal T at u = p/q, the supplement's g_f."""

    integral: str
    divergence: Callable[[Tensor, Tensor], Tensor]
    optimal: str
    variational: Callable[[Tensor], Tensor]
    activation: str
    function: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor] | None = None  # if the code has another form of it
    conjugate_latex: str = ""  # if the code has another formula


def kl(p, q):
    return (p * (p / q).log()).sum()


def _js(p, q):
    return kl(p, (p + q) / 2) + kl(q, (p + q) / 2)


def _alpha(a):
    return Printed(
        r"\frac{1}{\alpha(\alpha-1)}\int(p^\alpha q^{1-\alpha}-q-\alpha(p-q))",
        lambda p, q: (p**a * q ** (1 - a) - q - a * (p - q)).sum() / (a * (a - 1)),
        r"\frac{1}{\alpha-1}((p/q)^{\alpha-1}-1)", lambda u: (u ** (a - 1) - 1) / (a - 1),
        *(("v", lambda v: v) if a > 1 else
          (r"\frac{1}{1-\alpha}-\log(1+e^{-v})", lambda v: 1 / (1 - a) - torch.log1p(torch.exp(-v)))),
        lambda t: (t * (a - 1) + 1) ** (a / (a - 1)) / a - 1 / a,
        r"\frac1\alpha(t(\alpha-1)+1)^{\frac{\alpha}{\alpha-1}}-\frac1\alpha",
    )  # fmt: skip


# fmt: off
PRINTED = {
    "total_variation": Printed(
        r"\frac12\int|p-q|", lambda p, q: (p - q).abs().sum() / 2,
        r"\frac12\operatorname{sign}(p/q-1)", lambda u: torch.sign(u - 1) / 2,
        r"\frac12\tanh v", lambda v: torch.tanh(v) / 2),
    "kl": Printed(
        r"\int p\log(p/q)", kl, r"1+\log(p/q)", lambda u: 1 + u.log(), "v", lambda v: v),
    "reverse_kl": Printed(
        r"\int q\log(q/p)", lambda p, q: kl(q, p), "-q/p", lambda u: -1 / u, "-e^v", lambda v: -torch.exp(v)),
    "pearson": Printed(
        r"\int(q-p)^2/p", lambda p, q: ((q - p) ** 2 / p).sum(), "2(p/q-1)", lambda u: 2 * (u - 1), "v", lambda v: v),
    "neyman": Printed(
        r"\int(p-q)^2/p", lambda p, q: ((p - q) ** 2 / p).sum(), "1-(q/p)^2", lambda u: 1 - u**-2,
        "1-e^v", lambda v: 1 - torch.exp(v)),
    "squared_hellinger": Printed(
        r"\int(\sqrt p-\sqrt q)^2", lambda p, q: ((p.sqrt() - q.sqrt()) ** 2).sum(),
        r"(\sqrt{p/q}-1)\sqrt{q/p}", lambda u: (u.sqrt() - 1) * (1 / u).sqrt(), "1-e^v", lambda v: 1 - torch.exp(v)),
    "jeffrey": Printed(
        r"\int(p-q)\log(p/q)", lambda p, q: ((p - q) * (p / q).log()).sum(),
        r"1+\log(p/q)-q/p", lambda u: 1 + u.log() - 1 / u, "v", lambda v: v),
    "jensen_shannon": Printed(
        r"\frac12\int p\log\frac{2p}{p+q}+q\log\frac{2q}{p+q}", lambda p, q: _js(p, q) / 2,
        r"\log\frac{2p}{p+q}", lambda u: (2 * u / (1 + u)).log(),
        r"\log2-\log(1+e^{-v})", lambda v: math.log(2) - torch.log1p(torch.exp(-v))),
    "jensen_shannon_weighted": Printed(
        r"\pi\KL(p\|m)+(1-\pi)\KL(q\|m)",
        lambda p, q: PI * kl(p, PI * p + (1 - PI) * q) + (1 - PI) * kl(q, PI * p + (1 - PI) * q),
        r"\pi\log\frac{p}{(1-\pi)q+\pi p}", lambda u: PI * (u / (1 - PI + PI * u)).log(),
        r"-\pi\log\pi-\log(1+e^{-v})", lambda v: -PI * math.log(PI) - torch.log1p(torch.exp(-v)),
        lambda t: (1 - PI) * ((1 - PI) / (1 - PI * torch.exp(t / PI))).log()),
    "gan": Printed(
        r"\int p\log\frac{2p}{p+q}+q\log\frac{2q}{p+q}-\log4", lambda p, q: _js(p, q) - math.log(4),
        r"\log\frac{p}{p+q}", lambda u: (u / (1 + u)).log(), r"-\log(1+e^{-v})", lambda v: -torch.log1p(torch.exp(-v)),
        lambda t: -(1 - torch.exp(t)).log()),
    "alpha_3": _alpha(3),
    "alpha_m2": _alpha(-2),
}
# fmt: on


def conjugate(d: Divergence, t):
    """f*(t) = sup over u >= 0 of t u - f(u), searched; infinite if it has no bound."""
    at_zero = -d.f(torch.zeros(1, dtype=F64))
    largest = supremum(lambda v: t * v.abs() - d.f(v.abs()), len(t)).maximum(at_zero)
    return torch.where(largest > UNBOUNDED, math.inf, largest)


def same(one, other, tolerance=1e-6):
    return bool(torch.isclose(one, other, rtol=tolerance, atol=tolerance).all())


def cell(formula, holds, note=""):
    """A formula with the mark of its check; for a formula that fails, the note says where it holds."""
    return f"${formula}$ {HOLDS if holds else FAILS}" + (f" (${note}$)" if note else "")


def definitions():
    """The paper's Table 1 with the supplement's Table 5: D_f, f and T* as printed, each with its check.

    D_f against the sum of q f(p/q) over the points of P and Q; f convex with f(1) = 0; T* against the slope of f.
    """
    u, one, rows = torch.logspace(-3, 3, 121, dtype=F64), torch.ones(1, dtype=F64), []
    for name, printed in PRINTED.items():
        d = DIVERGENCES[name]
        rows.append({
            "Divergence": d.label,
            r"$D_f(P\|Q)$": cell(printed.integral, same(printed.divergence(P, Q), (Q * d.f(P / Q)).sum())),
            "$f(u)$": cell(d.latex.f, convex(d) is None and same(d.f(one), 0 * one)),
            "$T^*(x)$": cell(printed.optimal, same(printed.variational(u), gradient(d.f, u))),
        })  # fmt: skip
    return pd.DataFrame(rows)


def activation(function, domain):
    """(whether the function maps the line onto the domain, whether it increases)."""
    g = function(torch.linspace(-40, 40, 1601, dtype=F64))
    ends = torch.stack([torch.stack([g.min(), g.max()]), torch.tensor(domain, dtype=F64)]).clamp(-6, 6)
    return same(*ends, 1e-3), bool((g.diff() >= 0).all())


def activations():
    """The paper's Table 2 with the supplement's Table 6: dom f*, f*, g_f and f'(1) as printed, each with its check.

    dom f*: f* is infinite beside it. f*: the supremum over u >= 0, on the domain. g_f: onto the domain, increasing.
    """
    one, rows = torch.ones(1, dtype=F64), []
    for name, printed in PRINTED.items():
        d = DIVERGENCES[name]
        low, high = d.domain
        beside = torch.tensor([end for end in (low - 0.5, high + 0.5) if math.isfinite(end)], dtype=F64)
        t = torch.linspace(max(low, -6.0), min(high, 6.0) - 1e-3, 601, dtype=F64)
        wrong = ~torch.isclose((printed.conjugate or d.conjugate)(t), conjugate(d, t), rtol=1e-4, atol=1e-4)
        onto, rises = activation(printed.function, d.domain)
        rows.append({
            "Divergence": d.label,
            r"$\mathrm{dom}\, f^*$": cell(d.latex.domain, bool(conjugate(d, beside).isinf().all())),
            "$f^*(t)$": cell(
                printed.conjugate_latex or d.latex.conjugate, not wrong.any(),
                rf"t\geq{number(float(t[wrong][-1]), 2)}".replace("$", "") if wrong.any() else ""),
            "$g_f(v)$, supplement": cell(printed.activation, onto and rises, "" if rises else r"-v"),
            "$g_f(v)$, main text and here": cell(d.latex.activation, all(activation(d.activation, d.domain))),
            "$f'(1)$": cell(d.latex.threshold, same(gradient(d.f, one), d.threshold * one)),
        })  # fmt: skip
    return pd.DataFrame(rows)


TABLES = {"definitions": definitions, "activations": activations}
