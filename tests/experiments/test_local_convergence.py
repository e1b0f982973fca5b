"""Local convergence: Jacobians against formulas and the training step, fits of paths, rows, claims and figures."""

import math

import numpy as np
import pytest
import torch
from small import EXPERIMENTS

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.files import write_json
from fgan.record import write
from fgan.report import claims, figures
from fgan.report.part import Part
from fgan.report.tables import latex

DESIGN = design.load("local_convergence", "smoke", EXPERIMENTS)
MEASURE, RUN = DESIGN.common["measure"], DESIGN.run
GAMES, PLAYED, SPECTRA = RUN.spectra.games, RUN.played, RUN.spectra
FIGURES = design.module(EXPERIMENTS, "local_convergence", "figures")
REMEDIES = SPECTRA.remedies(MEASURE)
# g_f'(v_0) and f''(1), by hand; the corner of total variation counts as infinite.
SIGMOID = math.exp(0.3 * math.log(0.3)), math.exp(-1 / 3)
TERMS = {
    "total_variation": (0.5, math.inf), "kl": (1, 1), "reverse_kl": (1, 1), "pearson": (1, 2), "neyman": (1, 2),
    "squared_hellinger": (1, 0.5), "jeffrey": (1, 2), "jensen_shannon": (0.5, 0.5), "gan": (0.5, 0.5),
    "jensen_shannon_weighted": (1 - SIGMOID[0], 0.3 * 0.7), "alpha_3": (1, 1), "alpha_m2": (1 - SIGMOID[1], 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def measured():
    return RUN.baselines(DESIGN.common)


@pytest.fixture
def part(measured, tmp_path):
    write.write_table(tmp_path / "measurements.parquet", write.baseline_rows([]).reindex(columns=write.COLUMNS))
    write.write_table(tmp_path / "baselines.parquet", write.baseline_rows(measured[0]))
    write.write_samples(tmp_path / "samples.npz", measured[1])
    shown = {"name": "local_convergence", "scale": "quick", "arms": {}, "divergences": []}
    write_json(tmp_path / "design.json", shown | {"settings": DESIGN.common})
    return Part(tmp_path)


def derived(remedy, k, h, name):
    """The update's map [2, 2] at the solution: the hand-made derivation in claims.yaml as matrices.

    `k` updates of V before that of G, 0 if both move together.
    """
    s, second = TERMS[name]
    damping = {"R1": MEASURE["weight"], "R2": MEASURE["weight"], "instance noise": s**2 * MEASURE["sd"] ** 2 / second}
    d, unrolled = damping.get(remedy, 0), int(remedy.split()[1]) if remedy.startswith("unrolled") else 0
    move_v = np.array([[1, 0], [-h * s, 1 - h * d]])
    move_g = np.array([[1 - 2 * unrolled * h**2 * s**2, h * s], [0, 1]])
    if not k:
        return move_v + move_g - np.eye(2)
    return move_g @ np.linalg.matrix_power(move_v, k)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_slope_and_the_curvature_are_those_by_hand(name):
    """The curvature is s^2 / f''(1), with f'' also by autograd."""
    s, second = TERMS[name]
    assert GAMES.terms(name) == pytest.approx((s, s**2 / second), abs=1e-12)
    u = torch.ones((), dtype=torch.float64, requires_grad=True)
    if name != "total_variation":
        (own,) = torch.autograd.grad(DIVERGENCES[name].f_prime(u), u)
        assert float(own) == pytest.approx(second)


@pytest.mark.parametrize("method", GAMES.METHODS)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_the_jacobian_is_the_derived_map(remedy, method):
    steps = [0.1, 0.7]
    maps, k = (
        SPECTRA.maps(REMEDIES[remedy], method, steps),
        {"simultaneous": 0, "alternating": 1, "five of V": 5}[method],
    )
    for i, name in enumerate(DIVERGENCES):
        for j, h in enumerate(steps):
            for own in maps[i, :, j]:  # both objectives
                np.testing.assert_allclose(own, derived(remedy, k, h, name), atol=1e-12, err_msg=name)


@pytest.mark.parametrize("method", GAMES.METHODS)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_the_update_is_the_training_step_away_from_the_solution_too(remedy, method):
    """From a point that earlier steps have reached, the update whose Jacobian is taken moves as `training.step`."""
    runs = GAMES.runs_of(1)
    game = GAMES.Game(runs, REMEDIES[remedy], method, torch.full((len(runs),), 0.05, dtype=torch.float64), batch=2)
    assert (game.point == 0).all(), "a game starts at its solution"
    path = GAMES.iterated(game, torch.tensor([0.6, -0.3], dtype=torch.float64), 3)
    moved = GAMES.update(game, *GAMES.points(game), path[2].clone().requires_grad_())
    torch.testing.assert_close(moved.detach(), path[3], rtol=1e-12, atol=1e-12)
    assert (path[3] != path[2]).all()
    saddle, alternative = (path[3][[run.objective == word for run in runs]] for word in GAMES.OBJECTIVES)
    assert [(own == other).all().item() for own, other in zip(saddle, alternative, strict=True)] == [
        name == "total_variation" for name in DIVERGENCES
    ], "away from the solution the objectives are two, but for total variation"


def test_instance_noise_of_two_points_has_the_jacobian_of_gaussian_noise():
    """A Gaussian P and z of sd 1 is the Dirac game with instance noise of sd 1."""
    runs, rates = GAMES.runs_of(1), torch.full((24,), 0.1, dtype=torch.float64)
    noisy = GAMES.jacobian(GAMES.Game(runs, REMEDIES["instance noise"], "simultaneous", rates, batch=2))
    torch.testing.assert_close(noisy, GAMES.jacobian(GAMES.Game(runs, [], "simultaneous", rates, batch=2), sd=1.0))
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    assert (weights / weights.sum()) @ nodes**2 == pytest.approx(1)  # the only moment that the Jacobian sees


def test_a_fit_finds_the_map_behind_a_path_whose_steps_shrink():
    turn = torch.tensor([[[0.5, 0.3], [-0.3, 0.6]], [[0.9, 0.0], [0.0, 0.4]]], dtype=torch.float64)
    own = {"start": 1.0, "steps": 40}
    path = PLAYED.ideal(turn, own) + torch.tensor([0.0, 1.0]) * (torch.arange(41) == 0)[:, None, None]
    for t in range(40):
        path[t + 1] = torch.einsum("rij,rj->ri", turn, path[t])
    torch.testing.assert_close(GAMES.fitted(path, 1 / path[:-1].square().sum(-1)), turn, rtol=1e-6, atol=1e-6)


def test_a_path_is_measured_as_it_was_made():
    """A turn by 0.3 radians with contraction 0.9: half turns, contraction and fate; a growing one does not fall."""
    cos, sin = math.cos(0.3), math.sin(0.3)
    turn = torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float64)
    maps = torch.stack([0.9 * turn, 1.1 * turn])
    path = 1e-7 * PLAYED.ideal(maps, {"start": 1.0, "steps": 60})
    metrics = PLAYED.measured(maps, path, path)
    assert metrics["radius"].tolist() == pytest.approx([0.9, 1.1])
    assert metrics["measured radius"].tolist() == pytest.approx([0.9, 1.1])
    assert metrics["fell"].tolist() == [True, False] and metrics["decided"].all()
    assert (metrics["error of the half turns"] <= 1).all()
    slower = PLAYED.measured(maps @ maps, path, path)  # predicts twice the turns
    assert slower["error of the half turns"][0] > 3


@pytest.mark.parametrize("name", ["alpha_m2", "pearson", "kl", "jensen_shannon_weighted", "squared_hellinger"])
def test_the_overshoot_is_that_of_a_damped_oscillator(name):
    """At small steps exp(-pi z / sqrt(1 - z^2)) with the damping ratio z = s / (2 f''(1)), 0 from z = 1 on."""
    s, second = TERMS[name]
    ratio, h = s / (2 * second), 0.002
    runs = [run for run in GAMES.runs_of(1) if run.divergence == name]
    game = GAMES.Game(runs, [], "simultaneous", torch.full((2,), h, dtype=torch.float64), batch=2)
    path = PLAYED.ideal(GAMES.jacobian(game, sd=1.0), {"start": 0.5, "steps": int(12 / s / h)})
    expected = math.exp(-math.pi * ratio / math.sqrt(1 - ratio**2)) if ratio < 1 else 0
    assert PLAYED.overshoot(path).tolist() == pytest.approx([expected] * 2, abs=5e-3)


def test_rows_stand_once_and_every_claim_is_judged_by_them(part):
    assert not part.untrained.duplicated(["sampler", "divergence", "seed", "metric", "rule"]).any()
    known = design.schemas.added(EXPERIMENTS / "local_convergence")["metrics"]
    assert set(part.untrained.metric) == set(known)
    rows = claims.judge(part, design.all_claims(EXPERIMENTS)["local_convergence"], EXPERIMENTS)
    verdicts = {row["claim"]: row["verdict"] for row in rows}
    exact = {name for name in verdicts if "trained" not in name and "who" not in name and name != "local-from-afar"}
    assert len(exact) >= 14 and {verdicts[name] for name in exact} == {"replicated"}
    assert "not run" not in verdicts.values()


def test_trained_games_are_repeated_bit_for_bit(measured):
    again = write.baseline_rows(PLAYED.trained(MEASURE))
    first = write.baseline_rows(measured[0]).tail(len(again)).reset_index(drop=True)
    assert first.equals(again) and np.isfinite(first.value).all()


def test_figures_and_tables(part):
    figures.style()
    spectrum, rates = FIGURES.figure_spectrum(part), FIGURES.figure_rates(part)
    drawn = [line for line in spectrum.axes[0].lines if line.get_marker() == "o"]
    groups = FIGURES.alike(part, FIGURES.shown(part), FIGURES.METHODS[:2])
    assert sorted(", ".join(groups).split(", ")) == sorted(d.label for d in DIVERGENCES.values())
    assert len(drawn) == len(groups) < len(DIVERGENCES) and all(len(line.get_xdata()) for line in drawn)
    assert any({"JS", "GAN"} <= set(label.split(", ")) for label in groups)  # one algorithm
    assert len(rates.axes[1].lines) == 3 and rates.axes[2].get_legend()
    table = FIGURES.table_spectrum(part)
    assert len(table) == 3 * len(DIVERGENCES) and set(table.objective) == {"both"} and "R1 or R2" in table
    assert r"\midrule" in latex(table, table.attrs["rules_after"])
    assert set(FIGURES.table_steps(part)["none"]) == {"0"}
