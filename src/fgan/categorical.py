"""A generator of categorical data, and the estimators that carry a gradient through its samples, or do not."""

import torch
from torch.nn.functional import one_hot

from fgan.population import Population


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
        return one_hot(drawn, self.dimension).float()


def hardest(logits):
    """The sample itself, one-hot: no derivative in the logits."""
    return one_hot(logits.argmax(dim=-1), logits.shape[-1]).float()


# What V sees of Q, of perturbed logits at a temperature.
SEEN = {
    # The sample; the derivative is absent.
    "argmax": lambda logits, temperature: hardest(logits),
    # The sample; its derivative is taken from the loss in another way, see `Categorical.losses`.
    "score_function": lambda logits, temperature: hardest(logits),
    # The sample, with the derivative of its relaxation (Bengio et al. 2013).
    "straight_through": lambda logits, temperature: hardest(logits) + _without_value(logits, temperature),
    # The relaxation, a point inside the simplex (Jang et al. 2017; Maddison et al. 2017).
    "gumbel_softmax": lambda logits, temperature: (logits / temperature).softmax(dim=-1),
}


def _without_value(logits, temperature):
    soft = (logits / temperature).softmax(dim=-1)
    return soft - soft.detach()


class Categorical(Population):
    """A population whose generators are categorical distributions Q = softmax(theta).

    The setting `estimator` {kind, temperature} says what V sees of Q and how G's loss gets its gradient; the score
    function's is E[(l(x) - b) d log q(x) / d theta] with l a sample's loss and b the mean of the others' (REINFORCE,
    Williams 1992), which is without bias.
    """

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        self.estimator = settings["estimator"]["kind"]
        self.temperature = settings["estimator"].get("temperature", 1.0)

    def q(self):
        """The distributions [runs, K] that the generators are, float64."""
        return self.theta.detach()[: self.wanted].double().softmax(dim=-1)

    def generate(self, z):
        """Samples, one-hot, for noise z."""
        return hardest(self.generator(self.theta_views, z))

    def passes(self):
        """Whether what V sees of Q has a derivative in theta at all."""
        logits = self.generator(self.theta_views, torch.zeros(1, 1, self.target.dimension, device=self.device))
        return SEEN[self.estimator](logits, self.temperature).requires_grad

    def sample_losses(self, v):
        """The loss of G for each sample [runs, batch], of V's outputs [runs, batch, 1] there."""
        parts = []
        for divergence, first, last, alternative in self.slices:
            parts.append(-divergence.conjugate_of_activation(v[first:alternative]))
            parts.append(-divergence.activation(v[alternative:last]))
        return torch.cat(parts).squeeze(-1)

    def losses(self, x, z, inner=False):
        theta = self.theta_views[0]
        logits = self.generator(self.theta_views, z)
        seen = SEEN[self.estimator](logits, self.temperature)
        fake = self.judge(seen.detach() if inner else seen)
        real = self.judge(x)
        value = torch.cat([
            d.activation(real[a:b]).mean(dim=(1, 2)) - d.conjugate_of_activation(fake[a:b]).mean(dim=(1, 2))
            for d, a, b, _ in self.slices
        ])  # fmt: skip
        each = self.sample_losses(fake)
        loss = each.mean(dim=1)
        if self.estimator == "score_function":
            others = (each.sum(dim=1, keepdim=True) - each) / (each.shape[1] - 1)
            log_q = (theta.log_softmax(dim=-1) * seen).sum(dim=-1)
            score = ((each - others).detach() * log_q).mean(dim=1)
            loss = loss + score - score.detach()
        # A path of weight zero, so that the optimiser is handed the zeros that backpropagation could not give it.
        return value, loss + 0.0 * theta.sum(dim=(1, 2))


def exact_gradient(population):
    """d E_Q[l(x)] / d theta [runs, K] by summation over all categories, V held fixed, float64."""
    number = population.target.dimension
    points = torch.eye(number, device=population.device).expand(len(population.runs), -1, -1)
    with torch.no_grad():
        losses = population.sample_losses(population.judge(points)).double()
    q = population.theta.detach().double().softmax(dim=-1)
    return q * (losses - (q * losses).sum(dim=1, keepdim=True))


def estimates(population, draws):
    """The estimator's gradients of G's loss in theta at `draws` fresh batches: [draws, runs, K], float64."""
    found = []
    for i in range(draws):
        data, noise = population.draws(f"estimate/{i}", 1, 1)
        x = population.target(population.spread(data[:, 0, 0]))
        _, loss = population.losses(x, population.spread(noise[:, 0, 0]))
        (gradient,) = torch.autograd.grad(loss.sum(), population.theta_views)
        found.append(gradient.flatten(1).double())
    return torch.stack(found)
