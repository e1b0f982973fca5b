"""Distances between samples and real images in the features of a classifier, and the classes that samples cover.

Every function takes a stack of runs and returns for each, in float64, the value that it would get alone; nan for a run
that is not finite. Inputs of incompatible shapes raise ValueError.
"""

import math

import torch

BLOCK = 2**24  # distances or kernel values in memory at once (128 MiB), for any number of samples
ROUNDING = 1e-12  # squared distances below this part of the largest squared norm: the points are equal


@torch.no_grad()
def spread(population):
    """Mean standard deviation of the pixels over a batch of samples [runs]: 0 if a generator makes one image."""
    return population.sample(population.settings["batch"], "watch").std(dim=1).mean(dim=1)


def frechet(features, reference):
    """Frechet distance of two Gaussians with the moments of features [runs, n, k] and of reference [m, k], [runs].

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) with unbiased covariances. Source: FID, Heusel et al. 2017.
    """
    mean, root, trace = _moments(_reference(features, reference, 1))

    def distance(x):
        own_mean, own_root, own_trace = _moments(x)
        # The singular values of S1^(1/2) S2^(1/2), the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), keep the
        # digits that squares lose: equal samples have distance 1e-14, not 1e-7.
        return (own_mean - mean).square().sum() + own_trace + trace - 2 * torch.linalg.svdvals(own_root @ root).sum()

    return _each(features, distance)


def kernel_distance(features, reference):
    """Unbiased squared MMD of features [runs, n, k] to reference [m, k], kernel (x.y / k + 1)^3, [runs].

    mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j) over all samples, not subsets.
    Its mean is zero for equal distributions, so it can be negative. Source: KID, Binkowski et al. 2018.
    """
    reference = _reference(features, reference, 1)

    def total(x, y):
        return sum(torch.addmm(x.new_ones(()), rows, y.mT, alpha=1 / x.shape[1]).pow_(3).sum() for rows in _rows(x, y))

    def within(x):
        return (total(x, x) - (x.square().sum(1) / x.shape[1] + 1).pow(3).sum()) / (len(x) * (len(x) - 1))

    own = within(reference)
    return _each(features, lambda x: within(x) + own - 2 * total(x, reference) / (len(x) * len(reference)))


def precision_recall(features, reference, neighbours=3):
    """Precision and recall of features [runs, n, k] against reference [m, k], each [runs] in [0, 1].

    Precision: the share of samples in a ball around any reference point that reaches to its neighbour number
    `neighbours` within the reference. Recall: with the two sets exchanged. Source: Kynkaanniemi et al. 2019.
    """
    reference = _reference(features, reference, neighbours)
    reach, own = _radii(reference, neighbours), lambda x: _radii(x, neighbours)
    shares = lambda x: torch.stack([_covered(x, reference, reach), _covered(reference, x, own(x))])
    return _each(features, shares, 2).unbind(1)


def class_divergence(classes, labels, number=10):
    """KL(histogram of classes [runs, n] || histogram of labels [m]) over 0 .. number - 1 in nats, [runs].

    Infinite for a class without a label, nan for a run with a class out of range (-1 if an image is not finite).
    """

    def divergence(x):
        p, q = (torch.stack([(y == c).double().mean() for c in range(number)]) for y in (x, labels.to(x.device)))
        value = (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()
        return value.where((x >= 0).all() & (x < number).all(), math.nan)

    return _each(classes, divergence)


def _each(features, measure, *width):
    """The measure of each run, given in float64: [runs] or [runs, width]."""
    values = features.new_full((len(features), *width), math.nan, dtype=torch.float64)
    for r, run in enumerate(features):
        if run.isfinite().all():
            # A fresh copy, because bits can depend on how memory is aligned.
            values[r] = measure(run.to(torch.float64, copy=True, memory_format=torch.contiguous_format))
    return values


def _reference(features, reference, fewest):
    shapes, fit = f"{list(features.shape)} and {list(reference.shape)}", features.shape[2:] == reference.shape[1:]
    if not fit or features.ndim != 3 or min(features.shape[1], len(reference)) <= fewest:
        raise ValueError(f"Features [runs, n, k] and a reference [m, k] need one k, n and m > {fewest}, not {shapes}.")
    if not reference.isfinite().all():
        raise ValueError("The reference is not finite: look at the real images.")
    return reference.to(features.device, torch.float64)


def _moments(x):
    """Mean [k], square root of the covariance [k, k] and its trace."""
    mean, covariance = x.mean(0), x.mT.cov()
    values, vectors = torch.linalg.eigh(covariance)
    return mean, (vectors * values.clamp_min(0).sqrt()) @ vectors.mT, covariance.trace()


def _rows(x, y):
    """x in blocks of rows that make at most BLOCK pairs with y."""
    return x.split(max(1, BLOCK // len(y)))


def _squares(x, y):
    """Squared distances [rows, m] of each block of rows of x [n, k] to y [m, k]."""
    x, y = x - y.mean(0), y - y.mean(0)  # |x|^2 + |y|^2 - 2xy cancels least around the centre
    norms, rounding = y.square().sum(1), ROUNDING * max(x.square().sum(1).max(), y.square().sum(1).max()).item()
    for rows in _rows(x, y):
        distances = torch.addmm(norms, rows, y.mT, alpha=-2).add_(rows.square().sum(1, keepdim=True))
        yield torch.threshold_(distances, rounding, 0.0)


def _radii(x, neighbours):
    """Squared distance of each point to its neighbour number `neighbours`; itself is number 0."""
    return torch.cat([d.topk(neighbours + 1, largest=False).values.amax(1) for d in _squares(x, x)])


def _covered(x, y, radii):
    """The share of x within any ball around a point of y."""
    return torch.cat([(d <= radii).any(1) for d in _squares(x, y)]).double().mean()
