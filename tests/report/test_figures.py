"""What figures share: places of modes, panels, dots, bands, strips of images, and the same bytes for the same data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from records import toy

from fgan.divergences import DIVERGENCES
from fgan.report import figures, mode_figures
from fgan.targets import mixtures

GRID = {"kind": "grid", "side": 5, "spacing": 2.0, "sd": 0.05}
RING = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}


@pytest.fixture(autouse=True)
def closed():
    figures.style()
    yield
    plt.close("all")


@pytest.mark.parametrize("target", [GRID, RING, RING | {"closed": True}], ids=["grid", "ring", "closed"])
def test_figures_draw_the_modes_where_the_target_has_them(target):
    np.testing.assert_allclose(figures.centres(target), mixtures.of(target).means.numpy(), atol=1e-12)


def test_the_same_data_give_the_same_bytes(tmp_path):
    for folder in ("one", "other"):
        figure, axis = plt.subplots()
        axis.plot([0, 1], [0, 1])
        figures.save(figure, tmp_path / folder / "line")
    for end in (".pdf", ".png"):
        assert (tmp_path / "one/line").with_suffix(end).read_bytes() == (tmp_path / "other/line").with_suffix(
            end
        ).read_bytes()
    assert not plt.get_fignums()


def test_every_divergence_has_a_colour_of_its_own_wherever_it_is_drawn():
    palette = figures.palette(DIVERGENCES)
    assert list(palette) == list(DIVERGENCES) and len({tuple(colour) for colour in palette.values()}) == len(palette)


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (1, 4)), (6, (2, 4)), (12, (3, 4))])
def test_panels_are_as_many_as_asked_for_and_the_rest_is_switched_off(count, shape):
    figure, axes = figures.panels(count, 1.0)
    assert len(axes) == count and len(figure.axes) == shape[0] * shape[1]
    assert [axis.axison for axis in figure.axes] == [True] * count + [False] * (shape[0] * shape[1] - count)
    assert figure.get_size_inches().tolist() == pytest.approx([figures.WIDTH, 0.5 + shape[0]])


def test_every_seed_is_a_dot_and_ties_are_spread():
    _, axis = plt.subplots()
    figures.dots(axis, [0, 1], [np.array([8.0, 8.0, 7.0]), np.array([1.0])], "red", offset=0.1)
    first, second = axis.lines
    assert first.get_xdata().tolist() == [8, 8, 7] and len(set(first.get_ydata())) == 3
    assert np.mean(first.get_ydata()) == pytest.approx(0.1) and second.get_ydata().tolist() == [1.1]


def test_a_band_lies_between_the_quartiles_around_the_median():
    _, axis = plt.subplots()
    quartiles = pd.DataFrame(
        {"lower quartile": [1.0, 2], "median": [2.0, 3], "upper quartile": [4.0, 5]}, index=[10, 20]
    )
    figures.band(axis, quartiles, "red", scale=lambda values: 10 * values)
    (median,), (filled,) = axis.lines, axis.collections
    assert median.get_xdata().tolist() == [10, 20] and median.get_ydata().tolist() == [20, 30]
    extent = filled.get_paths()[0].get_extents()
    assert (extent.ymin, extent.ymax) == (10, 50)


@pytest.mark.parametrize(("shape", "wanted"), [((2, 3), (2, 16)), ((3, 2, 3), (2, 16, 3))])
def test_images_stand_side_by_side_with_gaps(shape, wanted):
    images = np.arange(4 * np.prod(shape), dtype=float).reshape(4, -1)
    picture = figures.strip(images, shape, gap=1, low=-1.0)
    assert picture.shape == wanted and (picture[:, 3::4] == -1).all()
    second = picture[:, 4:7] if len(shape) == 2 else np.moveaxis(picture[:, 4:7], -1, 0)
    np.testing.assert_array_equal(second, images[1].reshape(shape))


SEEDS = {"modes": [8.0, 7.0, 0.0], "high_quality": [0.9, 0.8, 0.1]}


@pytest.fixture
def part(tmp_path):
    names = [(name, objective) for name in ("kl", "gan") for objective in figures.OBJECTIVES]
    values = {(metric, *key): seeds for key in names for metric, seeds in SEEDS.items()}
    settings = {"divergences": ["kl", "gan"], "objectives": [*figures.OBJECTIVES], "target": RING}
    made = toy(tmp_path, values, [("P", "", {"modes": 8.0, "high_quality": 0.99})], **settings)
    samples = np.zeros((5, 2), np.float16)
    vars(made)["samples"] = {f"samples/main/{name}/{objective}/0": samples for name, objective in names}
    return made


def test_the_figure_of_modes_shows_every_run_and_the_samplers(part):
    figure = mode_figures.modes(part, "main", 8)
    left, right = figure.axes
    for axis, metric in ((left, "modes"), (right, "high_quality")):
        drawn = [list(line.get_xdata()) for line in axis.lines]
        assert drawn.count(SEEDS[metric]) == 4 and [part.samplers(metric)["P"]] * 2 in drawn
    assert [text.get_text() for text in left.get_yticklabels()] == ["GAN", "KL"]


def test_the_figure_of_distributions_shows_shares_of_runs(part):
    figure = mode_figures.distribution(part, "main", 8)
    for axis in figure.axes[:2]:
        shares = axis.images[0].get_array()
        assert shares.shape == (2, 9) and shares.sum(1).tolist() == pytest.approx([1, 1])
        assert shares[0, [0, 7, 8]].tolist() == pytest.approx([1 / 3] * 3)


def test_the_figure_of_samples_has_a_panel_for_each_divergence_and_objective(part):
    figure = mode_figures.samples(part, "main")
    assert [axis.get_title() for axis in figure.axes] == ["KL", "GAN"] * 2


def test_a_figure_without_data_says_why():
    assert figures.blank("no run").texts[0].get_text() == "no run"


@pytest.mark.parametrize("told", [True, False])
def test_a_run_that_has_not_converged_is_an_open_dot_where_the_record_says_so(tmp_path, told):
    values = {(metric, "kl", "saddle"): [0.5, 0.7, 0.9] for metric in ("modes", "high_quality", "failed")}
    values |= {("converged", "kl", "saddle"): [1.0, 0.0, 0.0]} if told else {}
    figure = mode_figures.modes(toy(tmp_path, values, divergences=["kl"]), "main", 8)
    for axis in figure.axes:
        dots = [line for line in axis.lines if line.get_marker() == "o"]
        assert sum(len(dot.get_xdata()) for dot in dots if dot.get_mfc() == "none") == (2 if told else 0)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("not converged" in words) == told


def test_the_layout_of_a_saved_figure_is_rounded(tmp_path):
    """Unrounded its last bits differ from process to process, and with them the digits of a PDF with many points."""
    figure, axes = plt.subplots(3, 4)
    axes[0, 0].set_ylabel("F")
    figures.save(figure, tmp_path / "figure")
    bounds = np.array([axis.get_position(original=True).bounds for axis in figure.axes])
    assert np.abs(bounds - np.round(bounds, 6)).max() < 1e-12 and (bounds[:, 2:] > 0.1).all()
