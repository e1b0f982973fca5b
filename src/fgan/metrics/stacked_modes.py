"""Modes of stacked digits that samples cover, by a classifier of single ones, under every rule of counting."""

import torch

from fgan.classifier import BLOCK

COUNTS = (1, 3, 5, 10)  # samples that a mode needs to be covered
CONFIDENCES = (0.0, 0.5, 0.9)  # probability that the classifier must give to its class, in every channel


@torch.no_grad()
def judged(x, classifier, channels):
    """Mode [runs, n] of flat samples x [runs, n, channels d] in [-1, 1], and the least probability of their classes.

    A mode is the number whose digits are the classes of the channels; -1 for a sample that is not finite.
    """
    views = classifier.whole.views(classifier.weights.to(x.device))
    flat = x.reshape(-1, x.shape[-1] // channels).add(1).div(2)
    logits = torch.cat([classifier.whole(views, part[None].contiguous())[0] for part in flat.split(BLOCK)])
    best, digit = logits.softmax(-1).view(*x.shape[:2], channels, -1).max(-1)
    powers = logits.shape[-1] ** torch.arange(channels - 1, -1, -1, device=x.device)
    known = x.isfinite().all(-1)
    return (digit * powers).sum(-1).where(known, -1), best.amin(-1).where(known, 0.0)


def summary(mode, confidence, modes):
    """Modes covered and KL(samples || uniform) in nats under every rule, of one tuple of stacks [runs, n]; each [runs].

    Names are 'modes [at least c, confidence p]' and 'KL [confidence p]'; KL is nan where no sample counts.
    """
    found = {}
    for least in CONFIDENCES:
        counted = (mode >= 0) & (confidence >= least)
        hits = torch.zeros(len(mode), modes + 1, dtype=torch.float64, device=mode.device)
        hits.scatter_add_(1, mode.where(counted, modes), torch.ones_like(mode, dtype=torch.float64))
        hits = hits[:, :modes]
        share = hits / hits.sum(dim=1, keepdim=True)
        found[f"KL [confidence {least:g}]"] = torch.special.xlogy(share, share * modes).sum(dim=1)
        found |= {f"modes [{c}, confidence {least:g}]": (hits >= c).sum(dim=1) for c in COUNTS}
    return found
