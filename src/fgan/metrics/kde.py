"""Gaussian kernel density (Parzen window) log-likelihoods, and two readings of how to fit the bandwidth.

Every function takes the samples of one run [n, d] or a stack of runs [runs, n, d], and returns one value for each.
"""

import math

import numpy as np
import torch

# Runs, samples and test points of one block of distances, which decides the peak memory for given inputs. On the CPU
# a block of one run fills the cache; more runs would be no faster and would use another product kernel.
BLOCKS = {"cpu": (1, 2048, 128), "cuda": (16, 2048, 512)}

# exp is up to 60 times slower if its result is subnormal; e^-700 is negligible beside a sum of at least 1.
NEGLIGIBLE = -700.0


def log_likelihood(samples, test, bandwidth):
    """Log-density of each test point under one kernel density on the samples, [m] nats, float64.

    log p(y) = log 1/n sum_i exp(-|y - x_i|^2 / 2h^2) - d/2 log(2 pi h^2), an isotropic Gaussian of standard
    deviation h (in the units of the data) on each of the n samples [n, d]; test is [m, d].
    A stack [runs, n, d] gives [runs, m], with one h for all or one for each run [runs]. A run whose samples are not
    all finite, or whose own h is nan, gets nan. Raises ValueError for another h that is not positive and finite and
    for shapes that do not match. Protocol: Goodfellow et al. 2014, Breuleux et al. 2011.
    """
    per_run = torch.as_tensor(bandwidth, dtype=torch.float64)[..., None]
    return log_likelihoods(samples, test, per_run)[..., 0, :]


@torch.no_grad()
def log_likelihoods(samples, test, bandwidths, block=None):
    """Log-densities [k, m], of a stack [runs, k, m], for k bandwidths from one pass over the distances.

    As log_likelihood, with bandwidths [k] for all runs or [runs, k]. block = (runs, samples, test points) in one
    matrix product; it moves the result by rounding only.
    """
    stack, block = _stack(samples, test), block or BLOCKS[samples.device.type]
    bandwidths = _positive(bandwidths, stack)
    groups = zip(stack.split(block[0]), bandwidths.split(block[0]), strict=True)
    values = torch.cat([_densities(x, test, h, block) for x, h in groups])
    return values if samples.ndim == 3 else values[0]


def _densities(samples, test, bandwidths, block):
    """Log-densities [g, k, m] of a group of runs [g, n, d] at test points [m, d] or [g, m, d], bandwidths [g, k]."""
    n, d = samples.shape[1:]
    # |y - x|^2 = |y|^2 + |x|^2 - 2xy cancels least around the centre, and float64 leaves 1e-13 of it.
    centre = samples.mean(1, keepdim=True, dtype=torch.float64)
    test = test.to(torch.float64) - centre
    test_norms = test.square().sum(2)
    # The nearest sample dominates at every bandwidth, so one shift serves all of them:
    # sums[k] = sum_i exp(-(|y - x_i|^2 - nearest) / 2h_k^2) >= 1 can neither underflow nor overflow.
    nearest = torch.full_like(test_norms, math.inf)
    scales = -0.5 / bandwidths.T[..., None].square()  # [k, g, 1]
    sums = nearest.new_zeros(len(scales), *nearest.shape)
    for x in samples.split(block[1], dim=1):
        x = x.to(torch.float64) - centre
        norms = x.square().sum(2)
        for at in range(0, test.shape[1], block[2]):
            rows = slice(at, at + block[2])
            distances = torch.baddbmm(norms[:, None], test[:, rows], x.mT, alpha=-2)
            distances.add_(test_norms[:, rows, None]).clamp_min_(0)
            closest = torch.minimum(nearest[:, rows], distances.amin(2))
            closer_by = nearest[:, rows] - closest
            distances -= closest[..., None]
            for total, scale in zip(sums, scales, strict=True):
                total[:, rows] *= torch.exp(scale * closer_by)
                total[:, rows] += torch.mul(distances, scale[..., None]).clamp_min_(NEGLIGIBLE).exp_().sum(2)
            nearest[:, rows] = closest
    # 2 pi h^2 = -pi / scale
    values = sums.log_() + scales * nearest - math.log(n) - d / 2 * torch.log(-math.pi / scales)
    return values.transpose(0, 1)


def bandwidth_held_out(samples, held_out, bandwidths):
    """Reading A: the bandwidth with the highest mean log-likelihood of held-out real images.

    argmax_h mean_j log p_h(y_j), y_j the held-out images [m, d] (never the test images); the first of equals.
    Returns a number, or [runs] for a stack with nan for a run that no bandwidth gives a finite score. Raises
    ValueError as log_likelihood does, and if the samples [n, d] of a single run give no finite score.
    """
    return _best(bandwidths, log_likelihoods(samples, held_out, bandwidths).mean(-1))


@torch.no_grad()
def bandwidth_cross_validation(samples, bandwidths, folds=3):
    """Reading B: the bandwidth chosen by cross-validation on the generated samples [n, d] themselves.

    argmax_h 1/n sum_i log p_h(x_i | samples of the other folds); sample i is in fold i mod folds, so the
    choice is deterministic; the first of equals. Each distance between two folds serves every bandwidth.
    Returns and raises as bandwidth_held_out does; ValueError too for fewer than 2 folds or fewer samples than folds.
    """
    stack, block = _stack(samples), BLOCKS[samples.device.type]
    n = stack.shape[1]
    if not 2 <= folds <= n:
        raise ValueError(f"Cross-validation here needs 2 to {n} folds, not {folds}.")
    fold = torch.arange(n, device=stack.device) % folds
    groups = zip(stack.split(block[0]), _positive(bandwidths, stack).split(block[0]), strict=True)
    scores = [
        sum(_densities(x[:, fold != held], x[:, fold == held], h, block).sum(2) for held in range(folds)) / n
        for x, h in groups
    ]
    return _best(bandwidths, torch.cat(scores) if samples.ndim == 3 else scores[0][0])


def readings(samples, held_out, bandwidths, folds, own=None):
    """The bandwidth by reading: from held-out images [m, d], and from the samples, or from `own` if it is given."""
    return {
        "held out": bandwidth_held_out(samples, held_out, bandwidths),
        "own samples": bandwidth_cross_validation(samples if own is None else own, bandwidths, folds),
    }


def grid(smallest, largest, number):
    """A list of bandwidths from the smallest to the largest, evenly in the logarithm."""
    return np.geomspace(smallest, largest, int(number)).tolist()


def _best(bandwidths, scores):
    bandwidths = torch.as_tensor(bandwidths, dtype=torch.float64, device=scores.device).expand_as(scores)
    finite = scores.isfinite()
    best = scores.where(finite, -math.inf).argmax(-1, keepdim=True)
    chosen = bandwidths.gather(-1, best)[..., 0].where(finite.any(-1), math.nan)
    if chosen.ndim:
        return chosen
    if chosen.isnan():
        raise ValueError("No bandwidth has a finite score: a sample or image is not finite, or none is given.")
    return float(chosen)


def _positive(bandwidths, stack):
    """Bandwidths [runs, k]; nan is allowed only as a run's own value, for a run without a bandwidth."""
    given = torch.as_tensor(bandwidths, dtype=torch.float64, device=stack.device)
    if not given.shape[-1]:
        raise ValueError("At least one bandwidth is needed.")
    wrong = given[~((given > 0) & given.isfinite() | (given.isnan() & (given.ndim == 2)))]
    if len(wrong):
        raise ValueError(f"A bandwidth must be a positive finite number, not {float(wrong[0])}.")
    return given.expand(len(stack), -1)


def _stack(samples, test=None):
    """Samples [runs, n, d], a lone run in a stack of one."""
    stack = samples[None] if samples.ndim == 2 else samples
    test = stack[0] if test is None else test
    if stack.ndim != 3 or test.ndim != 2 or stack.shape[2] != test.shape[1] or not stack.numel():
        raise ValueError(
            "Samples [n, d] or [runs, n, d] and test points [m, d] must be of equal width, with a sample or more, "
            f"not {list(samples.shape)} and {list(test.shape)}."
        )
    return stack
