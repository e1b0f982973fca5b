"""F with its parameters, and the domain of f* built in, by quadrature with one smooth V."""

import math

import torch

REACH = 12.0  # of raw outputs: far enough to leave every bounded domain, near enough that g_f stays off its ends
HEIGHT = 0.4  # of V in the errors: above the corner of alpha = 3 at v = -1/2, where quadrature would lose its digits


def outside(divergence, t):
    """Where t is not in dom f*, or f*(t) is not finite: bool, of t's shape."""
    low, high = divergence.domain
    return (t < low) | (t > high) | ~divergence.conjugate(t).isfinite()


def measured(divergence, densities, mu, sigma):
    """Metrics by T: what a raw output of V needs g_f for, and F of T = g_f(V) as a function of both players."""
    v = REACH * torch.linspace(-1, 1, 481, dtype=torch.float64)
    composed = divergence.activation(v)
    raw, built_in = ({"outside the domain": outside(divergence, t).double().mean()} for t in (v, composed))
    return {"T = V": raw, "T = g_f(V)": built_in | errors(divergence, densities, mu, sigma)}


def errors(divergence, densities, mu, sigma):
    """F from g_f and f* one after the other less F in closed form; its gradient in theta by samples less by density.

    With V(x) = .4 tanh x and theta = (mu, sigma): d/dtheta of -E_z[f*(g_f(V(mu + sigma z)))], through x, and of
    -int q_theta f*(g_f(V)) dx, through q.
    """
    theta = torch.tensor([mu, sigma], dtype=torch.float64, requires_grad=True)
    x, z = densities.x, (densities.x - mu) / sigma
    v = HEIGHT * torch.tanh(x)
    t = divergence.activation(v)
    literal = densities.mean(densities.log_p, t) - densities.mean(densities.log_q, divergence.conjugate(t))

    normal = lambda points: torch.exp(-(points**2) / 2) / math.sqrt(2 * math.pi)
    loss = lambda points: divergence.conjugate_of_activation(HEIGHT * torch.tanh(points))
    density = normal((x - theta[0]) / theta[1]) / theta[1]
    by_density = torch.trapezoid(density * loss(x), x)
    by_samples = torch.trapezoid(normal(z) * loss(theta[0] + theta[1] * z), z)
    one, other = (torch.autograd.grad(value, theta)[0] for value in (by_density, by_samples))
    return {
        "error of the composition": (literal - densities.value(divergence, v)).abs(),
        "error of the gradient": (one - other).abs().max(),
    }
