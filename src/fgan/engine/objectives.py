"""Objectives: f-GAN's variational objective F and the two generator losses, for a stack of runs.

F(theta, omega) = E_P[g_f(V)] - E_Q[f*(g_f(V))]                  (f-GAN, eq. 6)
saddle:      the generator minimises F, that is -E_Q[f*(g_f(V))]
alternative: the generator minimises -E_Q[g_f(V)]                (f-GAN, sec. 3.2)
"""

import torch

from fgan.divergences import DIVERGENCES


def slices_of(runs):
    """Consecutive runs of one divergence, saddle first: (divergence, first, last + 1, first alternative run)."""
    spans = []
    for index, run in enumerate(runs):
        before = runs[index - 1] if index else None
        back = before and (before.objective, run.objective) == ("alternative", "saddle")
        if not before or before.divergence != run.divergence or back:
            spans.append([run.divergence, index, index, index])
        spans[-1][2] = index + 1
        if run.objective == "saddle":
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
    conjugate = mean(d.conjugate_of_activation(v) for d, v in zip(divergences, v_fake.split(lengths), strict=True))
    losses = [conjugate]
    if any(halves[1::2]):
        fake = v_fake.split(halves)[1::2]
        other = mean(d.activation(v) for d, v in zip(divergences, fake, strict=True) if len(v))
        pairs = zip(conjugate.split(halves)[::2], other.split(halves[1::2]), strict=True)
        losses = [loss for pair in pairs for loss in pair]
    return activated - conjugate, -torch.cat(losses)


def mean(parts):
    """The mean of each run [runs] over the values [runs, batch, 1] of all parts."""
    return torch.cat(list(parts)).mean(dim=(1, 2))
