"""Exact divergences between a one-dimensional mixture and a Gaussian, by quadrature, and where they are smallest.

A truncated integral of an infinite divergence is a plausible wrong number, so finiteness is decided first, from the
tails: with f(u) ~ u^a at infinity and u^-b at zero, the integrand q f(p/q) decays only if
    a / s_p^2 - (a - 1) / s_q^2 > 0   and   (1 + b) / s_q^2 - b / s_p^2 > 0,
where s_p is the standard deviation of the widest component of P.
"""

import math
from dataclasses import dataclass

import torch
from scipy.optimize import minimize

from fgan.divergences import DIVERGENCES


@dataclass(frozen=True)
class Generator:
    """What quadrature needs of a divergence: f(u), and its growth (a, b) at infinity and at zero."""

    f: object
    growth: tuple


def of(name):
    """The generator function of an entry of the table."""
    d = DIVERGENCES[name]
    return Generator(d.f, d.growth)


def effective(name, reach=150.0, step=1e-3):
    """h with h''(u) = f''(u) / u, h(1) = h'(1) = 0: what the alternative objective descends at the optimal V.

    With s = log u: dh'/ds = f''(e^s) and dh/ds = h' e^s, integrated outward from u = 1 on a fine grid, interpolated
    inside it and continued as a power beyond. Total variation, whose f'' is a point mass at u = 1, is its own.
    """
    if name == "total_variation":
        return of(name)
    tails, order = {}, {}
    for sign in (-1, 1):
        s = sign * torch.arange(0, reach, step, dtype=torch.float64)
        u = s.exp().requires_grad_()
        (second,) = torch.autograd.grad(DIVERGENCES[name].f_prime(u).sum(), u)
        tails[sign] = _integral(_integral(second, s) * s.exp(), s)
        far, near = -1, -1 - int(10 / step)
        order[sign] = float((second[far].log() - second[near].log()) / (s[far] - s[near]))
    # f'' ~ u^e gives h ~ u^(e + 1), unless a linear term (at infinity) or a constant or logarithm (at zero) leads.
    growth = (max(1.0, round(order[1] + 1, 6)), max(0.0, round(-order[-1] - 1, 6)))

    def h(u):
        s = u.log()
        position = (s.abs() / step).clamp(max=len(tails[1]) - 1.001)
        low = position.long()
        value = torch.where(
            s > 0, torch.lerp(tails[1][low], tails[1][low + 1], position - low),
            torch.lerp(tails[-1][low], tails[-1][low + 1], position - low))  # fmt: skip
        beyond = (s.abs() - reach).clamp(min=0)
        return value * torch.exp(beyond * torch.where(s > 0, growth[0], growth[1]))

    return Generator(h, growth)


def _integral(y, x):
    return torch.cat([y.new_zeros(1), torch.cumulative_trapezoid(y, x)])


def finite(generator, sd_p, sd_q):
    """Whether D_f(P||Q) is finite for tails of standard deviations sd_p and sd_q (both Gaussian)."""
    a, b = generator.growth
    return a / sd_p**2 - (a - 1) / sd_q**2 > 1e-12 and (1 + b) / sd_q**2 - b / sd_p**2 > 1e-12


def divergence(generator, mixture, mu, sigma, points=8001):
    """D_f(P || N(mu, sigma^2)) in nats for a one-dimensional mixture P; math.inf where it is infinite."""
    sd_p = float(mixture.variances.max().sqrt())
    sigma = abs(float(sigma))
    if not (math.isfinite(mu) and sigma > 0) or not finite(generator, sd_p, sigma):
        return math.inf
    # Wide enough that what is left out decays in both densities even where the finite integrand has heavy tails,
    # and fine enough around the model and every component, wherever they lie and however narrow they are.
    spans = [(float(mixture.means.mean()), 25 * max(sd_p, sigma)), (float(mu), 12 * sigma)]
    spans += [(float(m), 12 * float(v) ** 0.5) for m, v in zip(mixture.means, mixture.variances, strict=True)]
    sizes = (points, *(len(spans) - 1) * (points // 8,))
    grids = [torch.linspace(c - r, c + r, n, dtype=torch.float64) for (c, r), n in zip(spans, sizes, strict=True)]
    x = torch.cat(grids).sort().values
    log_q = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
    return float(torch.trapezoid(perspective(generator, mixture.log_density(x[:, None]), log_q), x))


def perspective(generator, log_p, log_q, edge=300.0):
    """q f(p/q) from the logarithms of p and q; f(u) / u for large u and f(u) for small u go on linearly in log u."""
    s = log_p - log_q
    ends = torch.tensor([-edge, 100 - edge, edge - 100, edge], dtype=s.dtype)
    f, f_ends = generator.f(s.clamp(-edge, edge).exp()), generator.f(ends.exp()) / ends.clamp(min=0).exp()
    below, above = (f_ends[1] - f_ends[0]) / 100, (f_ends[3] - f_ends[2]) / 100
    small = log_q.exp() * (f + torch.where(s < -edge, below * (s + edge), 0.0))
    large = log_p.exp() * (f * (-s.clamp(0, edge)).exp() + torch.where(s > edge, above * (s - edge), 0.0))
    # 0 times infinity: a point without mass.
    return torch.where(s > 0, large, small).nan_to_num(nan=0.0, posinf=math.inf)


def optimum(generator, mixture, starts=((0.0, 1.5), (1.3, 1.7), (-0.96, 0.4), (2.0, 1.6))):
    """(mu, sigma, D_f) of the Gaussian closest to the mixture, over the region where D_f is finite."""
    best = None
    for start in starts:
        found = minimize(
            lambda p: min(divergence(generator, mixture, p[0], p[1]), 1e6), start, method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 400},
        )  # fmt: skip
        if found.fun < 1e6 and (best is None or found.fun < best[2]):
            best = (float(found.x[0]), abs(float(found.x[1])), float(found.fun))
    return best
