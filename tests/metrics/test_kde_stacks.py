"""Kernel density of stacks of runs: each run has the values that it has alone, and memory does not grow with them."""

import math

import numpy as np
import pytest
import torch
from plain import log_likelihood as direct
from plain import points
from torch.utils._python_dispatch import TorchDispatchMode

from fgan.metrics import kde

GRID = [0.1, 0.2, 0.4, 0.8, 1.6]


def stack(runs, n, d, seed=20):
    """Runs of different widths, so that their bandwidths differ."""
    return torch.stack([points(n, d, seed + r, torch.float32) * 0.4 * 2**r for r in range(runs)])


# More samples and test points than a block holds, and no multiple of it.
@pytest.mark.parametrize("n, m, d", [(120, 50, 2), (2500, 150, 20)])
def test_a_stack_gives_each_run_the_bytes_that_it_has_alone(n, m, d):
    samples, test = stack(4, n, d), points(m, d, 30, torch.float32)
    alone = [kde.log_likelihoods(x, test, GRID) for x in samples]
    assert torch.equal(kde.log_likelihoods(samples, test, GRID), torch.stack(alone))
    for fit in (lambda x: kde.bandwidth_held_out(x, test, GRID), lambda x: kde.bandwidth_cross_validation(x, GRID)):
        chosen = fit(samples)
        assert chosen.dtype == torch.float64 and chosen.tolist() == [fit(x) for x in samples]
        assert len(set(chosen.tolist())) > 1
        own = [kde.log_likelihood(x, test, h) for x, h in zip(samples, chosen.tolist(), strict=True)]
        assert torch.equal(kde.log_likelihood(samples, test, chosen), torch.stack(own))
    assert torch.equal(kde.log_likelihood(samples, test, 0.4), torch.stack([values[2] for values in alone]))


@pytest.mark.parametrize("group", [1, 2, 3, 9])
def test_a_stack_agrees_with_the_formula(monkeypatch, group):
    """Whatever the number of runs in a block, as on a GPU."""
    monkeypatch.setitem(kde.BLOCKS, "cpu", (group, 32, 16))
    samples, test = stack(5, 90, 3), points(40, 3, 30)
    whole = np.stack([[direct(x, test, h) for h in GRID] for x in samples])
    np.testing.assert_allclose(kde.log_likelihoods(samples, test, GRID).numpy(), whole, rtol=1e-10)
    own = torch.tensor(GRID, dtype=torch.float64)
    diagonal = [direct(x, test, h) for x, h in zip(samples, GRID, strict=True)]
    np.testing.assert_allclose(kde.log_likelihood(samples, test, own).numpy(), np.stack(diagonal), rtol=1e-10)
    naive = [GRID[int(np.argmax(values.mean(1)))] for values in whole]
    assert kde.bandwidth_held_out(samples, test, GRID).tolist() == naive
    folds = [[np.concatenate([direct(x[torch.arange(90) % 3 != k], x[k::3], h) for k in range(3)]).mean()
              for h in GRID] for x in samples]  # fmt: skip
    naive = [GRID[int(np.argmax(values))] for values in folds]
    assert kde.bandwidth_cross_validation(samples, GRID).tolist() == naive


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_run_that_is_not_finite_is_nan_and_moves_no_other(monkeypatch, wrong, group):
    monkeypatch.setitem(kde.BLOCKS, "cpu", (group, 32, 16))
    samples, test = stack(4, 60, 3), points(40, 3, 30)
    ill = samples.clone()
    ill[1, 17, 0] = wrong
    for fit in (lambda x: kde.bandwidth_held_out(x, test, GRID), lambda x: kde.bandwidth_cross_validation(x, GRID)):
        found, expected = fit(ill), fit(samples)
        assert found.isnan().tolist() == [False, True, False, False]
        assert torch.equal(found[[0, 2, 3]], expected[[0, 2, 3]])
        for h in (found, 0.4):
            values = kde.log_likelihood(ill, test, h)
            assert values[1].isnan().all()
            assert torch.equal(
                values[[0, 2, 3]], kde.log_likelihood(samples, test, expected if h is found else h)[[0, 2, 3]]
            )


def test_a_run_without_a_bandwidth_is_nan_and_a_wrong_one_is_named():
    samples, test = stack(3, 30, 2), points(5, 2, 1)
    found = kde.log_likelihood(samples, test, torch.tensor([0.4, math.nan, 0.4]))
    assert found.isnan().all(1).tolist() == [False, True, False]
    for wrong in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="positive finite number"):
            kde.log_likelihood(samples, test, torch.tensor([0.4, wrong, math.nan]))


class Largest(TorchDispatchMode):
    """The most elements of any tensor that is made under it."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if not function.is_view and isinstance(result, torch.Tensor):
            self.elements = max(self.elements, result.numel())
        return result


def test_no_tensor_exceeds_a_block_whatever_the_number_of_runs():
    samples, test = points(12, 3000 * 40, 0, torch.float32).view(12, 3000, 40), points(700, 40, 1, torch.float32)
    runs, of_samples, of_test = kde.BLOCKS["cpu"]
    with Largest() as largest:
        h = kde.bandwidth_held_out(samples, test, GRID[:2])
        kde.bandwidth_cross_validation(samples, GRID[:2])
        kde.log_likelihood(samples, test, h)
    assert runs == 1 and largest.elements == of_samples * of_test < 12 * 3000 * 40
