"""The decoupled game: V ascends F_f, and G descends D_h through the density ratio that V implies."""

from dataclasses import replace

import torch

from fgan.divergences import DIVERGENCES
from fgan.engine import objectives
from fgan.engine.population import Population


class Decoupled(Population):
    """A population in which a run's objective is the name of the divergence h that its generator descends.

    V implies the ratio u = (f')^-1(g_f(V)), a function of x whose parameters G does not move. G minimises
        -E_Q[h*(h'(u))] = E_Q[h(u) - u h'(u)],
    whose gradient is that of D_h(P||Q) where u = p/q: with h = f the saddle objective, with h'' = f''/u the alternative
    one. Sources: Poole et al. 2016; Shannon et al. 2020.
    """

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        # Runs of one f lie side by side. For the generator's loss those of one h are brought together, and back.
        self.slices = objectives.slices_of([replace(run, objective="saddle") for run in self.runs])
        descended = [run.objective for run in self.runs]
        self.counts = {h: descended.count(h) for h in dict.fromkeys(descended)}
        together = sorted(range(len(descended)), key=lambda run: list(self.counts).index(descended[run]))
        self.together = torch.tensor(together, device=self.device)
        self.apart = self.together.argsort()

    def losses(self, x, z, inner=False):
        with torch.set_grad_enabled(not inner):
            fake = self.generate(z)
        v_fake = self.judge(fake)
        value, _ = objectives.value_and_loss(self.slices, self.judge(x), v_fake)
        return value, -self.counted(v_fake)

    def counted(self, v):
        """E_Q[h*(h'(u))] of every run [runs] from V on samples of Q [runs, batch, 1]."""
        lengths = [last - first for _, first, last, _ in self.slices]
        parts = zip((divergence for divergence, *_ in self.slices), v.split(lengths), strict=True)
        s = torch.cat([f.log_ratio(part) for f, part in parts])[self.together]
        parts = zip(self.counts, s.split(list(self.counts.values())), strict=True)
        each = [DIVERGENCES[h].conjugate_of_log_ratio(part) for h, part in parts]
        return objectives.mean(each)[self.apart]
