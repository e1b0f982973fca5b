"""Digits: the samplers without training, the facts of the card, and what is drawn and tabulated."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from memory import trained_part
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.metrics import kde
from fgan.metrics.classifier import classifier
from fgan.report import figures
from fgan.report.tables import latex
from fgan.targets import images

DATA = images.digits()
QUICK = design.load("digits", "quick", EXPERIMENTS)
RUN, FIGURES = QUICK.run, design.module(EXPERIMENTS, "digits", "figures")
NAMES = ("kl", "reverse_kl", "pearson", "jensen_shannon", "gan")
SMALL = {"samples": 64, "manifold": 64, "folds": 3, "bandwidths": [0.05, 1.0, 6], "bandwidth_images": 50}


@pytest.fixture(scope="module")
def baselines():
    return RUN.baselines({"measure": SMALL}, DATA)


@pytest.fixture(scope="module")
def part(baselines):
    """All arms, shortly trained on two seeds; the alternative objective on KL and reverse KL alone."""
    populations = {}
    for arm, own in QUICK.arms.items():
        names = {"fgan": NAMES, "alternative": NAMES[:2], "vae": ("kl",)}[arm]
        runs = [Run("digits", arm, name, own["objectives"][0], seed) for name in names for seed in range(2)]
        settings = own | {"steps": 4, "history": 2, "measure": SMALL, "seeds": 2}
        populations[arm] = RUN.population(settings, runs, data=DATA)
    return trained_part("digits", RUN, populations, baselines)


def test_the_readings_are_scored_at_their_bandwidths(baselines):
    metrics = {sampler: own for sampler, _, _, own in baselines[0] if ("bandwidth", "held out") in own}
    assert list(metrics) == ["training images", "one image", "black images"]
    grid, own = kde.grid(*SMALL["bandwidths"]), metrics["training images"]
    assert len(grid) == 6 and (grid[0], grid[-1]) == pytest.approx((0.05, 1.0))
    assert np.ptp(np.diff(np.log(grid))) < 1e-12
    held_out = kde.bandwidth_held_out(DATA.train, DATA.held_out[:50], grid)
    assert float(own["bandwidth", "held out"]) == held_out
    assert float(own["bandwidth", "own samples"]) == kde.bandwidth_cross_validation(DATA.all_train[:64], grid)
    values = kde.log_likelihood(DATA.train, DATA.test, held_out)
    assert float(own["log-likelihood", "held out"]) == pytest.approx(float(values.mean()))
    assert float(own["standard error", "held out"]) == pytest.approx(float(values.std()) / math.sqrt(len(values)))


def test_the_classifier_that_judges_is_in_the_card_and_among_the_baselines(baselines):
    judge = classifier(DATA)
    assert judge.hash.startswith(RUN.facts(QUICK.arms["fgan"], DATA)["facts"]["classifier"])
    assert ("classifier", "", 0, {"accuracy": judge.accuracy}) in baselines[0]
    images_judged = {sampler: own for sampler, _, _, own in baselines[0] if "recall" in own}
    for own in images_judged.values():
        assert sum(float(own["class share", str(digit)]) for digit in range(10)) == pytest.approx(1)
    assert float(images_judged["test images"]["recall"]) > float(images_judged["one image"]["recall"])


def test_everything_is_drawn_and_tabulated(part, root):
    figures.style()
    for short in QUICK.common["figures"]:
        figure = getattr(FIGURES, f"figure_{short}")(part)
        figure.canvas.draw()
        plt.close(figure)
    tables = {short: getattr(FIGURES, f"table_{short}")(part) for short in QUICK.common["tables"]}
    assert all(latex(frame) and not frame.isna().any(axis=None) for frame in tables.values())
    likelihood = tables["likelihood"].set_index("Trained on")
    assert list(likelihood.index) == [*part.labels.values(), "VAE", "training images", "one image", "black images"]
    assert (likelihood["held out: alternative"] != "").tolist() == [True, True] + [False] * 7
    assert likelihood.loc["GAN"].iloc[1:].tolist() == likelihood.loc["JS"].iloc[1:].tolist()  # one algorithm
    assert list(tables["noise"].Metric) == ["nats [held out]", "nats [own samples]", "Frechet distance", "recall"]


def test_distances_are_between_runs_on_different_seeds():
    apart = FIGURES.apart(np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0]))
    assert sorted(apart) == [8, 19, 28, 29]
