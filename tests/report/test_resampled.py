"""Metrics against the samples that a record keeps of their runs."""

import numpy as np
import pytest
from records import toy

from fgan.files import write_json
from fgan.record import write
from fgan.report import resampled
from fgan.report.part import Part
from fgan.targets.mixtures import ring

SETTINGS = {"target": {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}}
MEASURE = {"samples": 2500, "rule": "3 sd, tenth"}


def part(folder, arrays, values, **settings):
    """A part with one run, its samples and its metrics."""
    toy(folder, {(metric, "kl", "saddle"): [value] for metric, value in values.items()}, **settings)
    write.write_samples(folder / "samples.npz", arrays)
    made = Part(folder)
    write_json(folder / "design.json", made.design | {"settings": {"measure": MEASURE}})
    return Part(folder)


def named(made):
    return [line.split("'")[1] for line in resampled.check(made)]


def points(modes, outside=0, n=500):
    """Samples near some of the ring's modes, and others far from all."""
    means = ring(8, 2.0, 0.02).means.numpy()[:modes]
    noise = np.random.default_rng(0).normal(size=(n, 2)).clip(-2, 2)
    return np.where(np.arange(n)[:, None] < outside, 0.0, means[np.arange(n) % modes]) + 0.02 * noise


@pytest.mark.parametrize(
    ("samples", "metrics", "wanted"),
    [(points(8), (8, 1.0), []), (points(4), (4, 1.0), []), (points(4), (8, 1.0), ["modes"]),
     (points(4), (5, 1.0), []), (points(8), (7, 1.0), ["modes"]), (points(8, outside=250), (8, 0.5), []),
     (points(8, outside=250), (8, 0.7), ["high_quality"]), (points(8), (8, 0.9), ["high_quality"])])  # fmt: skip
def test_a_count_of_modes_may_not_be_implausible_for_a_part_of_its_samples(tmp_path, samples, metrics, wanted):
    """One more mode than the samples show has a chance of a thousandth, four more have none."""
    values = dict(zip(("modes", "high_quality"), metrics, strict=True))
    assert named(part(tmp_path, {"samples/main/kl/saddle/0": samples}, values, **SETTINGS)) == wanted


def test_samples_of_another_space_than_the_modes_say_nothing(tmp_path):
    values = {"modes": 1.0, "high_quality": 0.0}
    assert named(part(tmp_path, {"samples/main/kl/saddle/0": points(8)[:, :1]}, values, **SETTINGS)) == []


COVERED = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]])
FILM = {"modes": 1, "forgotten": 1, "ever covered": 2, "won": 1, "lost": 1}


@pytest.mark.parametrize("wrong", [None, *FILM])
def test_modes_won_and_lost_are_counted_again(tmp_path, wrong):
    values = FILM | ({wrong: 3} if wrong else {})
    assert named(part(tmp_path, {"covered/main/kl/saddle/0": COVERED}, values)) == ([wrong] if wrong else [])


@pytest.mark.parametrize(("shift", "wanted"), [(0.0, []), (0.01, ["TV"])])
def test_a_distance_between_probabilities_is_computed_again(tmp_path, shift, wanted):
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8])
    settings = {"target": {"kind": "table", "probabilities": p.tolist()}}
    made = part(tmp_path, {"q/main/kl/saddle/0": q, "p": p}, {"TV": 0.6 + shift}, **settings)
    assert named(made) == wanted
