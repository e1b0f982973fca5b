"""Likelihoods of the digits: runs are judged as a stack as each is alone, and each reading fits to its own points."""

import math

import pytest
import torch
from plain import log_likelihood, points
from small import EXPERIMENTS

from fgan import design
from fgan.metrics import kde
from fgan.targets import images

DIGITS, DATA = design.load("digits", "smoke", EXPERIMENTS), images.digits()
RUN, MEASURE = DIGITS.run, DIGITS.arms["fgan"]["measure"]
READINGS = ("held out", "own samples")


def test_the_digits_are_judged_as_a_stack():
    """Bytes of a lone run, nan for a run that is not finite, and the values of the plain formula."""
    measure = MEASURE | {"samples": 200}
    samples = DATA.train[:600].view(3, 200, 64).clone()
    samples[1] += 0.3 * points(200, 64, 0, torch.float32)
    alone = [RUN.likelihoods(x[None], DATA, measure) for x in samples]
    samples[2, 5, 5] = math.nan
    found = RUN.likelihoods(samples, DATA, measure)
    assert found.keys() == alone[0].keys() and len(found) == 6
    for name, values in found.items():
        assert torch.equal(values[:2], torch.cat([one[name] for one in alone[:2]])) and values[2].isnan()
    for reading in READINGS:
        h = found["bandwidth", reading][1].item()
        plain = log_likelihood(samples[1], DATA.test, h)
        assert h in kde.grid(*measure["bandwidths"])
        assert found["log-likelihood", reading][1].item() == pytest.approx(plain.mean(), rel=1e-10)
        assert found["standard error", reading][1].item() == pytest.approx(plain.std(ddof=1) / 300**0.5, rel=1e-10)


def test_each_reading_of_the_digits_fits_to_its_own_points():
    grid = [0.05, 1.0, 200]  # fine enough for every change of points to change the choice
    measure = MEASURE | {"samples": 150, "folds": 5, "bandwidth_images": 20, "bandwidths": grid}
    samples, own = DATA.train[None, :200], DATA.train[None, 500:800] + 0.1 * points(300, 64, 0, torch.float32)
    found, grid = RUN.likelihoods(samples, DATA, measure, own), kde.grid(*grid)
    held_out = kde.bandwidth_held_out(samples[0], DATA.held_out[:20], grid)
    folds = kde.bandwidth_cross_validation(own[0, :150], grid, 5)
    assert [found["bandwidth", reading].tolist() for reading in READINGS] == [[held_out], [folds]]
    for reading, fitted, h in zip(READINGS, (samples, own), (held_out, folds), strict=True):
        plain = log_likelihood(fitted[0], DATA.test, h).mean()
        assert found["log-likelihood", reading].item() == pytest.approx(plain, rel=1e-10)
