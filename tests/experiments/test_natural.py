"""Natural images, on made-up ones: the experiment trains, is measured and shown, and its networks are settings."""

import math

import numpy as np
import pytest
import torch
from memory import measured, trained_part
from small import EXPERIMENTS, edited, written

from fgan import design
from fgan.design import DesignError, Run
from fgan.engine.convolutions import dcgan_generator, dcgan_variational
from fgan.engine.networks import Activation
from fgan.report import figures
from fgan.targets import natural

RUN = design.module(EXPERIMENTS, "natural", "run")
FIGURES = design.module(EXPERIMENTS, "natural", "figures")
SMOKE = design.load("natural", "smoke", EXPERIMENTS)
TINY = {
    "noise": {"kind": "uniform", "dimension": 3},
    "generator": {"channels": [4, 2], "output": "tanh", "init": 0.02},
    "variational": {"channels": [2, 4], "activation": "elu", "init": 0.02},
    "batch": 8, "steps": 2, "history": 1, "measure": {"samples": 6, "directions": 5},
}  # fmt: skip
VIEWS = ("pixels", "coarse")


def made(kind="cifar10"):
    """A set of images of random bytes: 34 training, 6 held-out and 10 test images."""
    shape = natural.SHAPES[kind]
    pixels = np.random.default_rng(0).integers(0, 256, (50, math.prod(shape)), np.uint8)
    return natural.NaturalImages(kind, shape, *torch.from_numpy(pixels).split([34, 6, 10]))


def population(kind="cifar10"):
    settings = SMOKE.arms["main"] | TINY
    settings["target"] = {"kind": kind}
    runs = [Run("natural", "main", n, o, 0) for n in settings["divergences"] for o in settings["objectives"]]
    return RUN.population(settings, runs, "cpu", made(kind))


@pytest.mark.parametrize("kind", natural.SHAPES)
def test_the_experiment_trains_and_is_measured(kind):
    p = population(kind)
    assert any(isinstance(layer, Activation) and layer.name == "elu" for layer in p.variational.layers)
    steps, history, metrics, samples = measured(RUN, p)
    assert steps == [1, 2] and p.diverged_at.isnan().all() and history["F"].isfinite().all()
    assert history["spread"].shape == (2, 6) and (history["spread"] > 0).all()
    assert samples["samples"].shape == (6, 6, p.target.dimension) and samples["samples"].abs().max() <= 1
    assert set(metrics) == {(metric, view) for metric in ("distance", "log distance") for view in VIEWS}
    assert all(values.shape == (6,) and values.isfinite().all() for values in metrics.values())


def test_the_samplers_without_training_stand_in_their_order():
    rows, arrays = RUN.baselines(TINY, made())
    distances = {sampler: metrics for sampler, _, _, metrics in rows}
    assert arrays["real"].shape == (10, 3072)
    for view in VIEWS:
        ceiling, floor = (float(distances[name]["distance", view]) for name in ("training images", "mean image"))
        assert 0.3 < ceiling < 3 and floor > ceiling
        assert float(distances["mean image"]["log distance", view]) == pytest.approx(math.log(floor), rel=1e-5)


def test_the_distance_is_that_of_sorted_projections():
    x = torch.randn((50, 4), generator=torch.Generator().manual_seed(1))
    u = RUN.directions(4, 300)
    torch.testing.assert_close(u.norm(dim=0), torch.ones(300))
    assert RUN.sliced_wasserstein(x, x.flip(0), u) == 0
    # A shift by c moves each projection by c u: the mean of (c u)^2 is |c|^2 / d.
    moved = RUN.sliced_wasserstein(x + torch.tensor([3.0, 0, 0, 0]), x, u)
    assert moved.item() == pytest.approx(1.5, rel=0.1)
    assert RUN.sliced_wasserstein(x.log(), x, u).isnan()
    assert RUN.coarse(torch.ones(2, 3072), (3, 32, 32)).shape == (2, 192)


def test_a_run_is_measured_as_if_it_were_alone():
    samples = torch.rand((3, 6, 3072), generator=torch.Generator().manual_seed(1)) * 2 - 1
    together, alone = (RUN.distances(x, made(), TINY["measure"]) for x in (samples, samples[1:2]))
    assert all(torch.equal(together[name][1:2], alone[name]) for name in together)


def test_the_figure_and_the_table_are_drawn(tmp_path):
    part = trained_part("natural", RUN, {"main": population()}, RUN.baselines(TINY, made()))
    part.measurements.loc[part.measurements.metric == "distance", "value"] = 2.5
    figures.style()
    figure = FIGURES.figure_samples(part)
    figures.save(figure, tmp_path / "sheet")
    assert len(figure.axes) == 7 and (tmp_path / "sheet.pdf").stat().st_size > 1000
    red = np.concatenate([np.full(1024, 1.0), np.full(2048, -1.0)])[None]
    assert FIGURES.strip(red)[0, 0].tolist() == [1, 0, 0] and FIGURES.strip(red)[0, -1].tolist() == [1, 1, 1]
    table, effective = FIGURES.table_distances(part), [info["effective"] for info in part.divergences.values()]
    assert table.iloc[:6, 2].tolist() == ["2.50"] * 6 and table.iloc[6, 0] == "training images"
    assert table.iloc[:6, 1].tolist() == ["saddle"] * 3 + [f"alternative ({name})" for name in effective]
    assert table.attrs["rules_after"] == (2, 5)


def test_the_activation_of_a_dcgan_is_a_setting():
    pair = dcgan_generator(3, 3, 32, [4, 2], activation="elu"), dcgan_variational(3, 32, [2, 4], activation="elu")
    for network in pair:
        hidden = [layer.name for layer in network.layers if isinstance(layer, Activation)][:2]
        assert hidden == ["elu", "elu"]


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("{channels: [8, 4], activation: elu, kernel: 5}", None),
        ("{channels: [8, 4]}", None),
        ("{channels: [8, 4], hidden: [4]}", "unknown key 'hidden' in variational; valid names: channels, kernel"),
        ("{channels: [8, 4], output: sigmoid}", "'variational.output' does not belong to this kind of variational"),
        ("{channels: [8, 4], activation: maxout}", "activation of the hidden layers) cannot be 'maxout'"),
        ("{channels: [8, many]}", "'variational.channels.1' must be an integer, not 'many'"),
        ("{chanels: [8, 4]}", "unknown key 'chanels' in variational; valid names: hidden, activation"),
        ("{activation: elu}", "the key 'hidden' is missing in variational"),
        ("{hidden: [8], activation: elu, kernel: 5}", "unknown key 'kernel' in variational; valid names: hidden"),
    ],
)  # fmt: skip
def test_a_network_is_a_perceptron_or_a_dcgan(tmp_path, network, words):
    text = edited("variational: {hidden: [64, 64], activation: tanh}", f"variational: {network}")
    if words is None:
        assert written(tmp_path, text).arms["tanh"]["variational"]["channels"] == [8, 4]
        return
    with pytest.raises(DesignError) as caught:
        written(tmp_path, text)
    assert words in str(caught.value)
