"""Convergence: what a flat history is, and which runs have ended their training."""

import pytest
import torch

from fgan.metrics import convergence

STEADY = [8.0] * 20


def verdict(modes, quality=None, last=0.9, failed=0):
    """(flat, cycles, converged) of a run with these watched modes and shares of high quality."""
    quality = [0.9] * len(modes) if quality is None else quality
    history = {"watched modes": modes, "watched high_quality": quality}
    history = {name: torch.tensor(values)[:, None] for name, values in history.items()}
    found = convergence.judged(
        history, {"high_quality": torch.tensor([last]), "failed": torch.tensor([bool(failed)])})  # fmt: skip
    return tuple(bool(found[name]) for name in ("flat", "cycles", "converged"))


HISTORIES = {
    "flat from the start": (STEADY, None, (True, False, True)),
    "won in the first half": ([0.0, 1.0, 3.0, 5.0] + [8.0] * 16, None, (True, False, True)),
    "one mode alone": ([1.0] * 20, None, (True, False, True)),
    "a mode more or less": ([7.0, 8.0] * 10, None, (True, False, True)),
    "one spike": ([*STEADY[:17], 3.0, 8.0, 8.0], None, (True, False, True)),  # a flat run does not cycle
    "judged on a spike": ([*STEADY[:19], 5.0], None, (False, False, False)),
    "still rising": ([0.0] * 15 + [1.0, 3.0, 5.0, 7.0, 8.0], None, (False, False, False)),
    "still falling": (STEADY[:15] + [8.0, 6.0, 4.0, 2.0, 1.0], None, (False, False, False)),
    "rotating among modes": ([1.0, 5.0] * 10, None, (False, True, False)),
    "quality comes and goes": (STEADY, [0.9, 0.2] * 10, (False, True, False)),
    "quality still rising": (STEADY, [0.05 * k for k in range(20)], (True, False, True)),
    "quality rising fast": (STEADY, [0.0] * 16 + [0.1, 0.3, 0.6, 0.9], (False, False, False)),
    "a tenth of many modes": ([40.0, 43.0, 44.0, 41.0] * 5, None, (True, False, True)),
    "a gap": ([*STEADY[:18], float("nan"), 8.0], None, (False, False, False)),
    "three entries": ([8.0] * 3, None, (False, False, False)),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_flat_or_cycles_or_neither(name):
    modes, quality, wanted = HISTORIES[name]
    assert verdict(modes, quality) == wanted


def test_a_diffuse_run_and_a_failed_one_have_not_converged_however_flat():
    """A run that covers no mode has found none: it has not collapsed."""
    assert verdict([0.0] * 20, [0.01] * 20, last=0.01) == (True, False, False)
    assert verdict(STEADY, last=0.49) == (True, False, False) and verdict(STEADY, last=0.5)[2]
    assert verdict(STEADY, failed=1) == (True, False, False)


def test_runs_are_judged_each_by_its_own_history():
    history = {name: torch.tensor([[8.0, 1.0], [8.0, 5.0]] * 10) / scale
               for name, scale in (("watched modes", 1), ("watched high_quality", 8))}  # fmt: skip
    found = convergence.judged(history, {"high_quality": torch.ones(2), "failed": torch.zeros(2, dtype=torch.bool)})
    assert found["converged"].tolist() == [True, False] and found["cycles"].tolist() == [False, True]


def test_what_counts_no_modes_is_not_judged():
    assert convergence.judged({"F": torch.ones(20, 1)}, {"failed": torch.zeros(1, dtype=torch.bool)}) == {}
