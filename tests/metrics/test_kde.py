"""Kernel density: against the formula, scikit-learn and naive fits of the bandwidth, and in size."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from plain import log_likelihood as direct
from plain import points
from sklearn.neighbors import KernelDensity

from fgan.metrics import kde

GRID = [0.1, 0.2, 0.4, 0.8, 1.6]


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


def test_readings_fit_to_held_out_images_and_to_samples():
    samples, held_out, own = points(90, 2, 13), points(60, 2, 14) * 3, points(90, 2, 15) * 0.2
    fitted = kde.bandwidth_held_out(samples, held_out, GRID)
    for other, points_of_it in ((None, samples), (own, own)):
        crossed = kde.bandwidth_cross_validation(points_of_it, GRID, 5)
        assert kde.readings(samples, held_out, GRID, 5, other) == {"held out": fitted, "own samples": crossed}


def test_a_grid_of_bandwidths_is_even_in_the_logarithm():
    grid = kde.grid(0.01, 1.0, 5)
    assert grid[0] == 0.01 and grid[-1] == 1.0 and len(grid) == 5
    assert np.diff(np.log(grid)) == pytest.approx([math.log(10) / 2] * 4)


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


SIZE = """
import json, math, re, torch
from fgan.metrics import kde
torch.set_num_threads(2)
generator = torch.Generator().manual_seed(0)
samples, test = (torch.rand(n, 784, generator=generator) for n in (60_000, 10_000))
found = kde.log_likelihood(samples, test, 0.2)
# Not getrusage, whose peak is that of the process that started this one if that was larger.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**20
x, expected = samples.double(), []
for y in test[::2500].double():
    logits = -(x - y).square().sum(1) / (2 * 0.2**2)
    expected.append(torch.logsumexp(logits, 0) - math.log(60_000) - 392 * math.log(2 * math.pi * 0.2**2))
expected = torch.stack(expected)
error = ((found[::2500] - expected) / expected).abs().max().item()
print(json.dumps({"peak": peak, "error": error}))
"""


@pytest.mark.slow
def test_mnist_size_in_little_memory():
    """60,000 samples against 10,000 images of 784 pixels: under 2 GiB, torch and inputs included."""
    done = subprocess.run([sys.executable, "-c", SIZE], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert measured["peak"] < 2 and measured["error"] < 1e-6, measured
