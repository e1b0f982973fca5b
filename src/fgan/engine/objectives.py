"""Objectives: f-GAN's variational objective F and the two generator losses, for a stack of runs.

F(theta, omega) = E_P[g_f(V)] - E_Q[f*(g_f(V))]                  (f-GAN, eq. 6)
saddle:      the generator minimises F, that is -E_Q[f*(g_f(V))]
alternative: the generator minimises -E_Q[g_f(V)]                (f-GAN, sec. 3.2)
"""

import torch

from fgan.divergences import DIVERGENCES

MINIMAX = ("saddle", "relativistic")  # the generator minimises what V maximises; no g_f of a fake is needed


def slices_of(runs):
    """Consecutive runs of one divergence, minimax first: (divergence, first, last + 1, first run of another kind)."""
    spans = []
    for index, run in enumerate(runs):
        before = runs[index - 1] if index else None
        back = before and run.objective in MINIMAX and before.objective not in MINIMAX
        if not before or before.divergence != run.divergence or back:
            spans.append([run.divergence, index, index, index])
        spans[-1][2] = index + 1
        if run.objective in MINIMAX:
            spans[-1][3] = index + 1
    return [(DIVERGENCES[name], *span) for name, *span in spans]


def value_and_loss(slices, v_real, v_fake):
    """F and the generator's loss of every run, both [runs].

    `slices` are those of `slices_of`, `v_real` and `v_fake` [runs, batch, 1] are V on data and on samples of Q. Each
    run's value is its own mean, so the sum over runs has exactly the gradients of the single runs.
    """
    # The whole stack is split and joined, so that every mean, and every backward pass through them, is one kernel. Only
    # fakes of the alternative objective are activated: elsewhere a derivative may be infinite, and 0 times that is NaN.
    divergences = [divergence for divergence, *_ in slices]
    lengths = [last - first for _, first, last, _ in slices]
    halves = [n for _, first, last, alternative in slices for n in (alternative - first, last - alternative)]
    activated = mean(d.activation(v) for d, v in zip(divergences, v_real.split(lengths), strict=True))
    conjugate = conjugates(slices, v_fake)
    losses = [conjugate]
    if any(halves[1::2]):
        fake = v_fake.split(halves)[1::2]
        other = mean(d.activation(v) for d, v in zip(divergences, fake, strict=True) if len(v))
        pairs = zip(conjugate.split(halves)[::2], other.split(halves[1::2]), strict=True)
        losses = [loss for pair in pairs for loss in pair]
    return activated - conjugate, -torch.cat(losses)


def conjugates(slices, v):
    """The mean of f*(g_f(v)) of every run [runs], for V's outputs v [runs, batch, 1]."""
    parts = v.split([last - first for _, first, last, _ in slices])
    return mean(d.conjugate_of_activation(part) for (d, *_), part in zip(slices, parts, strict=True))


def mean(parts):
    """The mean of each run [runs] over the values [runs, batch, 1] of all parts."""
    return torch.cat(list(parts)).mean(dim=(1, 2))
