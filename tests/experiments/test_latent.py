"""The experiment on the latent space: what its runs and its samplers measure, and what is made of them."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from experiments.latent import collisions, known
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run, merge
from fgan.engine import cost
from fgan.engine.population import seeded
from fgan.engine.training import train
from fgan.files import write_json
from fgan.jobs import cut
from fgan.record.write import baseline_rows, tidy, write_samples, write_table
from fgan.report import claims, figures
from fgan.report.part import Part
from fgan.report.tables import latex
from fgan.targets import images
from fgan.targets.mixtures import ring

RUN = design.module(EXPERIMENTS, "latent", "run")
FIGURES = design.module(EXPERIMENTS, "latent", "figures")
DIGITS = images.digits()
SMALL = {
    "samples": 200, "mesh": 33, "preimages": 20, "shown": 8, "points": 16, "baseline_seeds": 2, "atom_samples": 2000,
}  # fmt: skip


def trained(arm, scale="quick", names=("gan", "kl"), seed=9000):
    """Settings, runs, metrics and samples of a few steps of one arm."""
    settings = design.load("latent", scale, EXPERIMENTS).arms[arm]
    settings = merge(settings, {"steps": 6, "history": 3, "measure": SMALL})
    runs = [Run("latent", arm, name, o, seed) for name in names for o in settings["objectives"]]
    population = RUN.population(settings, runs, data=DIGITS if arm == "digits" else None)
    steps, history, diverged = train(population, RUN.observe)
    assert diverged.isnan().all()
    return settings, runs, *RUN.evaluate(population, steps, history)


def test_noise_and_samples_are_those_of_the_population():
    settings = design.load("latent", "quick", EXPERIMENTS).arms["digits"]
    population = RUN.population(settings, [Run("latent", "digits", "kl", "saddle", 9000)], data=DIGITS)
    z = collisions.noise(population, 256, "evaluation")
    assert z.shape == (1, 256, settings["noise"]["dimension"])
    assert torch.equal(collisions.noise(population, 200, "evaluation"), z[:, :200])
    x = torch.cat([population.generate(batch.expand(2, -1, -1))[:1] for batch in z.split(settings["batch"], 1)], dim=1)
    assert torch.equal(x[:, :200], population.sample(200, "evaluation"))


@pytest.mark.parametrize("arm", ["ring", "small", "digits"])
def test_a_run_is_judged_whoever_is_beside_it(arm):
    _, runs, metrics, samples = trained(arm)
    _, _, alone, _ = trained(arm, names=("gan",))
    for name, values in metrics.items():
        assert values.shape == (len(runs),)
        torch.testing.assert_close(values[: len(alone[name])], alone[name], equal_nan=True, rtol=0, atol=0)
    assert ("preimages" in metrics) == (arm != "digits")
    shape = samples["pairs" if arm == "digits" else "map"].shape
    assert shape == ((len(runs), 2 * RUN.PAIRS, 64) if arm == "digits" else (len(runs), 8, 8))


def test_a_small_start_begins_with_all_z_at_one_x():
    spreads = {}
    for arm in ("ring", "small"):
        settings = design.load("latent", "quick", EXPERIMENTS).arms[arm]
        population = RUN.population(settings, [Run("latent", arm, "gan", "saddle", 9000)])
        spreads[arm] = population.sample(500, "start").std(dim=1).max().item()
    assert spreads["small"] < 0.02 < 0.1 < spreads["ring"]


def test_the_real_data_are_equal_in_number_and_disjoint():
    measure = {"samples": 2000}
    reference, fresh = RUN.real(DIGITS, measure), RUN.real(DIGITS, measure, 0)
    assert reference.shape == fresh.shape == (1, 600, 64)
    assert torch.cdist(reference[0], fresh[0]).min() > 0
    p = ring(8, 2.0, 0.02)
    reference, fresh = RUN.real(p, measure), RUN.real(p, measure, 0)
    assert reference.shape == (1, 2000, 2) and not torch.equal(reference, fresh)


def test_modes_and_collisions_of_samples_of_known_modes():
    p, measure = ring(8, 2.0, 0.02), design.load("latent", "quick", EXPERIMENTS).arms["ring"]["measure"]
    data = p.draw((1000,), seeded("cpu", "test"))
    centre = p.means[0].float()
    structureless = torch.randn((1000, 2), generator=torch.Generator().manual_seed(0))
    broken = data.clone().index_fill(0, torch.tensor([0]), math.inf)
    x = torch.stack([data, centre + 0.02 * structureless, structureless, broken])
    metrics = RUN.measured(x, None, None, p, measure)
    # Two samples of one mode are within six standard deviations but for e^-9.
    assert metrics["collisions", "same mode"][:2].tolist() == pytest.approx([1 / 8, 1], rel=0.02)
    assert metrics["modes"][:3].tolist() == [8, 1, 0]
    assert metrics["effective modes"][0].item() == pytest.approx(8, rel=0.02)
    assert metrics["collapsed without collisions"][:3].tolist() == [0, 0, 1]
    assert metrics["collapsed without collisions"][3].isnan() and metrics["collisions", "same point"][3].isnan()


@pytest.fixture(scope="module")
def baselines():
    settings = design.load("latent", "quick", EXPERIMENTS).arms["digits"]
    return RUN.baselines(merge(settings, {"measure": SMALL}), DIGITS)


def test_the_samplers_without_training_are_ceiling_and_floor(baselines):
    means = baseline_rows(baselines[0]).groupby(["sampler", "metric", "rule"]).value.mean()
    for place, number in (("ring", 8), ("digits", 10)):
        for at in ("same mode", "same point"):
            assert means[f"data, {place}", "relative collisions", at] == pytest.approx(1, rel=0.5)
        assert means[f"one mode, {place}", "relative collisions", "same mode"] == pytest.approx(number, rel=0.1)
        assert means[f"one mode, {place}", "effective modes", ""] == pytest.approx(1)
        assert means[f"data, {place}", "modes", ""] == number
        assert means[f"linear map, {place}", "rank correlation", ""] > 0.4
        assert 0.3 < means[f"data, {place}", "alone", ""] < 0.7
    assert means["linear map, ring", "log volume", ""] == pytest.approx(math.log10(math.sqrt(2)))
    assert means["one mode, ring", "log volume", ""] == pytest.approx(math.log10(0.02))


def test_the_root_of_a_covariance():
    root = known.root(DIGITS.train)
    torch.testing.assert_close(root.mT @ root, DIGITS.train.double().mT.cov())


def small_part(folder, baselines, arms, names):
    """A part of two seeds from a few steps of some arms."""
    rows, kept, settings = [], dict(baselines[1]), {}
    for arm in arms:
        for seed in (0, 1):
            own, runs, metrics, samples = trained(arm, names=names, seed=9000 + seed)
            runs = [Run(run.experiment, arm, run.divergence, run.objective, seed) for run in runs]
            metrics |= {"failed": torch.zeros(len(runs))}
            rows.append(tidy(runs, own["steps"], metrics))
            for name, stack in samples.items():
                kept |= {
                    f"{name}/{arm}/{r.divergence}/{r.objective}/{seed}": v for r, v in zip(runs, stack, strict=True)
                }
        settings[arm] = own | {"divergences": list(names), "seeds": 2}
    write_table(folder / "measurements.parquet", pd.concat(rows, ignore_index=True))
    write_table(folder / "baselines.parquet", baseline_rows(baselines[0]))
    write_samples(folder / "samples.npz", kept)
    labels = [{"name": name, "label": name, "effective": ""} for name in names]
    shown = {"name": "latent", "scale": "quick", "settings": settings[arms[0]], "arms": settings}
    write_json(folder / "design.json", shown | {"divergences": labels})
    return Part(folder)


@pytest.mark.parametrize(
    "arms, names", [(("digits", "ring"), FIGURES.CORE), (("digits", "ring", "small"), (*FIGURES.CORE, "neyman"))]
)
def test_figures_tables_and_claims_take_any_arms_and_divergences(tmp_path, baselines, arms, names):
    part = small_part(tmp_path, baselines, arms, names)
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner != "latent":
                continue
            made = getattr(FIGURES, f"{kind}_{short}")(part)
            if kind == "figure":
                made.savefig(tmp_path / "figure.png", dpi=40)
                plt.close(made)
            else:
                assert len(made) > 0 and not made.isna().any(axis=None) and latex(made)
    read = design.read_claims(EXPERIMENTS / "latent" / "claims.yaml")
    verdicts = {row["claim"]: row["verdict"] for row in claims.judge(part, read)}
    assert verdicts["latent-birthday-bound"] == verdicts["latent-no-support"] == "replicated"
    assert verdicts["latent-birthday-bound-rare"] == "not replicated"


def test_the_settings_are_those_of_the_experiments_that_they_are_taken_from():
    arms = design.load("latent", "full", EXPERIMENTS).arms
    theirs = {"ring": design.load("ring", "full", EXPERIMENTS).arms["tanh"]}
    theirs["digits"] = design.load("digits", "full", EXPERIMENTS).arms["fgan"]
    for arm, own in theirs.items():
        for key in ("target", "noise", "generator", "variational", "optimiser", "method", "batch", "steps"):
            assert arms[arm][key] == own[key]
    assert {k: v for k, v in arms["ring"]["target"].items() if k != "kind"} == arms["digits"]["measure"]["ring"]


def test_a_step_can_be_counted_without_data():
    chosen = design.load("latent", "smoke", EXPERIMENTS)
    for shard in cut.shards(chosen):
        assert cost.of(chosen, shard).operations > 0
