r"""Two games with one parameter each, in float64, and the Jacobian of their update by autograd.

    G(z) = theta + z,    V(x) = omega x + v_0,    g_f(v_0) = f'(1),    solution theta = omega = 0.

With P = Q = a point (z = 0) this is the Dirac game of Mescheder et al. 2018 (arXiv:1801.04406, sec. 2), but for v_0,
which makes V optimal at the solution under every f; with z ~ N(0, 1) two Gaussians meet. The Jacobian and the training
share the repository's losses and remedies; the training moves by `training.step`, the Jacobian by `update`.
"""

import torch

from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine import training
from fgan.engine.networks import Network
from fgan.engine.population import per_run
from fgan.remedies import Remedied
from fgan.targets.mixtures import Mixture

OBJECTIVES = ("saddle", "alternative")
GAUSSIAN = Mixture([1.0], [[0.0]], [1.0])
METHODS = {
    "simultaneous": {"kind": "single_step"}, "alternating": {"kind": "k_step", "k": 1},
    "five of V": {"kind": "k_step", "k": 5},
}  # fmt: skip


class Shift:
    """x = theta + z for every run, theta [runs, 1, 1]."""

    shapes = ((1, 1),)

    def start(self, generator):
        return [torch.zeros(1, 1, dtype=torch.float64)]

    def __call__(self, z, theta):
        return theta + z


class Slope(Shift):
    """V(x) = omega x + v_0 for every run, with v_0 [runs] fixed."""

    def __init__(self, constant):
        self.constant = constant

    def __call__(self, x, omega):
        return omega * x + per_run(self.constant, omega)


class Game(Remedied):
    """The game for `runs`: `remedies` is a design's list, `rates` are values [runs]."""

    def __init__(self, runs, remedies, method, rates, **settings):
        constant = torch.tensor([DIVERGENCES[run.divergence].threshold_v for run in runs], dtype=torch.float64)
        settings |= {
            "noise": {"kind": "normal", "dimension": 1}, "method": METHODS[method],
            "remedies": remedies, "optimiser": {"kind": "sgd", "generator": 1.0, "variational": 1.0},
        }  # fmt: skip
        super().__init__(runs, GAUSSIAN, Network(Shift()), lambda inputs: Network(Slope(constant)), settings)
        self.theta_optimiser.rate = self.omega_optimiser.rate = rates

    def output_bias(self):
        return torch.zeros(len(self.runs))  # v_0 is no parameter

    @property
    def point(self):
        """(theta, omega) [runs, 2]."""
        return torch.cat([self.theta, self.omega], dim=1).detach().clone()

    @point.setter
    def point(self, values):
        with torch.no_grad():
            for stack, column in zip((self.theta, self.omega), values.split(1, dim=1), strict=True):
                stack.copy_(column)


def runs_of(number, divergences=tuple(DIVERGENCES)):
    """`number` runs of each divergence and objective, in the order of a stack; all share one stream."""
    pairs = [(divergence, objective) for divergence in divergences for objective in OBJECTIVES]
    return [Run("local_convergence", "game", *pair, 0) for pair in pairs for _ in range(number)]


def points(population, sd=0.0):
    """One step's data [streams, draws, 2, 1] and noise [streams, draws, 2, z] of a game whose P, and z, are 0 or +-sd.

    The random values of instance noise are +-1: a Jacobian at the solution sees only their mean and variance.
    """
    k, streams = training.rounds(population), len(population.streams)
    sign = torch.tensor([1.0, -1.0], dtype=torch.float64)[:, None]
    noise = sign.expand(2, 1 + 2 * sum(population.extra_values)).clone()
    noise[:, 0] *= sd
    return (sd * sign).expand(streams, max(k, 1), 2, 1), noise.expand(streams, k + 1, *noise.shape)


def update(population, data, noise, point):
    """(theta, omega) [runs, 2] after one step from `point`, as a differentiable function of it."""
    theta, omega = (column[..., None] for column in point.split(1, dim=1))
    rate, k = per_run(population.omega_optimiser.rate, theta), training.rounds(population)
    x, z = (population.spread(draws[:, 0]) for draws in (data, noise))

    def slopes(omega):
        # Copies, because V's parameters may depend on G's here: the derivative for G is the partial one.
        own = theta.clone(), omega.clone()
        population.theta_views, population.omega_views = [own[0]], [own[1]]
        value, loss = population.losses(x, z)
        up, down = ((value, own[1]), (loss, own[0]))
        return [torch.autograd.grad(f.sum(), at, create_graph=True)[0] for f, at in (up, down)]

    for _ in range(k):
        omega = omega + rate * slopes(omega)[0]
    up, down = slopes(omega)
    return torch.cat([theta - rate * down, omega if k else omega + rate * up], dim=1)[..., 0]


def jacobian(population, sd=0.0):
    """The Jacobian [runs, 2, 2] of the update at the solution, where P and z are 0 or +-sd."""
    point = torch.zeros(len(population.runs), 2, dtype=torch.float64, requires_grad=True)
    views = population.theta_views, population.omega_views
    moved = update(population, *points(population, sd), point)
    population.theta_views, population.omega_views = views
    rows = [torch.autograd.grad(column.sum(), point, retain_graph=True)[0] for column in moved.T]
    return torch.stack(rows, dim=1)


def iterated(population, start, steps):
    """(theta, omega) [steps + 1, runs, 2] of the game of a point, moved by the repository's own training step."""
    population.point = start.expand(len(population.runs), 2)
    data, noise = points(population)
    path = [population.point]
    for _ in range(steps):
        training.step(population, data, noise)
        path.append(population.point)
    return torch.stack(path)


def fitted(path, weights):
    """The linear map [runs, 2, 2] that fits z_{t+1} = M z_t best along paths [steps + 1, runs, 2].

    `weights` [steps, runs] are those of the squared errors.
    """
    before, after = path[:-1].nan_to_num(0, 0, 0), path[1:].nan_to_num(0, 0, 0)
    square = torch.einsum("tr,tri,trj->rij", weights, before, before)
    cross = torch.einsum("tr,tri,trj->rij", weights, after, before)
    return cross @ torch.linalg.pinv(square, hermitian=True, rtol=1e-14)


def radius(maps):
    """Spectral radius of maps [..., 2, 2]."""
    return torch.linalg.eigvals(maps).abs().amax(dim=-1)


def angle(maps):
    """Angle by which maps [..., 2, 2] turn in a step, 0 if their eigenvalues are real and positive."""
    return torch.linalg.eigvals(maps).angle().abs().amax(dim=-1)


def terms(name):
    """Slope g_f'(v_0), and curvature (f* o g_f - g_f)''(v_0) of -F per unit of E x^2, both by autograd."""
    d = DIVERGENCES[name]
    v = torch.tensor(d.threshold_v, dtype=torch.float64, requires_grad=True)
    real, fake = d.activation(v), d.conjugate_of_activation(v)
    (slope,) = torch.autograd.grad(real, v, retain_graph=True)
    (first,) = torch.autograd.grad(fake - real, v, create_graph=True)
    (curvature,) = torch.autograd.grad(first, v)
    return float(slope), float(curvature)
