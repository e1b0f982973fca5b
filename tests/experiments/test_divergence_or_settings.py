"""Does the divergence decide: equal budgets, the figures, tables and statistics made from them, and the runs."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from experiments.divergence_or_settings import tuning
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine import cost
from fgan.engine.training import train
from fgan.jobs import cut
from fgan.record.write import COLUMNS, baseline_rows
from fgan.report import claims, figures, variance
from fgan.report.part import Part
from fgan.report.tables import latex

RUN = design.module(EXPERIMENTS, "divergence_or_settings", "run")
FIGURES = design.module(EXPERIMENTS, "divergence_or_settings", "figures")
QUICK = design.load("divergence_or_settings", "quick", EXPERIMENTS)
MODEL = {"mu_1": 0.0, "mu_2": 0.9, "C_11": 2.4, "C_12": 0.1, "C_22": 3.0, "width": 1.6, "distance": 1.1, "D": 0.3}


def part(scale, seeds, modes=None, arms=None):
    """A part in memory: judged values are modes(arm, divergence, objective, seed), optima are those of MODEL."""
    resolved = design.load("divergence_or_settings", scale, EXPERIMENTS, seeds=seeds)
    names = sorted(arms or resolved.arms)  # as in design.json
    own = {arm: resolved.arms[arm] | {"seeds": seeds, "factors": resolved.factors[arm]} for arm in names}
    generator, rows = np.random.default_rng(0), []
    for arm, settings in own.items():
        for name, objective in ((name, o) for name in settings["divergences"] for o in settings["objectives"]):
            for seed in range(seeds):
                if arm == "gaussian":
                    metrics = {f"mean {key}": value + 0.1 * generator.normal() for key, value in MODEL.items()}
                else:
                    value = modes(arm, name, objective, seed) if modes else generator.integers(0, 9)
                    metrics = {"modes": value, "high_quality": 0.5}
                metrics["failed"] = float(modes is None and generator.random() < 0.2)
                metrics |= {"converged": 1 - metrics["failed"], "cycles": 0.0}
                run = ("divergence_or_settings", arm, name, objective, seed, settings["steps"])
                rows += [(*run, metric, "", "value", float(value)) for metric, value in metrics.items()]
    first = resolved.arms["tanh_slow_base"]
    optima = [("exact optimum", name, 0, MODEL | {"minima": 2.0}) for name in first["divergences"]]
    optima += [("other minimum", name, 0, {"mu_1": 1.0, "mu_2": 1.0}) for name in first["divergences"]]
    labels = [
        {"name": n, "label": DIVERGENCES[n].label, "effective": DIVERGENCES[n].effective} for n in first["divergences"]
    ]
    shown = {"name": "divergence_or_settings", "scale": scale, "arms": own, "settings": first, "divergences": labels}
    made, measurements = Part(None), pd.DataFrame(rows, columns=COLUMNS)
    vars(made).update(measurements=measurements, untrained=baseline_rows(optima), samples={}, design=shown)
    return made


def test_every_activation_has_the_same_budget_and_twins_count_once():
    made = part("full", 3)
    arms = tuning.settings(made)
    assert len(arms) == 12 and len({tuple(factors.values()) for factors in arms.values()}) == 12
    for activation in ("tanh", "relu"):
        grid = {(f["ratio"], f["rate"]) for f in arms.values() if f["activation"] == activation}
        assert grid == {(r, v) for r in (0.3, 1.0) for v in (3e-4, 1e-3, 3e-3)}
    both = tuning.entries(made, ["saddle", "alternative"])
    assert ("gan", "saddle") in both and not {"jensen_shannon"} & {name for name, _ in both}
    assert ("total_variation", "saddle") in both and ("total_variation", "alternative") not in both
    assert len(both) == 2 * len(DIVERGENCES) - 2 - 1


def test_the_factors_of_an_arm_are_its_settings():
    resolved = design.load("divergence_or_settings", "full", EXPERIMENTS)
    for arm, factors in resolved.factors.items():
        if arm != "gaussian":
            own, rates = resolved.arms[arm], resolved.arms[arm]["optimiser"]
            assert {factors["activation"]} == {own[network]["activation"] for network in ("generator", "variational")}
            assert factors["rate"] == rates["variational"]
            assert factors["ratio"] == pytest.approx(rates["generator"] / rates["variational"])
            assert arm.startswith(factors["activation"]) and ("slow" in arm) == (factors["ratio"] < 1)


def modes_by_seed(arm, name, objective, seed):
    """The setting that is best on the tuning seeds 0 and 3 is the worst on all others."""
    tuned = {"kl": "slow_high"}.get(name, "slow_base")
    return (8 if seed % 3 == 0 else 1) if arm.endswith(tuned) else (2 if seed % 3 == 0 else 5)


def test_tuning_never_sees_a_seed_that_judges():
    made = part("quick", 5, modes_by_seed)
    selection, activations = tuning.selection(made, "tuned", ["saddle"]), tuning.activations(made)
    arms, names = list(tuning.settings(made)), [name for name, _ in tuning.entries(made, ["saddle"])]
    assert activations == ["relu", "tanh"]
    wanted = {"kl": "slow_high", "gan": "slow_base", "reverse_kl": "slow_base"}
    assert [[arms[i] for i in row] for row in selection] == [[f"{a}_{wanted[n]}" for a in activations] for n in names]
    assert (tuning.modes_covered(made, "tuned", ["saddle"]) == 1).all()  # three seeds: 1, 2, 4
    assert tuning.modes_covered(made, "tuned", ["saddle"]).shape == (3, 2, 3)
    assert tuning.modes_covered(made, "grid", ["saddle"]).shape == (3, 4, 3)
    common = {arms[i] for i in tuning.selection(made, "untuned", ["saddle"]).flat}
    assert common == {"tanh_slow_high", "relu_slow_high"}


@pytest.mark.parametrize(("where", "wanted"), [("", 2), ("tanh", 0)])
def test_an_advantage_over_gan_has_to_hold_under_every_activation(where, wanted):
    made = part("quick", 8, lambda arm, name, *run: 4 + 2 * (name == "kl" and arm.startswith(where)))
    assert FIGURES.statistic_advantage_over_gan_saddle(made)[0] == wanted
    # Nobody is worse than the common setting, and KL is better than all.
    assert FIGURES.statistic_worst_tuned_over_best_untuned(made)[0] == (-2 if where == "" else -1)


def test_failed_runs_are_left_out_where_asked():
    made = part("quick", 5)
    bad = made.values("failed", "tanh_slow_base", "kl")[[1, 2, 4]] == 1
    index = tuning.entries(made, ["saddle"]).index(("kl", "saddle"))
    column = list(tuning.settings(made)).index("tanh_slow_base")
    y = tuning.modes_covered(made, "grid", ["saddle"], failed=False)
    assert (np.isnan(y[index, column]) == bad).all() and np.isnan(y).any()
    assert np.isfinite(tuning.modes_covered(made, "grid", ["saddle"])).all()


def test_a_run_that_has_not_converged_is_left_out_and_its_share_is_said():
    """It is neither a count of modes nor a setting to choose; a failed run covers none."""
    made = part("quick", 5, modes_by_seed)
    rows = made.measurements
    kl = (rows.arm == "tanh_slow_high") & (rows.divergence == "kl") & (rows.objective == "saddle")
    rows.loc[kl & (rows.metric == "converged"), "value"] = 0.0
    index, column = (
        tuning.entries(made, ["saddle"]).index(("kl", "saddle")),
        [*tuning.settings(made)].index("tanh_slow_high"),
    )
    assert np.isnan(tuning.modes_covered(made, "grid", ["saddle"])[index, column]).all()
    assert tuning.unconverged(made, "grid", ["saddle"]) == (3 / (3 * 4 * 3), 0.0)
    arms = [*tuning.settings(made)]
    assert arms[tuning.selection(made, "tuned", ["saddle"])[index, 1]] == "tanh_slow_base"  # tanh is the second
    assert tuning.judges(made) == 3
    made.measurements.loc[kl & (rows.metric == "failed"), "value"] = 1.0
    again = part("quick", 5)
    vars(again).update(measurements=made.measurements)
    assert np.isfinite(tuning.modes_covered(again, "grid", ["saddle"])).all()


def world(arm, name, objective, seed, divergence=0, activation=0):
    """Modes that the divergence, the activation and the seed move by so much."""
    noise = 0.3 * np.random.default_rng([seed, *arm.encode(), *name.encode()]).normal()
    return 4 + divergence * {"kl": 1, "reverse_kl": -1}.get(name, 0) + activation * arm.startswith("tanh") + noise


@pytest.mark.parametrize(
    ("effects", "verdicts"),
    [({"divergence": 6}, ("replicated", "not replicated", "not replicated", "not replicated")),
     ({"activation": 9}, ("not replicated", "replicated", "replicated", None)),
     ({}, ("not replicated", None, None, None))],
)  # fmt: skip
def test_the_verdicts_of_worlds_in_which_one_thing_decides(monkeypatch, effects, verdicts):
    monkeypatch.setattr(variance, "BOOTSTRAPS", 100)
    made = part("quick", 18, lambda *run: world(*run, **effects))
    wanted = dict(zip(("explains", "settings", "none-beats-gan", "budget"), verdicts, strict=True))
    ids = {f"divergence-{word}": verdict for word, verdict in wanted.items() if verdict}
    every = design.read_claims(EXPERIMENTS / "divergence_or_settings" / "claims.yaml")
    judged = claims.judge(made, [claim for claim in every if claim["id"] in ids], EXPERIMENTS)
    assert {row["claim"]: row["verdict"] for row in judged} == ids


def test_a_dot_has_the_colour_of_its_activation():
    made = part("quick", 5, lambda arm, *run: 8 if arm.startswith("tanh") else 0)
    figures.style()
    figure = FIGURES.figure_modes(made)
    for axis in figure.axes:
        for line in axis.lines:
            colour = line.get_markeredgecolor() if axis is figure.axes[2] else line.get_color()
            assert {(8.0, FIGURES.COLOURS["tanh"]), (0.0, FIGURES.COLOURS["relu"])} >= {
                (float(x), colour) for x in line.get_xdata()
            }
    plt.close(figure)


@pytest.mark.parametrize(
    ("scale", "seeds", "arms"),
    [("smoke", 1, None), ("quick", 1, None), ("quick", 2, None), ("quick", 5, None), ("full", 4, None),
     ("quick", 4, ("tanh_slow_high", "gaussian"))],
)  # fmt: skip
def test_figures_tables_and_statistics_of_a_part(monkeypatch, scale, seeds, arms):
    monkeypatch.setattr(variance, "BOOTSTRAPS", 10)
    monkeypatch.setattr(variance, "PERMUTATIONS", 9)
    made = part(scale, seeds, arms=arms)
    figures.style()
    names = vars(FIGURES)
    for name in [n for n in names if n.startswith("figure_")]:
        figure = names[name](made)
        figure.canvas.draw()
        plt.close(figure)
    for name in [n for n in names if n.startswith("table_")]:
        frame = names[name](made)
        assert len(frame) and "nan" not in latex(frame)
    for name in [n for n in names if n.startswith("statistic_")]:
        estimate, low, high, judges, *_ = names[name](made)
        assert math.isnan(estimate) or low <= estimate <= high
        assert judges in (seeds - math.ceil(seeds / 3), 0) or name == "statistic_pairing_across_gaussians"
    every = design.read_claims(EXPERIMENTS / "divergence_or_settings" / "claims.yaml")
    judged = claims.judge(made, every, EXPERIMENTS)
    assert {row["verdict"] for row in judged if "exact" not in row["claim"]} <= {"undecided", "not run"}  # few seeds


# --- the runs


def small(arm, names, objectives, seed=9000, **changes):
    settings = QUICK.arms[arm] | {"batch": 16} | changes
    runs = [Run("divergence_or_settings", arm, name, objective, seed) for name in names for objective in objectives]
    return RUN.population(settings, runs)


def test_a_gaussian_starts_as_stated_and_is_judged_by_its_last_steps():
    p = small("gaussian", ["kl", "gan"], ["saddle"], steps=40, history=10)
    p.settings["measure"] = p.settings["measure"] | {"averaged": 20}
    first = RUN.observe(p)
    s = QUICK.arms["gaussian"]["start"][1]
    assert first["C_11"].tolist() == pytest.approx([s**2] * 2) and first["C_12"].abs().max() == 0
    z = torch.randn((2, 20000, 2), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        p.theta[:, :4] += torch.tensor([0.3, -0.2, 0.5, 0.1])
        x = p.generate(z)
    entries = RUN.observe(p)
    for row in range(2):  # C is the covariance of the samples
        sampled = torch.cov(x[row].T)
        assert sampled[0, 1].item() == pytest.approx(entries["C_12"][row].item(), abs=0.05)
        assert sampled[1, 1].item() == pytest.approx(entries["C_22"][row].item(), abs=0.05)
    steps, history, _ = train(p, RUN.observe)
    metrics, _ = RUN.evaluate(p, steps, history)
    torch.testing.assert_close(metrics["mean C_22"], history["C_22"][2:].double().mean(0))
    a, b, c = (metrics[f"mean C_{k}"] for k in ("11", "12", "22"))
    torch.testing.assert_close(metrics["mean width"], (a * c - b**2) ** 0.25)
    assert metrics["mean D"].isfinite().all() and metrics["mean D"][0] != metrics["mean D"][1]
    to_mode = (metrics["mean mu_1"] ** 2 + (metrics["mean mu_2"] - 2) ** 2).sqrt()
    torch.testing.assert_close(metrics["mean distance"], to_mode)


def test_a_ring_run_has_the_bytes_that_it_has_beside_others():
    parameters = []
    for names in (["gan", "kl"], ["kl", "pearson", "reverse_kl"]):
        p = small("relu_slow_high", names, ["saddle", "alternative"], steps=6, history=3)
        train(p, RUN.observe)
        parameters.append(p.theta[2 * names.index("kl")].clone())
    assert torch.equal(*parameters)


@pytest.mark.parametrize("arm", ["tanh_slow_base", "gaussian"])
def test_a_step_is_counted_without_data(arm):
    shard = next(s for s in cut.shards(QUICK) if s.arm == arm)
    assert cost.of(QUICK, shard).operations > 0


def test_samplers_without_training_are_ceiling_and_floor():
    measure = QUICK.arms["tanh_slow_base"]["measure"] | {"baseline_seeds": 2}
    settings = QUICK.arms["tanh_slow_base"] | {"measure": measure, "divergences": ["kl", "reverse_kl"]}
    rows = baseline_rows(RUN.baselines(settings)[0])
    modes = rows[rows.metric == "modes"].groupby("sampler").value.mean()
    assert modes.to_dict() == {"fresh samples of P": 8.0, "one mode": 1.0}
    width = rows[(rows.metric == "width") & (rows.sampler == "exact optimum")].set_index("divergence").value
    assert width["kl"] == pytest.approx(1.80, abs=0.01) and width["reverse_kl"] == pytest.approx(1.29, abs=0.01)
    assert ((rows.sampler == "other minimum") & (rows.metric == "mu_1")).sum() == 2
