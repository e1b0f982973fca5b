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
    values, losses = [], []
    for divergence, first, last, alternative in slices:
        conjugate = divergence.conjugate_of_activation(v_fake[first:last]).mean(dim=(1, 2))
        values.append(divergence.activation(v_real[first:last]).mean(dim=(1, 2)) - conjugate)
        losses.append(-conjugate[: alternative - first])
        if alternative < last:
            losses.append(-divergence.activation(v_fake[alternative:last]).mean(dim=(1, 2)))
    return torch.cat(values), torch.cat(losses)
