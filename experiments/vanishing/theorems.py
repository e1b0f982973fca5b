r"""Two theorems on GAN's alternative objective: its gradient at the optimal V, and the law of it through white noise.

Source: Arjovsky and Bottou 2017, arXiv:1701.04862, Theorems 2.5 and 2.6.
"""

import math

import torch

from fgan.engine.population import seeded
from fgan.targets.mixtures import Mixture

from . import separation

P = Mixture([0.33, 0.67], [-1.0, 2.0], [0.065, 2.0])  # that of the univariate experiment
MODELS = [(0.0, 1.5), (1.0, 1.8), (-1.0, 0.7), (3.0, 1.0)]  # (mu, sigma) of Q


def log_normal(x, mu, sigma):
    """Log-density of N(mu, sigma^2) at x."""
    return -0.5 * ((x - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)


def alternative(model, points=20001):
    """Derivatives in mu and sigma [2] of -E_Q[log D*(x)] at fixed D* = p / (p + q), for x = mu + sigma z."""
    (mu, sigma), z = model, torch.linspace(-14, 14, points, dtype=torch.float64)
    x = (mu + sigma * z).requires_grad_()
    loss = -torch.nn.functional.logsigmoid(P.log_density(x[:, None]) - log_normal(x, mu, sigma))
    (slope,) = torch.autograd.grad(loss.sum(), x)
    mass = log_normal(z, torch.zeros(()), torch.ones(())).exp()
    return torch.stack([torch.trapezoid(mass * slope * way, z) for way in (torch.ones_like(z), z)])


def divergences(model, points=50001):
    """Derivatives in mu and sigma [2] of KL(Q || P) - 2 JSD(P, Q), both as integrals of densities over a fixed grid."""
    model, x = model.clone().requires_grad_(), torch.linspace(-30, 30, points, dtype=torch.float64)
    log_p, log_q = P.log_density(x[:, None]), log_normal(x, *model)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    p, q = log_p.exp(), log_q.exp()
    value = torch.trapezoid(q * (log_q - log_p) - p * (log_p - log_m) - q * (log_q - log_m), x)
    return torch.autograd.grad(value, model)[0]


def error_of_2_5():
    """Largest distance of `alternative` from `divergences`, over the latter's size, among some models Q."""
    models = torch.tensor(MODELS, dtype=torch.float64)
    pairs = [(alternative(model), divergences(model)) for model in models]
    return float(max((mine - theirs).norm() / theirs.norm() for mine, theirs in pairs))


def white_noise(d, z, error, wave, generator):
    """Derivatives in d by objective [batches, n] of each sample x = d + z of Q = N(d, 1), for P = N(0, 1).

    D is D* plus N(0, error^2), and its slope that of D* plus N(0, (wave error)^2), independent at every x.
    """
    s, slope = separation.optimal(d, d + z)
    off, tilt = torch.randn((2, *z.shape), generator=generator, dtype=z.dtype)
    hit = s.sigmoid() + error * off
    change = s.sigmoid() * (-s).sigmoid() * slope + wave * error * tilt
    return {"saddle": -change / (1 - hit), "alternative": -change / hit}


def kolmogorov(values, scale):
    """Root n times the largest distance of n values' distribution from the Cauchy law of that scale."""
    expected, n = 0.5 + torch.atan(values.sort().values / scale) / math.pi, len(values)
    steps = torch.arange(n + 1, dtype=values.dtype) / n
    return math.sqrt(n) * float(torch.maximum((expected - steps[:-1]).abs(), (expected - steps[1:]).abs()).max())


def rows(measure, z):
    """Rows (sampler, divergence, seed, metrics) of both theorems; the quotient of the noises has the scale `wave`."""
    generator = seeded("cpu", "vanishing", "white noise")
    single = white_noise(max(measure["separations"]), z, measure["error"], measure["wave"], generator)
    metrics = {
        ("spread", name): values.mean(-1).abs().median() / values.abs().median() for name, values in single.items()
    }
    metrics["Kolmogorov statistic", "alternative"] = kolmogorov(single["alternative"].mean(-1), measure["wave"])
    return [
        ("mixture and Gaussian", "", 0, {"error of Theorem 2.5": error_of_2_5()}),
        ("white noise", "gan", 0, metrics),
    ]
