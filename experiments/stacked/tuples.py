"""Modes of stacked images that samples cover, by a classifier of single ones, under every rule of counting.

A mode is a tuple of classes, one for each channel, written as a number with these digits. A rule sets how many samples
cover a mode, and how confident the classifier must be of each in every channel.
"""

import math
from dataclasses import replace

import torch

COUNTS = (1, 3, 5, 10)  # samples that a mode needs to be covered
CONFIDENCES = (0.0, 0.5, 0.9)  # probability that the classifier must give to its class, in every channel
RULES = {f"{count}, confidence {least:g}": (count, least) for least in CONFIDENCES for count in COUNTS}
PUBLISHED, *_, STRICTEST = RULES


def probabilities(judge, images):
    """The classifier's probabilities [runs, n, classes] of images [runs, n, d] in [0, 1]; nan for one not finite."""
    logits = replace(judge, body=judge.whole).features(images)  # with the last layer, which features leave out
    return logits.softmax(-1)


def modes_of(judge, x, channels):
    """Mode, int64, and confidence of samples x [runs, n, channels d] in [-1, 1], each [runs, n].

    The confidence is the least probability, over channels, of the most probable class; mode -1 and confidence nan
    if a sample is not finite.
    """
    images = x.reshape(len(x), -1, x.shape[-1] // channels).add(1).div(2)
    likely = probabilities(judge, images).unflatten(1, (-1, channels))
    powers = likely.shape[-1] ** torch.arange(channels - 1, -1, -1, device=x.device)
    likely, classes = likely.max(-1)
    known = likely.isfinite().all(-1)
    return (classes * powers).sum(-1).where(known, -1), likely.amin(-1).where(known, math.nan)


def summary(mode, confidence, modes):
    """{(metric, rule): value [runs]}: modes covered and KL(samples || uniform over all modes) in nats by rule.

    `mode` and `confidence` are those of `modes_of` [runs, n]. A sample counts if its confidence reaches the rule's,
    and a mode is covered by the rule's number of such samples; KL is of the samples in covered modes, nan without one.
    A run with a sample that is not finite has no value (nan).
    """
    metrics, finite = {}, (mode >= 0).all(dim=1)
    for rule, (count, least) in RULES.items():
        hits = torch.zeros(len(mode), modes, dtype=torch.float64, device=mode.device)
        hits.scatter_add_(1, mode.clamp_min(0), (confidence >= least).double())
        kept = hits.where(hits >= count, 0)
        share = kept / kept.sum(dim=1, keepdim=True)
        metrics["modes", rule] = (kept > 0).sum(dim=1).double()
        metrics["KL", rule] = torch.special.xlogy(share, share * modes).sum(dim=1)
    return {name: value.where(finite, math.nan) for name, value in metrics.items()}
