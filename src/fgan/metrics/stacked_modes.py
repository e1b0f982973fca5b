"""Modes of stacked images that samples cover, by a classifier of single ones, under every rule of counting.

A mode is a tuple of classes, one for each channel, written as a number whose digits they are. A rule says how many
samples cover a mode, and how sure of them the classifier has to be in every channel.
"""

import math

import torch

from fgan.classifier import BLOCK

COUNTS = (1, 3, 5, 10)  # samples that a mode needs to be covered
CONFIDENCES = (0.0, 0.5, 0.9)  # probability that the classifier must give to its class, in every channel


@torch.no_grad()
def probabilities(judge, images):
    """The classifier's probabilities [runs, n, classes] of images [runs, n, d] in [0, 1]; nan for one not finite.

    Run by run in blocks of one size, so that no run's bits depend on another.
    """
    views = judge.whole.views(judge.weights.to(images.device))

    def block(x):
        # A fresh copy, because bits can depend on how memory is aligned, and nan, because ReLU can hide infinity.
        fresh = x.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        found = judge.whole(views, fresh[None])[0].softmax(-1)
        return found.where(fresh.isfinite().all(1, keepdim=True), math.nan)

    return torch.stack([torch.cat([block(part) for part in run.split(BLOCK)]) for run in images])


def judged(judge, x, channels):
    """Mode, int64, and confidence of samples x [runs, n, channels d] in [-1, 1], each [runs, n].

    The confidence is the least probability, over channels, of the most probable class; mode -1 and confidence nan
    where a sample is not finite.
    """
    images = x.reshape(len(x), -1, x.shape[-1] // channels).add(1).div(2)
    likely = probabilities(judge, images).unflatten(1, (-1, channels))
    powers = likely.shape[-1] ** torch.arange(channels - 1, -1, -1, device=x.device)
    likely, classes = likely.max(-1)
    known = likely.isfinite().all(-1)
    return (classes * powers).sum(-1).where(known, -1), likely.amin(-1).where(known, math.nan)


def summary(mode, confidence, modes):
    """Modes covered and KL(samples || uniform over all modes) in nats under every rule, each [runs].

    `mode` and `confidence` are those of `judged` [runs, n]. Under the rule [c, confidence p] a sample counts if its
    confidence is at least p, and a mode is covered by at least c such samples; KL is of the samples in covered modes,
    nan without one. A run with a sample that is not finite has no value (nan).
    """
    found = {}
    for p in CONFIDENCES:
        hits = torch.zeros(len(mode), modes, dtype=torch.float64, device=mode.device)
        hits.scatter_add_(1, mode.clamp_min(0), (confidence >= p).double())
        for c in COUNTS:
            kept = hits.where(hits >= c, 0)
            share = kept / kept.sum(dim=1, keepdim=True)
            found[f"modes [{c}, confidence {p:g}]"] = (kept > 0).sum(dim=1).double()
            found[f"KL [{c}, confidence {p:g}]"] = torch.special.xlogy(share, share * modes).sum(dim=1)
    sound = (mode >= 0).all(dim=1)
    return {name: value.where(sound, math.nan) for name, value in found.items()}
