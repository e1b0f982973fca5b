"""Kernel density: against the formula, scikit-learn and naive fits of the bandwidth, and in size."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity
from small import EXPERIMENTS
from torch.utils._python_dispatch import TorchDispatchMode

from fgan import design
from fgan.metrics import kde
from fgan.targets import images

GRID = [0.1, 0.2, 0.4, 0.8, 1.6]


def points(n, d, seed, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def direct(samples, test, h):
    """The formula on float64 differences."""
    x, y = samples.double().numpy(), test.double().numpy()
    squares = ((y[:, None] - x[None]) ** 2).sum(-1)
    constant = np.log(len(x)) + x.shape[1] / 2 * np.log(2 * np.pi * h**2)
    return logsumexp(-squares / (2 * h**2), axis=1) - constant


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("h", [0.01, 0.3, 5.0])
def test_agrees_with_the_formula(dtype, offset, h):
    samples, test = points(300, 7, 0, dtype) + offset, points(80, 7, 1, dtype) + offset
    found = kde.log_likelihood(samples, test, h)
    assert found.dtype == torch.float64 and found.shape == (80,)
    np.testing.assert_allclose(found.numpy(), direct(samples, test, h), rtol=1e-9)


def test_agrees_with_scikit_learn():
    samples, test = points(400, 3, 2), points(100, 3, 3)
    theirs = KernelDensity(bandwidth=0.4).fit(samples.numpy()).score_samples(test.numpy())
    np.testing.assert_allclose(kde.log_likelihood(samples, test, 0.4).numpy(), theirs, rtol=1e-9)


@pytest.mark.parametrize("h", [0.05, 1.0])
def test_density_integrates_to_one(h):
    line = torch.linspace(-12, 12, 40_001, dtype=torch.float64)[:, None]
    density = kde.log_likelihood(points(50, 1, 4), line, h).exp()
    assert torch.trapezoid(density, line[:, 0]).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("block", [(1, 1, 1), (1, 7, 5), (1, 64, 16), (1, 250, 90), (9, 10_000, 10_000)])
def test_blocks_move_nothing_but_rounding(block):
    samples, test = points(250, 4, 5), points(90, 4, 6)
    whole = np.stack([direct(samples, test, h) for h in GRID])
    found = kde.log_likelihoods(samples, test, torch.tensor(GRID, dtype=torch.float64), block=block)
    np.testing.assert_allclose(found.numpy(), whole, rtol=1e-10)


def test_the_nearest_sample_may_come_last():
    """The running shift is rescaled downwards by a factor that underflows, and the result stays exact."""
    samples = torch.tensor([[1e3], [1e2], [0.0]], dtype=torch.float64)
    test = torch.zeros(1, 1, dtype=torch.float64)
    expected = -math.log(3) - 0.5 * math.log(2 * math.pi * 0.01)
    found = kde.log_likelihoods(samples, test, [0.1], block=(1, 1, 1)).item()
    assert found == pytest.approx(expected, rel=1e-12)


def test_repeats_bit_for_bit_and_leaves_its_inputs():
    samples, test = points(3000, 20, 7, torch.float32), points(700, 20, 8, torch.float32)
    before = samples.clone(), test.clone()
    first = kde.log_likelihoods(samples, test, GRID)
    assert torch.equal(first, kde.log_likelihoods(samples, test, GRID))
    assert torch.equal(samples, before[0]) and torch.equal(test, before[1])
    assert torch.equal(first[2], kde.log_likelihood(samples, test, GRID[2]))


@pytest.mark.parametrize("n, folds", [(100, 3), (100, 5), (7, 7)])
@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_cross_validation_equals_refitting_each_fold(n, folds, spread):
    samples = points(n, 2, 9) * spread
    scores = []
    for h in GRID:
        held = [direct(samples[torch.arange(n) % folds != k], samples[k::folds], h) for k in range(folds)]
        scores.append(np.concatenate(held).mean())
    assert kde.bandwidth_cross_validation(samples, GRID, folds) == GRID[int(np.argmax(scores))]


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_held_out_bandwidth_is_the_naive_argmax(spread):
    samples, held_out = points(120, 2, 10) * spread, points(60, 2, 11) * spread
    scores = [direct(samples, held_out, h).mean() for h in GRID]
    assert kde.bandwidth_held_out(samples, held_out, GRID) == GRID[int(np.argmax(scores))]


def test_the_two_readings_part_on_a_collapsed_generator():
    """One point: its own samples want the narrowest kernel, real data far away want a wide one."""
    samples, real = torch.zeros(99, 2), points(99, 2, 12)
    assert kde.bandwidth_cross_validation(samples, GRID) == GRID[0]
    assert kde.bandwidth_held_out(samples, real, GRID) == 0.8


@pytest.mark.parametrize("h", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_bandwidth_is_named(h):
    with pytest.raises(ValueError, match="positive finite number"):
        kde.log_likelihood(points(5, 2, 0), points(5, 2, 0), h)


@pytest.mark.parametrize("shapes", [((5, 2), (5, 3)), ((5,), (5,)), ((0, 2), (5, 2)), ((5, 2), (5, 2, 1)),
                                    ((3, 5, 2), (5, 3)), ((3, 5, 2), (3, 5, 2)), ((0, 5, 2), (5, 2))])  # fmt: skip
def test_shapes_that_do_not_match_are_named(shapes):
    with pytest.raises(ValueError, match="of equal width"):
        kde.log_likelihood(torch.zeros(shapes[0]), torch.zeros(shapes[1]), 1.0)


def test_a_sample_that_is_not_finite_shows():
    samples = points(30, 2, 0)
    samples[17, 0] = math.nan
    assert kde.log_likelihood(samples, points(5, 2, 1), 1.0).isnan().all()
    with pytest.raises(ValueError, match="No bandwidth has a finite score"):
        kde.bandwidth_cross_validation(samples, GRID)


@pytest.mark.parametrize("folds", [0, 1, 6])
def test_impossible_folds_are_named(folds):
    with pytest.raises(ValueError, match="2 to 5 folds"):
        kde.bandwidth_cross_validation(points(5, 2, 0), GRID, folds)


def test_no_bandwidth_is_named():
    with pytest.raises(ValueError, match="At least one bandwidth"):
        kde.log_likelihoods(points(5, 2, 0), points(5, 2, 0), [])


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


def test_the_digits_are_judged_as_a_stack():
    """Bytes of a lone run, nan for a run that is not finite, and the values of the plain formula."""
    digits = design.load("digits", "smoke", EXPERIMENTS)
    data, arm = images.digits(), digits.arms["fgan"]
    rule = arm["measure"] | {"samples": 200}
    samples = data.train[:600].view(3, 200, 64).clone()
    samples[1] += 0.3 * points(200, 64, 0, torch.float32)
    alone = [digits.run.likelihoods(x[None], data, rule) for x in samples]
    samples[2, 5, 5] = math.nan
    found = digits.run.likelihoods(samples, data, rule)
    assert found.keys() == alone[0].keys() and len(found) == 6
    for name, values in found.items():
        assert torch.equal(values[:2], torch.cat([one[name] for one in alone[:2]])) and values[2].isnan()
    for reading in digits.run.READINGS:
        h = found[f"bandwidth [{reading}]"][1].item()
        plain = direct(samples[1], data.test, h)
        assert h in digits.run.bandwidths(rule)
        assert found[f"log-likelihood [{reading}]"][1].item() == pytest.approx(plain.mean(), rel=1e-10)
        assert found[f"standard error [{reading}]"][1].item() == pytest.approx(plain.std(ddof=1) / 300**0.5, rel=1e-10)


def test_each_reading_of_the_digits_fits_to_its_own_points():
    digits = design.load("digits", "smoke", EXPERIMENTS)
    data, arm = images.digits(), digits.arms["fgan"]
    grid = [0.05, 1.0, 200]  # fine enough for every change of points to change the choice
    rule = arm["measure"] | {"samples": 150, "folds": 5, "bandwidth_images": 20, "bandwidths": grid}
    samples, own = data.train[None, :200], data.train[None, 500:800] + 0.1 * points(300, 64, 0, torch.float32)
    found, grid = digits.run.likelihoods(samples, data, rule, own), digits.run.bandwidths(rule)
    held_out = kde.bandwidth_held_out(samples[0], data.held_out[:20], grid)
    folds = kde.bandwidth_cross_validation(own[0, :150], grid, 5)
    assert [found[f"bandwidth [{reading}]"].tolist() for reading in digits.run.READINGS] == [[held_out], [folds]]
    for reading, fitted, h in zip(digits.run.READINGS, (samples, own), (held_out, folds), strict=True):
        plain = direct(fitted[0], data.test, h).mean()
        assert found[f"log-likelihood [{reading}]"].item() == pytest.approx(plain, rel=1e-10)


SIZE = """
import json, math, resource, time, torch
from fgan.metrics import kde
torch.set_num_threads(2)
generator = torch.Generator().manual_seed(0)
samples, test = (torch.rand(n, 784, generator=generator) for n in (60_000, 10_000))
start = time.process_time()
found = kde.log_likelihood(samples, test, 0.2)
seconds = (time.process_time() - start) / 2  # of two cores: a busy machine changes nothing
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
x, expected = samples.double(), []
for y in test[::2500].double():
    logits = -(x - y).square().sum(1) / (2 * 0.2**2)
    expected.append(torch.logsumexp(logits, 0) - math.log(60_000) - 392 * math.log(2 * math.pi * 0.2**2))
expected = torch.stack(expected)
error = ((found[::2500] - expected) / expected).abs().max().item()
print(json.dumps({"seconds": seconds, "peak": peak, "error": error}))
"""


@pytest.mark.slow
def test_mnist_size_in_time_and_memory():
    """60,000 samples against 10,000 images of 784 pixels: under 60 s and 2 GiB, torch and inputs included."""
    done = subprocess.run([sys.executable, "-c", SIZE], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert measured["seconds"] < 60 and measured["peak"] < 2 and measured["error"] < 1e-6, measured
