"""A generator of categorical data, and estimators that do or do not pass a gradient through its samples."""

import torch
from torch.nn import functional

from fgan.engine import objectives
from fgan.engine.population import Population
from fgan.models.base import one_hot


class Logits:
    """Perturbed logits theta + Gumbel noise, whose largest entry is a sample of softmax(theta).

    Noise u [runs, batch, K] is uniform on (-1, 1); theta [runs, 1, K] starts at zero, the uniform distribution.
    Source: Gumbel 1954; Maddison et al. 2014.
    """

    def __init__(self, categories):
        self.shapes = [(1, categories)]

    def start(self, generator):
        return [torch.zeros(self.shapes[0])]

    def __call__(self, u, theta):
        uniform = ((u + 1) / 2).clamp(1e-7, 1 - 1e-7)
        return theta - (-uniform.log()).log()


class Table:
    """A target of known probabilities p [K]: draws are categories, points one-hot vectors [..., K]."""

    def __init__(self, probabilities, device="cpu"):
        self.p = torch.tensor(probabilities, dtype=torch.float64, device=device)
        self.p = self.p / self.p.sum()
        self.dimension = len(self.p)
        self._edges = self.p.cumsum(0)[:-1].float()

    def draw(self, shape, generator):
        uniform = torch.rand(shape, generator=generator, device=self.p.device)
        return torch.bucketize(uniform, self._edges, right=True)

    def __call__(self, drawn):
        return functional.one_hot(drawn, self.dimension).float()


def seen(logits, estimator):
    """The points of Q [runs, batch, K] that V sees under an estimator {kind, temperature}, for perturbed logits.

    argmax and score_function: the sample, one-hot, without a derivative. straight_through: the sample, with the
    derivative of its relaxation (Bengio et al. 2013). gumbel_softmax: the relaxation, a point inside the simplex (Jang
    et al. 2017; Maddison et al. 2017).
    """
    if estimator["kind"] in ("argmax", "score_function"):
        return one_hot(logits)
    relaxed = (logits / estimator["temperature"]).softmax(dim=-1)
    return relaxed if estimator["kind"] == "gumbel_softmax" else one_hot(logits) + (relaxed - relaxed.detach())


class Categorical(Population):
    """A population whose generators are categorical distributions Q = softmax(theta).

    The setting `estimator` decides which points of Q V sees and how G's loss gets its gradient; the score function's is
    E[(l(x) - b) d log q(x) / d theta] with l a sample's loss and b the mean of the others' (REINFORCE, Williams 1992),
    which is unbiased.
    """

    def q(self):
        """The distributions Q [runs, K] of the generators, float64."""
        return self.theta.detach()[: self.n_runs].double().softmax(dim=-1)

    def generate(self, z):
        """Samples, one-hot, for noise z."""
        return one_hot(super().generate(z))

    def seen(self, z):
        """The points [runs, batch, K] that V sees for noise z."""
        return seen(super().generate(z), self.settings["estimator"])

    def passes(self):
        """Whether the points that V sees have a derivative in theta at all."""
        return self.seen(torch.zeros(1, 1, self.target.dimension, device=self.device)).requires_grad

    def sample_losses(self, v):
        """The loss of G for each sample [runs, batch], of V's outputs [runs, batch, 1] there."""
        parts = []
        for divergence, first, last, alternative in self.slices:
            parts.append(-divergence.conjugate_of_activation(v[first:alternative]))
            parts.append(-divergence.activation(v[alternative:last]))
        return torch.cat(parts).squeeze(-1)

    def losses(self, x, z, inner=False):
        theta, points = self.theta_views[0], self.seen(z)
        v_fake = self.judge(points.detach() if inner else points)
        value, loss = objectives.value_and_loss(self.slices, self.judge(x), v_fake)
        if self.settings["estimator"]["kind"] == "score_function":
            each = self.sample_losses(v_fake)
            others = (each.sum(dim=1, keepdim=True) - each) / (each.shape[1] - 1)
            log_q = (theta.log_softmax(dim=-1) * points).sum(dim=-1)
            score = ((each - others).detach() * log_q).mean(dim=1)
            loss = loss + score - score.detach()
        # A path of weight zero, so that the optimiser gets zeros where backpropagation gives no gradient at all.
        return value, loss + 0.0 * theta.sum(dim=(1, 2))


def exact_gradient(population):
    """d E_Q[l(x)] / d theta [runs, K] by summation over all categories, V held fixed, float64."""
    points = torch.eye(population.target.dimension, device=population.device).expand(len(population.runs), -1, -1)
    with torch.no_grad():
        losses = population.sample_losses(population.judge(points)).double()
    q = population.theta.detach().double().softmax(dim=-1)
    return q * (losses - (q * losses).sum(dim=1, keepdim=True))


def estimates(population, draws):
    """The estimator's gradients of G's loss in theta at `draws` fresh batches: [draws, runs, K], float64."""
    gradients = []
    for i in range(draws):
        data, noise = population.draws(f"estimate/{i}", 1, 1)
        x = population.target(population.spread(data[:, 0, 0]))
        _, loss = population.losses(x, population.spread(noise[:, 0, 0]))
        (gradient,) = torch.autograd.grad(loss.sum(), population.theta_views)
        gradients.append(gradient.flatten(1).double())
    return torch.stack(gradients)
