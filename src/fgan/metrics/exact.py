"""Exact divergences between a one-dimensional mixture and a Gaussian, by quadrature, and their minimisers.

A truncated integral of an infinite divergence gives a plausible wrong number, so finiteness is decided first, from the
tails: with f(u) ~ u^a at infinity and u^-b at zero, the integrand q f(p/q) decays only if
    a / s_p^2 - (a - 1) / s_q^2 > 0   and   (1 + b) / s_q^2 - b / s_p^2 > 0,
where s_p is the standard deviation of the widest component of P.
"""

import math
from dataclasses import dataclass

import torch

from fgan.divergences import DIVERGENCES

# Models integrated at once, to fit a CPU's cache or to fill a GPU; a model's value does not depend on the number.
MODELS = {"cpu": 8, "cuda": 256}


@dataclass(frozen=True)
class ConvexFunction:
    """f of a divergence as quadrature needs it: f(u), and its growth (a, b) at infinity and at zero."""

    f: object
    growth: tuple


def convex(name):
    """f of an entry of the table."""
    d = DIVERGENCES[name]
    return ConvexFunction(d.f, d.growth)


def effective(name, reach=150.0, step=1e-3):
    """h with h''(u) = f''(u) / u, h(1) = h'(1) = 0: the alternative objective descends D_h at the optimal V.

    With s = log u: dh'/ds = f''(e^s) and dh/ds = h' e^s, integrated outward from u = 1 on a fine grid, interpolated
    inside it and continued as a power beyond. Total variation, whose f'' is a point mass at u = 1, stays itself.
    """
    if name == "total_variation":
        return convex(name)
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

    return ConvexFunction(h, growth)


def _integral(y, x):
    return torch.cat([y.new_zeros(1), torch.cumulative_trapezoid(y, x)])


def finite(function, sd_p, sd_q):
    """Whether D_f(P||Q) is finite for tails of standard deviations sd_p and sd_q (both Gaussian), elementwise."""
    a, b = function.growth
    return (a / sd_p**2 - (a - 1) / sd_q**2 > 1e-12) & ((1 + b) / sd_q**2 - b / sd_p**2 > 1e-12)


def divergence(function, mixture, mu, sigma, points=8001):
    """D_f(P || N(mu, sigma^2)) in nats of one model, a number (see divergences)."""
    models = torch.tensor([[mu], [sigma]], dtype=torch.float64, device=mixture.means.device)
    return float(divergences([function], mixture, *models, points))


@torch.no_grad()
def divergences(functions, mixture, mu, sigma, points=8001):
    """D_f(P || N(mu, sigma^2)) in nats for a one-dimensional mixture P; math.inf if it is infinite.

    One row for each function, one column for each model: [functions, models] for mu and sigma [models],
    float64 on their device. A model that is no distribution gets math.inf.
    """
    models = torch.stack([mu, sigma.abs()]).to(torch.float64)
    parts = [_quadrature(functions, mixture, *part, points) for part in models.split(MODELS[mu.device.type], dim=1)]
    return torch.cat(parts, dim=1)


def _quadrature(functions, mixture, mu, sigma, points):
    sd_p = mixture.variances.max().sqrt()
    proper = mu.isfinite() & sigma.isfinite() & (sigma > 0)
    mu, sigma = mu.where(proper, 0.0), sigma.where(proper, 1.0)
    # Wide enough that both densities have decayed at the ends even if the finite integrand has heavy tails,
    # and fine enough around the model and every component, however far or narrow they are.
    spans = [(mixture.means.mean(), 25 * sigma.clamp_min(sd_p), points), (mu, 12 * sigma, points // 8)]
    spans += [(m, 12 * v.sqrt(), points // 8) for m, v in zip(mixture.means[:, 0], mixture.variances, strict=True)]
    like = {"dtype": mu.dtype, "device": mu.device}
    x = [(c + r * torch.linspace(-1, 1, n, **like)[:, None]).expand(n, len(mu)) for c, r, n in spans]
    x = torch.cat(x).mT.contiguous().sort(dim=1).values  # a row for each model
    log_p = mixture.log_density(x[..., None])
    log_q = -0.5 * ((x - mu[:, None]) / sigma[:, None]) ** 2 - (sigma * math.sqrt(2 * math.pi)).log()[:, None]
    values = [torch.trapezoid(perspective(function, log_p, log_q), x) for function in functions]
    known = [proper & finite(function, sd_p, sigma) for function in functions]
    return torch.stack([value.where(k, math.inf) for value, k in zip(values, known, strict=True)])


def perspective(function, log_p, log_q, edge=300.0):
    """q f(p/q) from the logarithms of p and q; f(u) / u for large u and f(u) for small u continue linearly in log u."""
    s = log_p - log_q
    ends = torch.tensor([-edge, 100 - edge, edge - 100, edge], dtype=s.dtype)
    f, f_ends = function.f(s.clamp(-edge, edge).exp()), function.f(ends.exp()) / ends.clamp(min=0).exp()
    below, above = (f_ends[1] - f_ends[0]) / 100, (f_ends[3] - f_ends[2]) / 100
    small = log_q.exp() * (f + torch.where(s < -edge, below * (s + edge), 0.0))
    large = log_p.exp() * (f * (-s.clamp(0, edge)).exp() + torch.where(s > edge, above * (s - edge), 0.0))
    # 0 times infinity: a point without mass.
    return torch.where(s > 0, large, small).nan_to_num(nan=0.0, posinf=math.inf)


def optimum(function, mixture):
    """(mu, sigma, D_f) of the Gaussian closest to the mixture, over the region where D_f is finite.

    The search starts at the best of a grid of models (`candidates`), so that it does not end in a local minimum.
    """
    from scipy.optimize import minimize  # a machine that only trains need not have it

    starts = candidates(mixture)
    values = divergences([function], mixture, *starts, points=1001)[0]  # coarse: only their order matters
    best = minimize(
        lambda p: min(divergence(function, mixture, *p), 1e6), starts[:, values.argmin()], method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 400},
    )  # fmt: skip
    return float(best.x[0]), abs(float(best.x[1])), float(best.fun)


def candidates(mixture, side=8):
    """A grid of models (mu, sigma) [2, side^2].

    mu runs from the lowest to the highest mean, sigma from the narrowest component to the width of the whole mixture;
    one sigma is that of the widest component, where every divergence is finite.
    """
    means, sds = mixture.means[:, 0], mixture.variances.sqrt()
    low, high = float(means.min()), float(means.max())
    powers = torch.linspace(0, 1, side - 1, dtype=torch.float64)
    sigma = sds.min() * ((sds.max() + high - low) / sds.min()) ** powers
    mu = torch.linspace(low, high, side, dtype=torch.float64)
    return torch.cartesian_prod(mu, torch.cat([sigma, sds.max()[None]])).T
