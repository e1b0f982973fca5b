r"""Relativistic objectives: V judges a point of P beside one of Q by the difference of its outputs, under every f.

    d = V(x) - V(G(z)),    F_rel(theta, omega) = E[g_f(v_0 + d) - f*(g_f(v_0 - d))],    g_f(v_0) = f'(1)

relativistic:          the generator minimises F_rel
relativistic_swapped:  the generator maximises F_rel of the swapped pair, with -d for d (the published loss)

F_rel is f-GAN's F between the two orders of a pair, P x Q and Q x P, with a difference for V. Hence for every f

    f(1) <= sup over V of F_rel <= D_f(P x Q || Q x P),

on the left with equality only if P = Q, as a small V = e h gains 2 e g_f'(v_0) (E_P[h] - E_Q[h]); on the right wherever
the optimal V of the pair, g_f^-1(f'(ratio)), is a multiple of a log-ratio: KL, reverse KL, Neyman, Hellinger, JS, GAN,
and total variation in the limit of large V.
For GAN F_rel = 2 E[log sigmoid(d)]. Where the integrand is concave in d (all but total variation, Neyman, alpha = -2)
it is, less f(1), one of Jolicoeur-Martineau 2020. V -> -V shows that the supremum is symmetric in P and Q: KL and
reverse KL are one algorithm.

Source: Jolicoeur-Martineau 2018 (arXiv:1807.00734) and 2020 (arXiv:1901.02474); Sun, Fang and Schwing 2020
(arXiv:2011.04926); Huang et al. 2024 (arXiv:2501.05441). The integrand for any f of the table is derived here.
"""

import torch

from fgan.divergences import DIVERGENCES
from fgan.engine import objectives

DIRECT, SWAPPED = "relativistic", "relativistic_swapped"


class Pairs:
    """The relativistic runs of a stack; a pair is a point of P and one of Q at the same place of the batch."""

    def __init__(self, runs, device="cpu"):
        def stack(values):
            return torch.tensor(values, device=device).view(-1, 1, 1)

        self.direct, self.swapped = (stack([run.objective == name for run in runs]) for name in (DIRECT, SWAPPED))
        self.constant = stack([DIVERGENCES[run.divergence].threshold_v for run in runs])
        self.any = any(run.objective in (DIRECT, SWAPPED) for run in runs)

    def outputs(self, v_real, v_fake):
        """What F takes for V on data and on samples of Q [runs, batch, 1]: v_0 + d and v_0 - d where V judges pairs."""
        paired, d = self.direct | self.swapped, v_real - v_fake
        return torch.where(paired, self.constant + d, v_real), torch.where(paired, self.constant - d, v_fake)

    def value_and_loss(self, slices, v_real, v_fake):
        """F, or F_rel, and the generator's loss of every run, both [runs]: `objectives.value_and_loss` for all."""
        if not self.any:
            return objectives.value_and_loss(slices, v_real, v_fake)
        v_real, v_fake = self.outputs(v_real, v_fake)
        value, loss = objectives.value_and_loss(slices, v_real, v_fake)
        # The generator moves both terms of F_rel. Where nothing is swapped, v_0 keeps the conjugate finite.
        other = objectives.conjugates(slices, torch.where(self.swapped, v_real, self.constant))
        loss = torch.where(self.swapped.flatten(), loss + other, loss)
        return value, torch.where(self.direct.flatten(), value, loss)
