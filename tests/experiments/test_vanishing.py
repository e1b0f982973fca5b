"""Vanishing gradients: snapshots that stay, gradients of one V, the Gaussians' claims, and the figures."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from experiments.vanishing.snapshot import watched
from memory import measured, trained_part
from small import EXPERIMENTS, trained

from fgan import design
from fgan.design import Run, merge
from fgan.divergences import DIVERGENCES
from fgan.engine.training import gradients
from fgan.report import claims, figures
from fgan.report.tables import latex
from fgan.targets import images

RUN = design.module(EXPERIMENTS, "vanishing", "run")
FIGURES = design.module(EXPERIMENTS, "vanishing", "figures")
DATA = images.digits()


def test_the_energy_distance_is_zero_for_the_same_points_and_grows_with_a_shift():
    x = torch.rand((50, 4), generator=torch.Generator().manual_seed(0))
    found = RUN.energy_distance(torch.stack([x, x + 1, x + 2]), x)
    assert found[0].abs() < 1e-3 and 0 < found[1] < found[2]


def test_a_fall_is_from_the_largest_value_to_the_median_of_the_last_tenth():
    path = torch.tensor([[0.0] * 5 + [3.0] + [1.0] * 12 + [-2.0, -4.0]]).T
    assert RUN.fall(path).tolist() == [-7.0] and RUN.fall(path[:6]).tolist() == [0.0]


def test_the_published_fall_ends_at_the_published_step():
    p = small(steps=6, history=1, measure={"published": 3})
    _, history, metrics, _ = measured(RUN, p)
    path = RUN.log_norm(history["gradient", "saddle"])
    assert torch.equal(metrics["gradient fall", "saddle, 3 steps"], path[2] - path[:3].amax(0))


def small(arm="epoch1", names=("gan", "kl"), seeds=(0,), **changes):
    """A short population of one arm of the experiment at quick."""
    quick = design.load("vanishing", "quick", EXPERIMENTS).arms[arm]
    short = {"steps": 4, "history": 2, "batch": 32, "measure": {"samples": 40}, "pretraining": {"epochs": 0.1}}
    settings = merge(merge(quick, short), changes) | {"divergences": list(names)}
    runs = [Run("vanishing", arm, n, o, s) for n in names for o in settings["objectives"] for s in seeds]
    return RUN.population(settings, runs, "cpu", DATA)


def test_a_v_of_other_units_judges_the_same_generators():
    tanh, relu = small(), small("relu1")
    assert torch.equal(tanh.theta, relu.theta)
    x = torch.randn((len(relu.runs), 8, 64), generator=torch.Generator().manual_seed(0))
    assert not torch.equal(relu.judge(x), tanh.variational(relu.omega_views, x))


def test_a_slope_is_that_of_the_entries_that_are_kept():
    x = torch.tensor([[0.0], [1.0], [2.0], [9.0]])
    y = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 1.0], [math.inf, 4.0]])
    kept = torch.tensor([[True, True], [True, False], [True, False], [False, True]])
    assert RUN.slope(x, y, kept)[0] == pytest.approx(2) and RUN.slope(x, y, kept)[1].isnan()


def test_a_slope_ends_where_a_run_diverges():
    p = small(names=["gan"])
    entries = 6
    path = torch.tensor([0.0, -1, -2, -2, -2, -2], dtype=torch.float64)[:, None].expand(entries, len(p.runs))
    history = {("gradient", name): 10**path for name in ("saddle", "alternative")}
    history |= {"ratio": path - 2, "fresh F": path}
    history = {name: values[:, : p.n_runs] for name, values in history.items()}
    steps = [10, 100, 1000, 10**4, 10**5, 10**6]
    whole = RUN.evaluate(p, steps, history)[0]["decades per decade", "saddle"]
    p.diverged_at.fill_(10**4)
    metrics = RUN.evaluate(p, steps, history)[0]
    assert metrics["decades per decade", "saddle"].item() == pytest.approx(-1) and whole.item() > -0.5
    assert metrics["exponent", "saddle"].item() == pytest.approx(1)


def test_the_ratio_on_fakes_is_the_one_that_v_implies():
    names = ["kl", "reverse_kl", "gan", "squared_hellinger", "jeffrey"]
    p = small(names=names)
    draw = RUN.seeded("cpu", p.streams[0], "watch")
    p.target.draw((32,), draw)
    v = p.judge(p.generate(p.spread(p.noise((32,), draw)[None])))
    found = watched(p)["ratio"]
    for i, name in enumerate(names):
        divergence, s = DIVERGENCES[name], torch.linspace(-9, 9, 200001, dtype=torch.float64)
        t = divergence.activation(v[i].detach().double()).flatten()
        place = torch.searchsorted(divergence.f_prime(s.exp()), t)  # f' rises, so it is inverted on a grid
        assert found[i].item() == pytest.approx(s[place].mean().item() / math.log(10), abs=1e-4), name


def test_a_snapshot_stays_and_is_shared_by_arms_and_divergences():
    p, later = small(), small("epoch25")
    start, omega = p.theta.clone(), p.omega.clone()
    assert torch.equal(p.theta[0], p.theta[1]) and torch.equal(p.theta, later.theta)
    assert not torch.equal(p.theta, small(pretraining={"epochs": 0.2}).theta)
    assert torch.equal(omega, later.omega)  # arms share V's start too, which is not the start of the earlier V
    earlier = p.variational.start(RUN.seeded("cpu", "vanishing/pretraining/0", "weights", "variational"))
    assert not torch.isclose(omega[0], earlier).any()
    trained(p)
    assert torch.equal(p.theta, start) and not torch.equal(p.omega, omega)


def test_a_longer_training_before_goes_on_from_a_shorter_one():
    one = small(pretraining={"epochs": 1e-6})
    settings = one.settings["pretraining"]["optimiser"]
    fresh = torch.stack([one.generator.start(RUN.seeded("cpu", "vanishing/pretraining/0", "weights", "generator"))] * 2)
    assert 0 < (one.theta - fresh).abs().max() <= 1.01 * settings["generator"]  # one step of Adam


def test_the_generator_moves_again_where_its_rate_is_not_zero():
    p = small("optimal", ["gan"])
    _, _, metrics, _ = measured(RUN, p)
    assert not torch.equal(p.theta, p.start) and (metrics["learnt"] != 0).all()


def test_both_gradients_are_those_that_a_step_would_take():
    p = small("optimal", ["gan", "kl", "pearson"])
    found = watched(p)
    draw = RUN.seeded("cpu", p.streams[0], "watch")
    x = p.target(p.target.draw((32,), draw))[None].expand(len(p.runs), -1, -1)
    z = p.noise((32,), draw)[None].expand(len(p.runs), -1, -1)
    value, loss = p.losses(x, z)
    norms = gradients(loss, p.theta_views).norm(dim=1)
    expected = [found["gradient", run.objective][i] for i, run in enumerate(p.runs)]
    torch.testing.assert_close(norms.double(), torch.stack(expected), rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(value.detach().double(), found["fresh F"], rtol=1e-4, atol=1e-5)
    assert not torch.equal(found["gradient", "saddle"], found["gradient", "alternative"])


@pytest.mark.parametrize("shift", [400, 1000])  # beyond float64: the square of the norm, or the gradient itself
def test_an_overflow_is_an_infinite_gradient_and_no_error(shift):
    p = small(names=["reverse_kl"])
    with torch.no_grad():
        p.omega_views[-1].sub_(shift)
    assert watched(p)["gradient", "alternative"].isinf().all()
    assert RUN.log_norm(torch.tensor([0.0, math.inf])).tolist() == [-300.0, 300.0]


def test_accuracy_counts_both_sides():
    p = small(names=["kl"])
    real, fake = torch.tensor([[[2.0], [0.0]]] * 2), torch.tensor([[[0.0], [0.5]]] * 2)  # KL's threshold is 1
    assert RUN.accuracy(p, real.double(), fake.double()).tolist() == [0.75, 0.75]


def test_a_run_has_the_bytes_that_it_has_beside_others():
    beside, alone = (measured(RUN, small(seeds=seeds))[1:3] for seeds in ((0, 1), (1,)))
    for name, values in beside[0].items():
        assert torch.equal(values[:, [1, 3]], alone[0][name]), name
    for name, values in beside[1].items():
        assert torch.equal(values[[1, 3]].nan_to_num(), alone[1][name].nan_to_num()), name


@pytest.fixture(scope="module")
def untrained():
    rule = {"batches": 20, "batch": 256}
    settings = design.load("vanishing", "quick", EXPERIMENTS).arms["epoch1"]
    return RUN.baselines(settings | {"measure": settings["measure"] | rule})


def part(untrained, arms, names, seeds):
    """A part of a record, in memory: the given arms, trained for a few steps."""
    populations = {arm: small(arm, names, range(seeds)) for arm in arms}
    return trained_part("vanishing", RUN, populations, untrained)


@pytest.mark.parametrize(
    "arms, names, seeds",
    [
        (["epoch1", "optimal"], ["gan"], 1),
        (["epoch1", "epoch25", "relu1", "optimal", "one_step"], list(DIVERGENCES), 2),
    ],
)
def test_figures_and_tables_of_a_small_part(untrained, arms, names, seeds):
    made = part(untrained, arms, names, seeds)
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner == "vanishing":
                shown = getattr(FIGURES, f"{kind}_{short}")(made)
                if kind == "figure":
                    shown.canvas.draw()
                    plt.close(shown)
                else:
                    assert len(shown) > 1 and "nan" not in latex(shown)


def test_claims_on_the_gaussians_hold_and_the_others_are_judged(untrained):
    made = part(untrained, ["epoch1", "optimal"], ["gan", "kl", "reverse_kl"], 1)
    rows = claims.judge(made, design.read_claims(EXPERIMENTS / "vanishing" / "claims.yaml"), EXPERIMENTS)
    verdicts = {row["claim"]: row["verdict"] for row in rows}
    for name in ("saturates", "explodes", "error-bound", "disjoint", "theorem-2-5", "cauchy", "cauchy-spread"):
        assert verdicts[f"vanishing-{name}"] == "replicated"
    assert verdicts["vanishing-nothing-learnt-fast"] == "not run"  # the part has no such arm
