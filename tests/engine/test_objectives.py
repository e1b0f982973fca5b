"""F and the generator's losses of a stack, against the formula of each run."""

import itertools

import hypothesis
import torch
from hypothesis import strategies as st
from small import run

from fgan.divergences import DIVERGENCES
from fgan.engine.objectives import slices_of, value_and_loss

PAIRS = [run(*pair) for pair in itertools.product(DIVERGENCES, ("saddle", "alternative"))]
V_REAL, V_FAKE = torch.randn(2, 64, 7, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def formula(one, v_real, v_fake):
    """f-GAN's equation 6, and the two generator losses, from the literal conjugate f*(g_f(v))."""
    d = DIVERGENCES[one.divergence]
    fake = d.conjugate(d.activation(v_fake)).mean()
    return d.activation(v_real).mean() - fake, -fake if one.objective == "saddle" else -d.activation(v_fake).mean()


def agree(runs):
    """Values, and gradients of the sums, of a stack against those of its runs, each alone."""
    v_real, v_fake = V_REAL[: len(runs)].clone(), V_FAKE[: len(runs)].clone()
    v_real, v_fake = v_real.requires_grad_(), v_fake.requires_grad_()
    found = value_and_loss(slices_of(runs), v_real, v_fake)
    for which, values in enumerate(found):
        each = [formula(one, v_real[r], v_fake[r])[which] for r, one in enumerate(runs)]
        torch.testing.assert_close(values, torch.stack(each))
        mine = torch.autograd.grad(values.sum(), (v_real, v_fake), retain_graph=True, materialize_grads=True)
        for r, alone in enumerate(each):
            theirs = torch.autograd.grad(alone, (v_real, v_fake), retain_graph=True, materialize_grads=True)
            for stacked, single in zip(mine, theirs, strict=True):
                torch.testing.assert_close(stacked[r], single[r], rtol=1e-6, atol=1e-9)


def test_every_divergence_and_objective_follows_the_formula():
    agree(PAIRS)


@hypothesis.settings(max_examples=100)
@hypothesis.given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=8))
def test_the_order_of_the_runs_does_not_matter(runs):
    agree(runs)


@hypothesis.given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=30))
def test_slices_name_the_divergence_of_every_run_once(runs):
    covered = []
    for divergence, first, last, alternative in slices_of(runs):
        assert first < last and first <= alternative <= last
        objectives = ["saddle"] * (alternative - first) + ["alternative"] * (last - alternative)
        covered += [(divergence.name, o) for o in objectives]
        assert last == len(covered)
    assert covered == [(one.divergence, one.objective) for one in runs]


def test_a_sorted_stack_has_one_slice_for_each_divergence():
    assert len(slices_of(PAIRS)) == len(DIVERGENCES)
    assert slices_of([run("kl"), run("kl", seed=1), run("kl", "alternative")]) == [(DIVERGENCES["kl"], 0, 3, 2)]
