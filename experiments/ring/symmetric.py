"""Symmetric f-divergences: which of the table's entries are, and whether they fall to 0 together on sequences of Q.

D_f is symmetric in P and Q if f(u) - f(1) = u (f(1/u) - f(1)) but for a multiple of u - 1. Then, with V = TV(P, Q),
    (1 - V) f((1 + V) / (1 - V)) <= D_f <= 2 f(0) V    for f with f(1) = f'(1) = 0,
so where f(0) is finite D_f and V fall to 0 together; where it is not (Jeffrey), V may fall alone.
"""

import math

import torch

from fgan.divergences import DIVERGENCES
from fgan.metrics.exact import ConvexFunction, perspective

POINTS, REACH = 40_001, 60.0  # of the quadrature on a line


def normalised(d):
    """f of a divergence with f(1) = f'(1) = 0, which D_f does not see but for the constant f(1)."""
    one = torch.ones((), dtype=torch.float64)
    slope = 0.0 if d.name == "total_variation" else d.f_prime(one)  # a corner at 1
    return lambda u: d.f(u) - d.f(one) - slope * (u - 1)


def symmetric():
    """{name: normalised f} of the entries that are symmetric in P and Q."""
    u = torch.logspace(-3, 3, 61, dtype=torch.float64)
    functions = {name: normalised(d) for name, d in DIVERGENCES.items()}
    return {name: f for name, f in functions.items() if torch.allclose(f(u), u * f(1 / u), rtol=1e-9, atol=1e-12)}


def sequences(steps=10):
    """{name: [(log p, log q, x) of each step]} for P = N(0, 1) and two sequences of Q that approach it.

    Q = N(d, 1) with d = 2^-k, and P with a stray mode of the weight e = 2^-k. That mode lies at sqrt(2 / e), so far
    that it costs Jeffrey's divergence 1 + e log e.
    """
    x = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    p, sizes = _log_normal(x), [2.0**-k for k in range(1, steps + 1)]
    stray = [torch.logaddexp(math.log1p(-e) + p, math.log(e) + _log_normal(x - math.sqrt(2 / e))) for e in sizes]
    return {"Q shifts less": [(p, _log_normal(x - d), x) for d in sizes], "Q strays less": [(p, q, x) for q in stray]}


def _log_normal(x):
    return -x.square() / 2 - math.log(2 * math.pi) / 2


def exact(f, log_p, log_q, x):
    """D_f(P||Q) of two densities on a line, by the trapezoidal rule."""
    return float(torch.trapezoid(perspective(ConvexFunction(f, (1, 0)), log_p, log_q), x))


def bounds(f, v):
    """The least and the largest D_f of a symmetric f at the total variation v < 1 (Gilardoni 2006)."""
    v = torch.tensor(v, dtype=torch.float64)
    return float((1 - v) * f((1 + v) / (1 - v))), float(2 * f(torch.zeros_like(v)) * v)


def rows():
    """Rows (sequence, divergence, "", metrics) of the symmetric divergences along both sequences."""
    functions, found = symmetric(), []
    for sequence, pairs in sequences().items():
        values = {name: [exact(f, *pair) for pair in pairs] for name, f in functions.items()}
        for name, f in functions.items():
            limits = [bounds(f, v) for v in values["total_variation"]]
            outside = [max(low - d, d - high) for d, (low, high) in zip(values[name], limits, strict=True)]
            ends = {"first divergence": values[name][0], "last divergence": values[name][-1]}
            found.append((sequence, name, 0, ends | {"outside the bounds": max(outside)}))
    return found
