"""The variational bound F(V) <= D_f(P||Q) without sampling noise, for a one-dimensional mixture P and Gaussian Q.

Integrals are sums over one wide, even grid: the trapezoidal rule converges faster than any power of its spacing if
the integrand is smooth and vanishes at both ends. D_f and F(V) share the grid, so F(V) <= D_f holds point by point.

Source: Nguyen, Wainwright, Jordan (2010), Estimating divergence functionals; f-GAN, arXiv:1606.00709, sec. 2.2.
"""

import math
from dataclasses import dataclass

import torch

from fgan.metrics import exact

REACH = 25.0  # half-width of the grid, in standard deviations of the wider of P's widest component and Q
LARGEST = 100.0  # |log(p/q)| at which the free T is cut off: beyond it neither density has mass left


@dataclass(frozen=True)
class Densities:
    """P and Q on a grid: x, log p and log q [points], float64, and the standard deviations of their tails.

    V is given by its raw output v [..., points] on the grid.
    """

    x: torch.Tensor
    log_p: torch.Tensor
    log_q: torch.Tensor
    tails: tuple

    @classmethod
    def of(cls, mixture, mu, sigma, points):
        """A one-dimensional mixture P and Q = N(mu, sigma^2) on a grid of `points` points."""
        sd_p, sigma = mixture.variances.max().sqrt(), torch.as_tensor(sigma, dtype=torch.float64).abs()
        centre, reach = (mixture.means.mean() + mu) / 2, REACH * torch.maximum(sd_p, sigma.to(sd_p))
        x = centre + reach * torch.linspace(-1, 1, points, dtype=torch.float64, device=sd_p.device)
        log_q = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
        return cls(x, mixture.log_density(x[:, None]), log_q, (sd_p, sigma.to(sd_p)))

    @property
    def log_ratio(self):
        """log p(x)/q(x) [points]."""
        return self.log_p - self.log_q

    def mean(self, log_density, values):
        """E[values] under one of the two densities, for values [..., points]; points without mass count 0."""
        density = log_density.exp()
        return torch.trapezoid(torch.where(density > 0, density * values, 0.0), self.x)

    def variance(self, log_density, values):
        """Var[values] under one of the two densities, for values [..., points]."""
        return self.mean(log_density, (values - self.mean(log_density, values)[..., None]).square())

    def mean_of_both(self, values):
        """E[values] under (P + Q)/2, for values [..., points]."""
        return (self.mean(self.log_p, values) + self.mean(self.log_q, values)) / 2

    def supremum(self, divergence):
        """D_f(P||Q) in nats; math.inf if the tails make it infinite."""
        function = exact.convex(divergence.name)
        if not exact.finite(function, *self.tails):
            return math.inf
        return float(torch.trapezoid(exact.perspective(function, self.log_p, self.log_q), self.x))

    def value(self, divergence, v):
        """F(V) = E_P[g_f(V)] - E_Q[f*(g_f(V))] [...]."""
        real = self.mean(self.log_p, divergence.activation(v))
        return real - self.mean(self.log_q, divergence.conjugate_of_activation(v))

    def free(self, divergence, reach=math.inf):
        """F at the free T* = f'(p/q), the maximiser point by point; at |x| > reach T is the constant f'(1).

        Every T gives a lower bound, this one too: if D_f is infinite, it grows with `reach` without limit.
        """
        s = torch.where(self.x.abs() <= reach, self.log_ratio, 0.0).clamp(-LARGEST, LARGEST)
        t = divergence.f_prime(s.exp())
        return float(self.mean(self.log_p, t) - self.mean(self.log_q, divergence.conjugate(t)))

    def ratio_error(self, divergence, v, largest):
        """Root mean square over (P + Q)/2 of log u - log p/q, both cut off at +-largest [...]."""
        error = log_ratio(divergence, v).clamp(-largest, largest) - self.log_ratio.clamp(-largest, largest)
        return self.mean_of_both(error.square()).sqrt()

    def wrong_side(self, divergence, v):
        """Mass of (P + Q)/2 where T and p/q disagree on the side of f'(1) and 1 [...]; defined for every divergence."""
        return self.mean_of_both(((v > divergence.threshold_v) != (self.log_ratio > 0)).to(self.x))

    def spread(self, divergence, v):
        """Standard deviation [...] of an estimate of F(V) from one point of P and one of Q; for n of each / sqrt(n).

        sqrt(Var_P[g_f(V)] + Var_Q[f*(g_f(V))]).
        """
        real, fake = divergence.activation(v), divergence.conjugate_of_activation(v)
        return (self.variance(self.log_p, real) + self.variance(self.log_q, fake)).sqrt()

    def best_line(self, divergence, starts=(-1.0, 0.0, 1.0), rounds=20):
        """The largest F over all straight lines V(x) = slope x + offset.

        By L-BFGS over the two numbers, from several slopes, because F is not concave in V for every divergence. Total
        variation's supremum is approached by ever steeper lines, so there the value is a little below it.
        """

        def climbed(slope):
            line = self.x.new_tensor([slope, divergence.threshold_v], requires_grad=True)
            rule = torch.optim.LBFGS([line], line_search_fn="strong_wolfe", tolerance_change=1e-14)

            def loss():
                rule.zero_grad()
                lost = -self.value(divergence, line[0] * self.x + line[1])
                lost.backward()
                return lost

            for _ in range(rounds):
                rule.step(loss)
            return -loss().item()

        return max(filter(math.isfinite, map(climbed, starts)))


def constant(divergence):
    """f(1): F of the best constant V, for every P and Q."""
    return float(divergence.f(torch.ones((), dtype=torch.float64)))


def log_ratio(divergence, v):
    """log u of the ratio u = p/q that V implies: T = f'(u) at the supremum, so u = (f*)'(T), for v of any shape.

    By the chain rule (f*)'(g_f(v)) is the quotient of two derivatives in v. -inf where u is not positive (Pearson
    below T = -2); NaN for total variation, whose T says only on which side of 1 the ratio lies.
    """
    if divergence.name == "total_variation":
        return torch.full_like(v, torch.nan)
    v = v.detach().requires_grad_()
    with torch.enable_grad():
        (above,) = torch.autograd.grad(divergence.conjugate_of_activation(v).sum(), v)
        (below,) = torch.autograd.grad(divergence.activation(v).sum(), v)
    return above.clamp(min=0).log() - below.log()
