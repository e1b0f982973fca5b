"""The searches behind the checks: derivatives, suprema, and the points on which formulas are compared."""

import math

import torch

F64 = torch.float64
U = torch.logspace(-3, 3, 121, dtype=F64)  # ratios p/q; holds u = 1
LINE = torch.arange(-150, 151, dtype=F64) / 10  # outputs of V
UNBOUNDED = 1e7  # the search exceeds this if a function has no bound
P = torch.tensor([0.50, 0.30, 0.15, 0.05], dtype=F64)
Q = torch.tensor([0.10, 0.20, 0.30, 0.40], dtype=F64)


def gradient(function, x):
    """The derivative of an elementwise function at x."""
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


def supremum(objective, n, low=-24.0, high=24.0):
    """The maximum of n functions of x in sinh([low, high]), |x| to about 1e10: a grid in asinh(x), refined."""
    lo, hi = torch.full((n,), low, dtype=F64), torch.full((n,), high, dtype=F64)
    grid = torch.linspace(0, 1, 401, dtype=F64)[:, None]
    for _ in range(4):
        s = lo + (hi - lo) * grid
        value = objective(torch.sinh(s)).nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
        best = value.argmax(0, keepdim=True)
        lo, hi = (s.gather(0, (best + k).clamp(0, 400))[0] for k in (-1, 1))
    return value.amax(0)


def reached(real, fake, p=P, q=Q):
    """The supremum over free V of F = E_P[real(V)] - E_Q[fake(V)]; infinite if it has no bound."""
    largest = float(supremum(lambda v: p * real(v) - q * fake(v), len(p)).sum())
    return largest if largest < UNBOUNDED else math.inf


def overflow(function, v):
    """Which v the function maps to a value that single precision can hold, yet not in single precision."""
    exact = function(v.double())
    return ~(exact.abs() >= torch.finfo(torch.float32).max / 1.001) & ~function(v.float()).isfinite()
