"""Kernel density: readings and curves of untrained samplers, a bandwidth per pixel, k-means, figures and tables."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from small import EXPERIMENTS

from fgan import design
from fgan.files import write_json
from fgan.metrics import kde
from fgan.record import write
from fgan.report import claims, figures
from fgan.report.part import Part
from fgan.report.tables import latex
from fgan.targets import images

DESIGN = design.load("kde_protocol", "quick", EXPERIMENTS)
MEASURE, RUN = DESIGN.common["measure"], DESIGN.run
FIGURES = design.module(EXPERIMENTS, "kde_protocol", "figures")
READINGS = ("held out", "own samples")


@pytest.fixture(scope="module")
def measured():
    return RUN.baselines(DESIGN.common, images.digits())


@pytest.fixture
def part(measured, tmp_path):
    """The part of a record as it is written, with the settings that a test changes in `settings`."""

    def made(**settings):
        rows = write.baseline_rows(measured[0])
        write.write_table(tmp_path / "measurements.parquet", write.baseline_rows([]).reindex(columns=write.COLUMNS))
        write.write_table(tmp_path / "baselines.parquet", rows)
        write.write_samples(tmp_path / "samples.npz", measured[1])
        shown = {"name": "kde_protocol", "scale": "quick", "arms": {}, "divergences": []}
        write_json(tmp_path / "design.json", shown | {"settings": DESIGN.common | settings})
        return Part(tmp_path)

    return made


def test_rows_are_finite_and_none_stands_twice(measured):
    rows = write.baseline_rows(measured[0])
    assert not rows.duplicated(["sampler", "divergence", "seed", "metric", "rule"]).any()
    assert np.isfinite(rows.value).all()
    counted = set(rows[rows.metric == "samples"].sampler)
    assert set(measured[1]) == counted | {f"curve/{name}" for name in counted}


def test_the_same_rows_come_twice(measured):
    again = RUN.baselines(DESIGN.common, images.digits())
    assert again[0] == measured[0]
    assert all(np.array_equal(samples, measured[1][name]) for name, samples in again[1].items())


def test_a_bandwidth_per_pixel_equals_the_isotropic_one_for_equal_deviations():
    data = images.digits()
    equal = RUN.relative(torch.full((64,), 0.3, dtype=torch.float64), 0.01)
    np.testing.assert_allclose(equal, 1, rtol=1e-12)
    samples = data.train[: MEASURE["many"]]
    plain, scaled = (RUN.judge(samples, data, MEASURE, scale=scale) for scale in (None, equal))
    assert plain[0] == pytest.approx(scaled[0], rel=1e-9) and plain[1] == pytest.approx(scaled[1], rel=1e-9)


def test_a_bandwidth_per_pixel_is_the_density_of_a_product_of_gaussians():
    data, h = images.digits(), 0.2
    samples, scale = data.train[:7].double(), RUN.relative(data.train.double().std(0), 0.1)
    small = images.Images("digits", (8, 8), data.train, data.held_out, data.test[:5])
    kernels = torch.distributions.Normal(samples, h * scale)
    expected = (kernels.log_prob(small.test[:, None].double()).sum(2).logsumexp(1) - math.log(7)).mean()
    _, curve = RUN.judge(samples, small, MEASURE | {"bandwidths": [0.1, h]}, scale=scale)
    assert curve[1] == pytest.approx(float(expected), rel=1e-9)


def test_a_large_floor_is_the_isotropic_bandwidth():
    data = images.digits()
    scale = RUN.relative(data.train.double().std(0), 1e6)
    assert float((scale - 1).abs().max()) < 1e-6


def test_a_smaller_floor_scores_higher_where_some_pixels_hardly_vary(part):
    best = FIGURES.scores(part(), "best")
    scores = [best[f"per pixel, floor {floor:g}"] for floor in sorted(MEASURE["floors"])]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > best["training images (many)"]


def test_readings_land_on_the_curve_and_nowhere_above_it(measured):
    arrays = measured[1]
    for sampler, _, _, metrics in measured[0][:-1]:
        curve = dict(zip(MEASURE["bandwidths"], arrays[f"curve/{sampler}"], strict=True))
        best = metrics["log-likelihood", "best"]
        assert best == max(curve.values()) == curve[metrics["bandwidth", "best"]]
        for reading in READINGS:
            assert metrics["log-likelihood", reading] == curve[metrics["bandwidth", reading]] <= best


def test_the_held_out_reading_has_not_seen_the_images_that_it_fits_to(part):
    data, bandwidths = images.digits(), MEASURE["bandwidths"]
    h = kde.bandwidth_held_out(data.train, data.held_out, bandwidths)
    assert part().baseline("bandwidth", "training images (all)", rule="held out") == h
    assert kde.bandwidth_held_out(data.all_train, data.held_out, bandwidths) == bandwidths[0]


def test_more_true_images_score_higher_and_centroids_above_as_many(part):
    held = FIGURES.scores(part(), "held out")
    scores = [held[f"training images ({size})"] for size in (*RUN.SETS, "all")]
    assert scores == sorted(scores)
    assert all(held[f"centroids ({size})"] > held[f"training images ({size})"] for size in ("few", "many"))


def test_the_readings_order_one_image_and_uniform_noise_differently(part):
    held, own = (FIGURES.scores(part(), reading) for reading in READINGS)
    assert held["one image"] > held["uniform noise"] and own["one image"] < own["uniform noise"]


def test_no_sample_set_in_the_cube_scores_below_the_bound():
    data = images.digits()
    least, generator = RUN.least(data, MEASURE), torch.Generator().manual_seed(0)
    corners = (torch.rand(20, 64, generator=generator) < 0.5).float()
    for samples in (corners, 1 - data.train.round(), 1 - data.train.mean(0, keepdim=True).round(), data.train):
        assert samples.min() >= 0 and samples.max() <= 1
        assert kde.log_likelihoods(samples, data.held_out, MEASURE["bandwidths"]).mean(1).max() >= least
    # A single held-out image, opposite corner to its pixels, reaches it.
    lone = images.Images("digits", (8, 8), data.train, data.held_out[:1].round(), data.test)
    farthest = kde.log_likelihoods(1 - lone.held_out, lone.held_out, MEASURE["bandwidths"]).mean(1).max()
    assert float(farthest) == pytest.approx(RUN.least(lone, MEASURE), rel=1e-9)


def test_centroids_lie_among_the_images_and_lower_their_distance():
    data = images.digits()
    found = RUN.centroids(data.train, 50, 2)
    assert found.shape == (50, 64) and found.min() > -1e-6 and found.max() < 1 + 1e-6

    def nearest(centres):
        return float(torch.cdist(data.train, centres).amin(1).square().mean())

    assert nearest(RUN.centroids(data.train, 50, 5)) <= nearest(found) < nearest(data.train[:50])


def test_averages_are_those_of_each_image_and_its_nearest():
    data = images.digits()
    found = RUN.averages(data.train, 40, 5)
    distances = torch.cdist(data.train[:40].double(), data.train.double())
    order = distances.argsort(1)[:, :5]
    assert torch.equal(order[:, 0], torch.arange(40))
    torch.testing.assert_close(found, data.train[order].mean(1))
    torch.testing.assert_close(RUN.averages(data.train, 40, 1), data.train[:40])


@pytest.mark.parametrize("kind", ["digits", "mnist"])
def test_everything_is_drawn_and_tabulated(part, root, kind):
    shown = part(target={"kind": kind})
    figures.style()
    for short in DESIGN.common["figures"]:
        figure = getattr(FIGURES, f"figure_{short}")(shown)
        figure.canvas.draw()
        plt.close(figure)
    frames = {short: getattr(FIGURES, f"table_{short}")(shown) for short in DESIGN.common["tables"]}
    assert all(latex(frame) and not frame.isna().any(axis=None) for frame in frames.values())
    assert set(frames["rows"]["held out"]) <= (
        {"not at this scale"} if kind == "digits" else {"enclosed", "above all", "below all", "impossible"}
    )


def test_the_published_rows_are_judged_by_the_samplers_that_enclose_them(part, root):
    shown = part(target={"kind": "mnist"})
    honest = FIGURES.honest(shown, "held out")
    assert "test images" not in honest and not any(name.startswith("per pixel") for name in honest)
    least = shown.baseline("least log-likelihood", "any in the unit cube", rule="held out")
    assert FIGURES.reach(shown, max(honest.values()) + 1, "held out") == "above all"
    assert FIGURES.reach(shown, max(honest.values()) - 1, "held out") == "enclosed"
    assert FIGURES.reach(shown, least - 1, "held out") == "impossible"
    assert FIGURES.reach(shown, least - 1, "own samples") == "enclosed"
    assert FIGURES.reach(shown, (least + min(honest.values())) / 2, "held out") == "below all"
    order = sorted(honest, key=honest.get)
    beside = FIGURES.neighbours(shown, honest[order[3]])
    assert list(beside.values()) == [FIGURES.label(shown, name) for name in order[3:5]]
    assert FIGURES.neighbours(shown, least - 1)["next below"] == "none"
    held = FIGURES.scores(shown, "held out")
    assert FIGURES.floor(shown, held["per pixel, floor 0.3"]) == pytest.approx(0.3)
    assert math.isnan(FIGURES.floor(shown, max(held.values()) + 1))


def test_labels_that_would_touch_are_moved_apart():
    assert FIGURES.apart([10, 5, 4.5, 0], 1) == [10, 5, 4, 0]


def test_the_claims_are_judged_and_wait_for_mnist(part):
    rows = claims.judge(part(), design.read_claims(EXPERIMENTS / "kde_protocol" / "claims.yaml"))
    assert {row["verdict"] for row in rows} == {"undecided"}
    assert all(math.isfinite(row["estimate"]) for row in rows)
