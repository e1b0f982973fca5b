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
from fgan.engine.population import seeded

ZERO = 1e-9  # an eigenvalue below this part of the largest one counts as 0: J does not depend on its direction


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
        """Which modes contribute to J [..., n + m]: those with a nonzero eigenvalue."""
        return self.modes.abs() > ZERO * self.modes.abs().amax(dim=-1, keepdim=True)


def transition(game, step):
    """1 - step H S [..., d, d], which maps grad F of an iterate to that of the next, for steps [...]."""
    return torch.eye(len(game.signs), dtype=torch.float64) - step[..., None, None] * game.hessian * game.signs


def worst_factor(game, step):
    """The largest factor by which one step can multiply J [...], over all points: the squared norm of `transition`."""
    return torch.linalg.matrix_norm(transition(game, step), ord=2).square()


def late_factor(game, step):
    """The factor by which a late step multiplies J [...], on average: the largest |1 - step lambda|^2."""
    return (1 - step[..., None] * game.modes).abs().square().where(game.seen, 0.0).amax(dim=-1)


def largest_step(game):
    """The step below which the method converges [...]: min 2 Re(lambda)/|lambda|^2; 0 if no fixed step does."""
    real, size = game.modes.real, game.modes.abs()
    steps = 2 * real.where(real > ZERO * size, 0.0) / size.square()
    return steps.where(game.seen, torch.inf).amin(dim=-1)


def worst_start(game, step):
    """The point z [..., d, 1] from which the first step lowers J least (or raises it most), by singular vectors."""
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


def random_game(kind, condition, size, dimensions, draws):
    """A stack of random games [draws] of a kind: "convex-concave", "concave in omega" or "bilinear".

    Eigenvalues of A and C lie evenly in the logarithm from 1/condition to 1, singular values of B from size/10 to size.
    Games with the same arguments are identical.
    """
    generator = seeded("cpu", "convergence", kind, condition, size, *dimensions)

    def orthogonal(n):
        return torch.linalg.qr(torch.randn((draws, n, n), dtype=torch.float64, generator=generator)).Q

    def block(n):
        basis, values = orthogonal(n), condition ** torch.linspace(-1, 0, n, dtype=torch.float64)
        return (basis * values) @ basis.mT

    rank = min(dimensions)
    a, c = map(block, dimensions)
    left, right = map(orthogonal, dimensions)
    values = size * 10 ** torch.linspace(-1, 0, rank, dtype=torch.float64)
    b = (left[..., :rank] * values) @ right[..., :rank].mT
    return Game(a if kind == "convex-concave" else 0 * a, b, c if kind != "bilinear" else 0 * c)


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


def paths(game, step, starts, iterations):
    """log J / J_0 [iterations + 1, ..., starts] of a stack of games, from the worst start for the first step and from
    random ones."""
    generator = seeded("cpu", "games", "starts")
    random = torch.randn((*game.hessian.shape[:-1], starts - 1), dtype=torch.float64, generator=generator)
    log = descend(game, step, torch.cat([worst_start(game, step), random], dim=-1), iterations)
    return log - log[0]
