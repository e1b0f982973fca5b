"""Games with a quadratic objective, on which f-GAN's Theorem 1 can be measured exactly. All in float64.

    F(theta, omega) = 1/2 theta'A theta + theta'B omega - 1/2 omega'C omega,   z = (theta, omega),   grad F = H z,
    J = 1/2 |grad F|^2,   grad J = H^2 z,   L = largest eigenvalue of H^2 (the Lipschitz constant of grad J).
The single-step method moves both players from the same iterate, z <- z - step S H z with S = diag(1, -1). The gradient
g = H z then moves as g <- (1 - step H S) g. As g'H S g = g'diag(A, C)g >= delta |g|^2 and |H S g|^2 <= L |g|^2, a step
multiplies J by at most 1 - 2 step delta + step^2 L, which is 1 - delta^2/L at step = delta/L.

Source: f-GAN, arXiv:1606.00709, sec. 3.1, Theorem 1 (conditions primary, rate recalled); the proof above is ours.
"""

from dataclasses import dataclass
from functools import cached_property

import torch

from fgan.divergences import DIVERGENCES
from fgan.population import seeded

ROUNDING = 1e-12  # of log J in a step: far above what float64 loses, far below what is measured
ZERO = 1e-9  # an eigenvalue below this part of the largest one is 0: J does not see its direction


@dataclass(frozen=True)
class Game:
    """A stack of games: A [..., n, n] and C [..., m, m] symmetric, B [..., n, m]."""

    A: torch.Tensor
    B: torch.Tensor
    C: torch.Tensor

    @cached_property
    def hessian(self):
        """H = [[A, B], [B', -C]], [..., n + m, n + m]."""
        return torch.cat([torch.cat([self.A, self.B], dim=-1), torch.cat([self.B.mT, -self.C], dim=-1)], dim=-2)

    @cached_property
    def signs(self):
        """The diagonal of S [n + m]: theta descends (1), omega ascends (-1)."""
        return torch.cat([torch.ones(self.A.shape[-1]), -torch.ones(self.C.shape[-1])]).to(self.A)

    @cached_property
    def delta(self):
        """The smallest eigenvalue of A and of C [...]: the game's strong convexity and concavity."""
        return torch.minimum(torch.linalg.eigvalsh(self.A)[..., 0], self.concavity)

    @cached_property
    def concavity(self):
        """The smallest eigenvalue of C [...]: strong concavity in omega alone."""
        return torch.linalg.eigvalsh(self.C)[..., 0]

    @cached_property
    def L(self):
        """The largest eigenvalue of H^2 [...]."""
        return torch.linalg.eigvalsh(self.hessian).abs().amax(dim=-1).square()

    @cached_property
    def modes(self):
        """Eigenvalues of H S [..., n + m], complex: g is a sum of modes that a step multiplies by 1 - step lambda."""
        return torch.linalg.eigvals(self.hessian * self.signs)

    @cached_property
    def seen(self):
        """Which modes J sees [..., n + m]: those with an eigenvalue."""
        return self.modes.abs() > ZERO * self.modes.abs().amax(dim=-1, keepdim=True)

    def energy(self, z):
        """J [..., starts] of points z [..., n + m, starts]."""
        return 0.5 * (self.hessian @ z).square().sum(dim=-2)


def transition(game, step):
    """1 - step H S [..., d, d], which maps grad F of an iterate to that of the next, for steps [...]."""
    return torch.eye(len(game.signs), dtype=torch.float64) - step[..., None, None] * game.hessian * game.signs


def worst(game, step):
    """The largest factor by which one step can multiply J [...], over all points: the squared norm of `transition`."""
    return torch.linalg.matrix_norm(transition(game, step), ord=2).square()


def asymptotic(game, step):
    """The factor by which a late step multiplies J [...], on average: the largest |1 - step lambda|^2."""
    return (1 - step[..., None] * game.modes).abs().square().where(game.seen, 0.0).amax(dim=-1)


def largest_step(game):
    """The step below which the method converges [...]: min 2 Re(lambda)/|lambda|^2; 0 where no fixed step does."""
    real, size = game.modes.real, game.modes.abs()
    steps = 2 * real.where(real > ZERO * size, 0.0) / size.square()
    return steps.where(game.seen, torch.inf).amin(dim=-1)


def worst_start(game, step):
    """The point z [..., d, 1] from which the first step does worst (or grows J most), by singular vectors."""
    rows = torch.linalg.svd(transition(game, step)).Vh
    return torch.linalg.pinv(game.hessian) @ rows[..., :1, :].mT


def descend(game, step, start, iterations):
    """log J [iterations + 1, ..., starts] along the single-step method from points z [..., d, starts].

    The motion is linear, so z is scaled to length one after each step and its logarithm kept: J never under- or
    overflows, however many steps there are.
    """
    z, lost, path = start, torch.zeros_like(start[..., 0, :]), []
    motion = (step[..., None] * game.signs)[..., None]
    for _ in range(iterations + 1):
        gradient = game.hessian @ z
        path.append((0.5 * gradient.square().sum(dim=-2)).log() + 2 * lost)
        z = z - motion * gradient
        length = z.norm(dim=-2)
        z, lost = z / length[..., None, :], lost + length.log()
    return torch.stack(path)


def orthogonal(size, draws, generator):
    """Random orthogonal matrices [draws, size, size]."""
    return torch.linalg.qr(torch.randn((draws, size, size), dtype=torch.float64, generator=generator)).Q


def block(size, condition, draws, generator):
    """Random symmetric matrices [draws, size, size], eigenvalues evenly in the logarithm from 1/condition to 1."""
    basis, values = orthogonal(size, draws, generator), condition ** torch.linspace(-1, 0, size, dtype=torch.float64)
    return (basis * values) @ basis.mT


def coupling(rows, columns, size, draws, generator):
    """Random matrices B [draws, rows, columns], singular values evenly in the logarithm from size/10 to size."""
    rank = min(rows, columns)
    left, right = orthogonal(rows, draws, generator), orthogonal(columns, draws, generator)
    return left[..., :rank] * (size * 10 ** torch.linspace(-1, 0, rank, dtype=torch.float64)) @ right[..., :rank].mT


def at_solution(name):
    """f-GAN's own game at its solution P = Q = N(0, 1), for a divergence: theta = (mu, sigma), V = w'(1, x, x^2).

    There V is the constant v with g_f(v) = f'(1), so F does not depend on theta (A = 0), and with the output's terms
    r(v) = g_f(v) and q(v) = f*(g_f(v)) the other blocks are C = (q'' - r'') E[x x'] and B = -q' d E_Q[x]/d theta.
    """
    d = DIVERGENCES[name]
    v = torch.tensor(d.threshold_v, dtype=torch.float64, requires_grad=True)
    real, fake = d.activation(v), d.conjugate_of_activation(v)
    (first,) = torch.autograd.grad(fake, v, create_graph=True)
    (slope,) = torch.autograd.grad(fake - real, v, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, v)
    features = torch.tensor([[1.0, 0, 1], [0, 1, 0], [1, 0, 3]], dtype=torch.float64)  # E[x x'], x = (1, x, x^2)
    moved = torch.tensor([[0.0, 1, 0], [0, 0, 2]], dtype=torch.float64)  # by mu and by sigma
    return Game(torch.zeros((2, 2), dtype=torch.float64), -first.detach() * moved, curvature * features)


def starts(game, step, number):
    """The worst point for the first step, and random ones [..., d, number]."""
    generator = seeded("cpu", "games", "starts")
    random = torch.randn((*game.hessian.shape[:-1], number - 1), dtype=torch.float64, generator=generator)
    return torch.cat([worst_start(game, step), random], dim=-1)


def path(game, step, rule):
    """log J / J_0 [iterations + 1, ..., starts] of a stack of games."""
    log = descend(game, step, starts(game, step, rule["starts"]), rule["iterations"])
    return log - log[0]


def convex_concave(found, rule):
    """Metrics [draws] of strongly convex-concave games at the theorem's step delta/L."""
    step, fall = found.delta / found.L, found.delta.square() / found.L
    most, late = worst(found, step), asymptotic(found, step)
    log, t = path(found, step, rule), torch.arange(rule["iterations"] + 1.0, dtype=torch.float64)[:, None, None]
    bound, mean = torch.log1p(-fall), log[-1].amax(dim=-1) / rule["iterations"]
    above = log > t * bound[:, None] + ROUNDING * (1 + t)
    return {
        "bound": 1 - fall, "step": step, "worst step": most, "mean step": mean.exp(), "asymptotic": late,
        "steps above the bound": above.sum(dim=(0, 2)), "excess over the bound": most - (1 - fall),
        "times faster than the bound": late.log() / bound, "times faster [worst step]": most.log() / bound,
        "times faster [mean]": mean / bound, "largest step": largest_step(found) / step,
    }  # fmt: skip


def misread(found):
    """The same games at step delta/L with L the Lipschitz constant of grad F, the largest eigenvalue of |H|."""
    step, fall = found.delta / found.L.sqrt(), found.delta.square() / found.L.sqrt()
    above = worst(found, step) > 1 - fall + ROUNDING
    return {"games above the bound": above, "games that diverge": asymptotic(found, step) > 1}


def concave(found):
    """Metrics [...] of games that are strongly concave in omega alone, at the step delta/L of omega's block."""
    step = found.concavity / found.L
    late = asymptotic(found, step)
    return {"step": step, "worst step": worst(found, step), "asymptotic": late, "converges": late < 1,
            "largest step": largest_step(found) / step}  # fmt: skip


def bilinear(found, rule, relative):
    """Metrics [draws] of bilinear games at the step `relative` over the largest singular value of B."""
    step = relative / found.L.sqrt()
    log = path(found, step, rule)
    growth = log[:, :, 0].diff(dim=0).exp()  # along the largest singular value: that start is the worst one
    error = (growth / (1 + relative**2) - 1).abs().amax(dim=0)
    return {"step": step, "growth": growth.mean(dim=0), "error of the growth": error,
            "diverges": (log.diff(dim=0) > 0).all(dim=2).all(dim=0)}  # fmt: skip
