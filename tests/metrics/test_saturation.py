"""Saturation: seen run by run, and only where dom f* is bounded on both sides."""

import pytest
import torch
from small import population, run

from fgan.metrics import saturation

RUNS = [run("total_variation"), run("total_variation", seed=1), run("total_variation", "alternative"), run("gan"),
        run("kl", "alternative")]  # fmt: skip


def judged(runs, raised):
    """Saturation of fresh runs, V raised by a constant in those named."""
    p = population(runs)
    with torch.no_grad():
        p.variational.views(p.omega)[-1][raised] += 100.0
    return saturation.saturated(p).tolist()


@pytest.mark.parametrize("raised, found", [([], [0, 0, 0, 0, 0]), ([1], [0, 1, 0, 0, 0]), ([0, 2], [1, 0, 1, 0, 0]),
                                           ([0, 1, 2, 3, 4], [1, 1, 1, 0, 0])])  # fmt: skip
def test_saturation_is_seen_run_by_run(raised, found):
    assert judged(RUNS, raised) == found


@pytest.mark.parametrize("raised, found", [([], [0]), ([0, 1], [1])])
def test_a_lone_run_has_one_answer(raised, found):
    assert judged(RUNS[:1], raised) == found
