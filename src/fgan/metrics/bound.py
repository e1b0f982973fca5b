"""The variational bound F(V) <= D_f(P||Q) without sampling noise, for a one-dimensional mixture P and Gaussian Q.

Integrals are sums over one wide, even grid: the trapezoidal rule converges faster than any power of its spacing where
the integrand is smooth and vanishes at both ends. D_f and F(V) share the grid, so F(V) <= D_f holds point by point.

Source: Nguyen, Wainwright, Jordan (2010), Estimating divergence functionals; f-GAN, arXiv:1606.00709, sec. 2.2.
"""

import math
from dataclasses import dataclass

import torch

from fgan.metrics import exact

REACH = 25.0  # half-width of the grid, in standard deviations of the wider of P's widest component and Q
LARGEST = 100.0  # |log(p/q)| beyond which the free T stays where it is: there neither density has mass left


@dataclass(frozen=True)
class Pair:
    """P and Q on a grid: x, log p and log q [points], float64, and the standard deviations of their tails."""

    x: torch.Tensor
    log_p: torch.Tensor
    log_q: torch.Tensor
    tails: tuple

    @property
    def log_ratio(self):
        """log p(x)/q(x) [points]."""
        return self.log_p - self.log_q

    def mean(self, log_density, values):
        """E[values] under one of the two densities, for values [..., points]; 0 where there is no mass."""
        density = log_density.exp()
        return torch.trapezoid(torch.where(density > 0, density * values, 0.0), self.x)


def pair(mixture, mu, sigma, points):
    """The Pair of a one-dimensional mixture P and Q = N(mu, sigma^2)."""
    sd_p, sigma = mixture.variances.max().sqrt(), torch.as_tensor(sigma, dtype=torch.float64).abs()
    centre, reach = (mixture.means.mean() + mu) / 2, REACH * torch.maximum(sd_p, sigma.to(sd_p))
    x = centre + reach * torch.linspace(-1, 1, points, dtype=torch.float64, device=sd_p.device)
    log_q = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
    return Pair(x, mixture.log_density(x[:, None]), log_q, (sd_p, sigma.to(sd_p)))


def supremum(both, name):
    """D_f(P||Q) in nats; math.inf where the tails make it infinite."""
    generator = exact.of(name)
    if not exact.finite(generator, *both.tails):
        return math.inf
    return float(torch.trapezoid(exact.perspective(generator, both.log_p, both.log_q), both.x))


def value(both, divergence, v):
    """F(V) = E_P[g_f(V)] - E_Q[f*(g_f(V))] of V's raw output v [..., points]."""
    real = both.mean(both.log_p, divergence.activation(v))
    return real - both.mean(both.log_q, divergence.conjugate_of_activation(v))


def free(both, divergence, reach=math.inf):
    """F at the free T* = f'(p/q), the maximiser point by point; at |x| > reach T is the constant f'(1).

    Every T gives a lower bound, this one too: where D_f is infinite it grows with `reach` beyond all bounds.
    """
    s = torch.where(both.x.abs() <= reach, both.log_ratio, 0.0).clamp(-LARGEST, LARGEST)
    t = divergence.f_prime(s.exp())
    return float(both.mean(both.log_p, t) - both.mean(both.log_q, divergence.conjugate(t)))


def log_ratio(divergence, v):
    """log u of the ratio u = p/q that V stands for: T = f'(u) at the supremum, so u = (f*)'(T), for v of any shape.

    By the chain rule (f*)'(g_f(v)) is the quotient of two derivatives in v. -inf where u is not positive (Pearson
    below T = -2); NaN for total variation, whose T says only on which side of 1 the ratio lies.
    """
    v = v.detach().requires_grad_()
    with torch.enable_grad():
        (above,) = torch.autograd.grad(divergence.conjugate_of_activation(v).sum(), v)
        (below,) = torch.autograd.grad(divergence.activation(v).sum(), v)
    if divergence.name == "total_variation":
        return torch.full_like(v, torch.nan).detach()
    return above.clamp(min=0).log() - below.log()


def distance(both, divergence, v, largest):
    """Root mean square over (P + Q)/2 of log u - log p/q, both cut off at +-largest [...]."""
    error = log_ratio(divergence, v).clamp(-largest, largest) - both.log_ratio.clamp(-largest, largest)
    square = error.square()
    return ((both.mean(both.log_p, square) + both.mean(both.log_q, square)) / 2).sqrt()


def wrong_side(both, divergence, v):
    """Mass of (P + Q)/2 where T lies on the other side of f'(1) than p/q of 1 [...]; defined for every divergence."""
    wrong = ((v > divergence.threshold_v) != (both.log_ratio > 0)).to(both.x)
    return (both.mean(both.log_p, wrong) + both.mean(both.log_q, wrong)) / 2


def spread(both, divergence, v):
    """Standard deviation of an estimate of F(V) from one point of P and one of Q [...]; n of each divide it by sqrt n.

    sqrt(Var_P[g_f(V)] + Var_Q[f*(g_f(V))]).
    """
    total = 0.0
    for log_density, values in ((both.log_p, divergence.activation(v)),
                                (both.log_q, divergence.conjugate_of_activation(v))):  # fmt: skip
        centred = values - both.mean(log_density, values)[..., None]
        total = total + both.mean(log_density, centred.square())
    return total.sqrt()


def best_line(both, divergence, starts=(-1.0, 0.0, 1.0), rounds=20):
    """The largest F of a straight line V(x) = slope x + offset: what the class of all lines can reach.

    By L-BFGS over the two numbers, from several slopes, because F is not concave in V for every divergence. Total
    variation's supremum is approached by ever steeper lines, so there the value is a little below it.
    """

    def climbed(slope):
        line = torch.tensor([slope, divergence.threshold_v], dtype=both.x.dtype, device=both.x.device)
        rule = torch.optim.LBFGS([line.requires_grad_()], line_search_fn="strong_wolfe", tolerance_change=1e-14)

        def loss():
            rule.zero_grad()
            lost = -value(both, divergence, line[0] * both.x + line[1])
            lost.backward()
            return lost

        for _ in range(rounds):
            rule.step(loss)
        return -loss().item()

    return max(filter(math.isfinite, map(climbed, starts)))
