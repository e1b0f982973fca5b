"""Density and coverage, and the Vendi score: what samples are worth without knowing the modes of P."""

import torch


def neighbour_radii(real, k):
    """The distance from each of real samples [n, d] to its k-th nearest other one, [n]."""
    return torch.cdist(real, real, compute_mode="donot_use_mm_for_euclid_dist").kthvalue(k + 1, dim=1).values


def density_and_coverage(samples, real, k):
    """Density and coverage, each [runs], of samples [runs, m, d] in the balls of real samples [n, d].

    A real sample's ball reaches to its k-th neighbour. Density: balls that hold a sample, over k, in the mean over
    samples; coverage: the share of balls that hold one. If P = Q they expect 1 and
    1 - (n - 1) ... (n - k) / ((m + n - 1) ... (m + n - k)). Source: Naeem et al. 2020.
    """
    radii = neighbour_radii(real, k)
    inside = [torch.cdist(x, real, compute_mode="donot_use_mm_for_euclid_dist") <= radii for x in samples]
    density = torch.stack([hits.sum(1).double().mean() / k for hits in inside])
    return density, torch.stack([hits.any(0).double().mean() for hits in inside])


def vendi(samples, bandwidth):
    """The Vendi score [runs] of samples [runs, n, d]: the exponential of the entropy of the eigenvalues of K / n.

    K = exp(-|x - y|^2 / (2 bandwidth^2)), so it is the number of samples that look different at this distance; NaN if
    a sample is not finite. Source: Friedman and Dieng 2023.
    """
    return torch.stack([_vendi(x.double(), bandwidth) for x in samples])


def _vendi(x, bandwidth):
    if not x.isfinite().all():
        return x.new_full((), torch.nan)
    distance = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    eigenvalues = torch.linalg.eigvalsh(torch.exp(-((distance / bandwidth) ** 2) / 2) / len(x)).clamp(min=0)
    return torch.special.entr(eigenvalues).sum().exp()


def measured(samples, real, measure):
    """Density, coverage and Vendi score of samples [runs, n, d] against real ones, by `neighbours` and `bandwidth`."""
    density, coverage = density_and_coverage(samples, real, measure["neighbours"])
    return {"density": density, "coverage": coverage, "vendi": vendi(samples, measure["bandwidth"])}
