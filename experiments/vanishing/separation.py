r"""The generator's gradient as P and Q move apart: P = N(0, 1) and Q = N(d, 1), whose samples are x = d + z.

V implies a ratio r(x), T = f'(r); at the optimum r = u = p/q, log u = d (d/2 - x). Since (f*)'(f'(r)) = r, the
derivatives in d of the two generator losses at a fixed V are

    saddle       d/dd -E_Q[f*(T)] = -E_z[ r^2 f''(r) (log r)'(x) ]
    alternative  d/dd -E_Q[T]     = -E_z[ r f''(r)   (log r)'(x) ]

so that each sample has a weight w(r), kept as its logarithm, which no separation overflows. On a fake that V
recognises, r is near 0 and w(r) ~ r^k: the gradient vanishes there for k > 0, stays for k = 0, explodes for k < 0.
At the optimum the saddle gradient is the derivative of D_f itself (Danskin's theorem).
"""

import math

import torch

OBJECTIVES = ("saddle", "alternative")
# |log r| beyond which log w continues as a straight line: autograd of f' would cancel, and the error is e^-EDGE.
EDGE = 16.0
REACH, POINTS = 60.0, 24001  # the even grid of z of an exact integral: half-width and number of points


def slopes(divergence):
    """log r f''(r) at log r = -EDGE and EDGE, and its slope in log r there: ([2], [2]), float64."""
    s = torch.tensor([-EDGE, 1 - EDGE, EDGE - 1, EDGE], dtype=torch.float64)
    value = _inner(divergence, s)
    steps = torch.stack([value[1] - value[0], value[3] - value[2]])
    return value[[0, 3]], steps.mul(1e5).round().div(1e5)  # the other powers contribute e^-15


def _inner(divergence, s):
    """log r f''(r) for |s| <= EDGE, where d/ds f'(e^s) = r f''(r)."""
    s = s.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(divergence.f_prime(s.exp()).sum(), s)[0].log()


def log_weights(divergence, s):
    """log w(r) at s = log r [...] by objective: of r^2 f''(r) for saddle, of r f''(r) for alternative.

    -inf for total variation, whose f'' is a point mass at r = 1: no sample lies there.
    """
    (low, high), (falling, rising) = slopes(divergence)
    value = _inner(divergence, s.clamp(-EDGE, EDGE))
    if low.isfinite():
        value = torch.where(s < -EDGE, low + falling * (s + EDGE), value)
        value = torch.where(s > EDGE, high + rising * (s - EDGE), value)
    return {"saddle": value + s, "alternative": value}


def exponents(divergence):
    """k of w(r) ~ r^k for r near 0, by objective; infinite for total variation, whose T* is constant there."""
    (low, _), (falling, _) = slopes(divergence)
    k = float(falling) if low.isfinite() else math.inf
    return {"saddle": k + 1, "alternative": k}


def exact(divergence, d, shrink=0.0):
    """Derivatives in d by objective [1], over the whole of Q, through a V whose log-ratio is (1 - shrink) log u."""
    if divergence.name == "total_variation":  # T jumps by 1 where r = 1, at x = d/2 for every `shrink`
        jump = math.exp(-(d**2) / 8) / math.sqrt(2 * math.pi)
        return {name: torch.tensor([jump], dtype=torch.float64) for name in OBJECTIVES}
    z = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    log_mass = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + math.log(2 * REACH / (POINTS - 1))
    weights = log_weights(divergence, (1 - shrink) * optimal(d, d + z)[0])
    return {name: (1 - shrink) * d * torch.logsumexp(log_mass + w, 0).exp()[None] for name, w in weights.items()}


def through(divergence, s, slope):
    """Derivatives in d by objective [batches], on batches where V has log-ratio s and slope s' in x [batches, n]."""
    return {name: -(w.exp() * slope).mean(-1) for name, w in log_weights(divergence, s).items()}


def optimal(d, x):
    """log u(x) and its slope in x, for x [...]."""
    return d * (d / 2 - x), torch.full_like(x, -d)


def noisy(d, x, error, wave, phase):
    """log r and its slope for a classifier D = r / (1 + r) that is smoothly off by at most `error`; x [batches, n].

    D = (1 - error) D* + error (1 + sin(wave x + phase)) / 2 with D* = u / (1 + u) and a phase per batch [batches, 1].
    Source: the condition of Arjovsky and Bottou 2017, arXiv:1701.04862, Theorem 2.4.
    """
    s, slope = optimal(d, x)
    angle, hit, miss = wave * x + phase, s.sigmoid(), (-s).sigmoid()
    right = (1 - error) * hit + error * (1 + angle.sin()) / 2
    wrong = (1 - error) * miss + error * (1 - angle.sin()) / 2
    change = (1 - error) * hit * miss * slope + error * wave * angle.cos() / 2
    return right.log() - wrong.log(), change / (right * wrong)


def gradients(divergence, d, z, phase, measure):
    """Derivatives in d by (way, objective): over the whole of Q [1], and on batches of noise z and phase [batches]."""
    ways = {
        "exact": exact(divergence, d),
        "flat V": exact(divergence, d, measure["shrink"]),
        "batch": through(divergence, *optimal(d, d + z)),
        "noisy V": through(divergence, *noisy(d, d + z, measure["error"], measure["wave"], phase)),
    }
    return {(way, objective): values for way, of in ways.items() for objective, values in of.items()}


def limit(divergence):
    """f(0) + f'(inf), the supremum of F if P and Q share no point, in nats; math.inf if there is none."""
    return float(divergence.f(torch.zeros((), dtype=torch.float64))) + divergence.domain[1]


def uniform(divergence, shift):
    """D_f between the uniform distributions on [0, 1] and on [shift, shift + 1], in nats, for shift >= 0.

    Where both have mass their ratio is 1; the mass outside adds min(shift, 1) of the limit.
    """
    apart = min(shift, 1.0)
    together = (1 - apart) * float(divergence.f(torch.ones((), dtype=torch.float64)))
    return together + (apart * limit(divergence) if apart else 0.0)


def closed_forms(divergence):
    """Metrics by sampler; between two uniform distributions D_f may be infinite, and then its slope is undefined."""
    apart = {c: uniform(divergence, c) for c in (0.25, 0.75, 1.5, 2.0)}
    slopes = {"overlapping": (apart[0.75] - apart[0.25]) / 0.5, "disjoint": (apart[2.0] - apart[1.5]) / 0.5}
    uniforms = {("D_f", f"c = {c:g}"): value for c, value in apart.items()} | {"infinite": math.isinf(apart[2.0])}
    return {
        "disjoint supports": {"limit of F": limit(divergence)},
        "known fake": {("exponent", name): k for name, k in exponents(divergence).items()},
        "two uniforms": uniforms | {("slope", where): slope for where, slope in slopes.items()},
    }
