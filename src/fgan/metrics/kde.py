"""Gaussian kernel density (Parzen window) log-likelihoods, and two readings of how to fit the bandwidth."""

import math

import torch

# A block of distances is 8 MB: near the cache, and the peak memory depends on the inputs alone.
SAMPLE_BLOCK, TEST_BLOCK = 2048, 512

# exp is up to 60 times slower where its result is subnormal; beside a sum of at least 1, e^-700 is nothing.
NEGLIGIBLE = -700.0


def log_likelihood(samples, test, bandwidth: float):
    """Log-density of each test point under one kernel density on the samples, [m] nats, float64.

    log p(y) = log 1/n sum_i exp(-|y - x_i|^2 / 2h^2) - d/2 log(2 pi h^2), an isotropic Gaussian of standard
    deviation h (in the units of the data) on each of the n samples [n, d]; test is [m, d].
    A sample that is not finite makes every result nan. Raises ValueError for a bandwidth that is not
    positive or shapes that do not match. Protocol: Goodfellow et al. 2014, Breuleux et al. 2011.
    """
    return log_likelihoods(samples, test, [bandwidth])[0]


@torch.no_grad()
def log_likelihoods(samples, test, bandwidths, block=(SAMPLE_BLOCK, TEST_BLOCK)):
    """Log-densities [k, m] in nats for k bandwidths from one pass over the distances (see log_likelihood).

    block = (samples, test points) per matrix product; it moves the result by rounding only.
    """
    bandwidths = _positive(bandwidths)
    _matching(samples, test)
    n, d = samples.shape
    # |y - x|^2 = |y|^2 + |x|^2 - 2xy cancels least around the centre, and float64 leaves 1e-13 of it.
    centre = samples.mean(0, dtype=torch.float64)
    test = test.to(torch.float64) - centre
    test_norms = test.square().sum(1)
    # The nearest sample dominates at every bandwidth, so one shift serves all of them:
    # sums[k] = sum_i exp(-(|y - x_i|^2 - nearest) / 2h_k^2) >= 1 can neither underflow nor overflow.
    nearest = torch.full_like(test_norms, math.inf)
    sums = test.new_zeros(len(bandwidths), len(test))
    scales = [-0.5 / h**2 for h in bandwidths]
    for x in samples.split(block[0]):
        x = x.to(torch.float64) - centre
        norms = x.square().sum(1)
        for at in range(0, len(test), block[1]):
            rows = slice(at, at + block[1])
            distances = torch.addmm(norms, test[rows], x.T, alpha=-2)
            distances.add_(test_norms[rows, None]).clamp_min_(0)
            closest = torch.minimum(nearest[rows], distances.amin(1))
            closer_by = nearest[rows] - closest
            distances -= closest[:, None]
            for total, scale in zip(sums, scales, strict=True):
                total[rows] *= torch.exp(scale * closer_by)
                total[rows] += torch.mul(distances, scale).clamp_min_(NEGLIGIBLE).exp_().sum(1)
            nearest[rows] = closest
    scale = torch.tensor(scales, dtype=torch.float64, device=test.device)[:, None]
    # 2 pi h^2 = -pi / scale
    return sums.log_() + scale * nearest - math.log(n) - d / 2 * torch.log(-math.pi / scale)


def bandwidth_held_out(samples, held_out, bandwidths) -> float:
    """Reading A: the bandwidth with the highest mean log-likelihood of held-out real images.

    argmax_h mean_j log p_h(y_j), y_j the held-out images [m, d] (never the test images); the first of equals.
    Raises ValueError as log_likelihood does, and where no bandwidth has a finite score.
    """
    bandwidths = _positive(bandwidths)
    return _best(bandwidths, log_likelihoods(samples, held_out, bandwidths).mean(1))


def bandwidth_cross_validation(samples, bandwidths, folds: int = 3) -> float:
    """Reading B: the bandwidth chosen by cross-validation on the generated samples [n, d] themselves.

    argmax_h 1/n sum_i log p_h(x_i | samples of the other folds); sample i is in fold i mod folds, so the
    choice is deterministic; the first of equals. Each distance between two folds serves every bandwidth.
    Raises ValueError as log_likelihood does, for fewer than 2 folds or fewer samples than folds, and where no
    bandwidth has a finite score.
    """
    bandwidths = _positive(bandwidths)
    _matching(samples, samples)
    if not 2 <= folds <= len(samples):
        raise ValueError(f"Cross-validation here needs 2 to {len(samples)} folds, not {folds}.")
    fold = torch.arange(len(samples), device=samples.device) % folds
    total = 0.0
    for held in range(folds):
        total += log_likelihoods(samples[fold != held], samples[fold == held], bandwidths).sum(1)
    return _best(bandwidths, total / len(samples))


def _best(bandwidths, scores) -> float:
    scores = scores.tolist()
    finite = [i for i, score in enumerate(scores) if math.isfinite(score)]
    if not finite:
        raise ValueError("No bandwidth has a finite score: a sample or image is not finite, or none is given.")
    return bandwidths[max(finite, key=scores.__getitem__)]


def _positive(bandwidths) -> list[float]:
    bandwidths = [float(h) for h in bandwidths]
    if not bandwidths:
        raise ValueError("At least one bandwidth is needed.")
    for h in bandwidths:
        if not 0 < h < math.inf:
            raise ValueError(f"A bandwidth must be a positive finite number, not {h}.")
    return bandwidths


def _matching(samples, test):
    if samples.ndim != 2 or test.ndim != 2 or samples.shape[1] != test.shape[1] or not samples.numel():
        raise ValueError(
            "Samples [n, d] and test points [m, d] must be matrices of equal width, with a sample or more, "
            f"not {list(samples.shape)} and {list(test.shape)}."
        )
