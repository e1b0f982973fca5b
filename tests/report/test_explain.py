"""Where a number, cell, figure, claim or statistic comes from: value, estimator, runs, machine, commit and commands."""

import numpy as np
import pandas as pd
import pytest
from records import experiment, toy

from fgan import __main__
from fgan.files import RecordError, write_json
from fgan.report import explain
from fgan.report.explain import origins, trace
from fgan.report.explain.claims import span

SHARDS = {"main-seed0": 0, "main-seed1-2": 1}
VERSIONS, MACHINES = {"torch": "2.9"}, [{"cpu": "fast"}, {"cpu": "slow"}]
VALUES = {
    ("m", "kl", "saddle"): [1.0, 2.0, 4.5], (("m", "r"), "kl", "saddle"): [7.0, 7.0, 10.0],
    ("m", "gan", "saddle"): [0.0, 1.0, 0.5], ("other", "kl", "saddle"): [3.0] * 3,
    ("diverged_step", "kl", "saddle"): [np.nan, 6.0, np.nan],
}  # fmt: skip
FIGURES = '''
import pandas as pd

def figure_values(part):
    """Every value of m."""
    return [part.values("m", "main", "kl"), part.samplers("m")]

def table_means(part):
    names = {"kl": "KL", "gan": "GAN"}
    values = {name: part.values("m", "main", name) for name in names}
    rows = [{"Trained on": names[n], "mean": f"{v.mean():.2f}", "range": f"{v.min():g} to {v.max():g}"}
            for n, v in values.items()]
    rows.append({"Trained on": "P", "mean": f"{part.baseline('m', 'P'):.2f}", "range": "none"})
    return pd.DataFrame(rows).sort_values("mean", key=lambda texts: texts.astype(float), ascending=False)

def statistic_spread(part):
    """Largest less least value of m under KL."""
    values = part.values("m", "main", "kl")
    return float(values.max() - values.min()), 3.0, 4.0, len(values)
'''
CLAIMS = """
claims:
  - id: kl-higher
    kind: derived
    statement: m is higher under KL.
    source: derived here
    reason: any lead counts
    checks:
      - {kind: mean, metric: m, where: {divergence: kl}, low: 0}
      - {kind: difference, metric: m, where: {divergence: kl}, minus: {divergence: gan}, low: 0}
      - {kind: statistic, statistic: spread, low: 3}
      - {kind: baseline, metric: m, sampler: P, low: 0}
"""


@pytest.fixture
def record(away):
    experiment(away, CLAIMS, FIGURES, "figures: {values: Values.}\ntables: {means: Means.}\n")
    made = toy(away / "results" / "quick" / "toy", VALUES, [("P", "", {"m": 8.0})])
    shards = {
        name: {"commit": f"abc{n}", "device": "cpu", "versions": VERSIONS, "code_hash": "0" * 64, "fingerprint": n}
        for name, n in SHARDS.items()
    }
    card = {"commits": ["abc0", "abc1"], "fingerprints": MACHINES, "shards": shards, "command": "snakemake toy"}
    write_json(made.folder / "card.json", card)
    np.savez(made.folder / "samples.npz", real=np.zeros(2))
    time = "job,start,import,training,evaluation,drawing,elapsed\ntrain toy/main-seed0,0,0,1.5,0.5,0,9\n"
    (made.folder.parent / "time.csv").write_text(time)
    facts = {"runs": 6, "seeds": 3, "settings": {"measure": {}, "target": {}}}
    arms = {"main": {"steps": 10, "seeds": 3, "batch": 2}}
    write_json(made.folder / "design.json", made.design | facts | {"arms": arms})
    return made.folder.parent


def of(divergence, values):
    """The lines of m of the three runs of a divergence."""
    shards = ("main-seed0", "main-seed1-2", "main-seed1-2")
    return [
        f"  toy/main/{divergence}/saddle/{seed}: m = {value} at step 10 (shard {shard})"
        for seed, (value, shard) in enumerate(zip(values, shards, strict=True))
    ]


RUNS, OTHERS = of("kl", ("1", "2", "4.5")), of("gan", ("0", "1", "0.5"))
MADE = [
    "trained as 1 shard, which took 2.0 s: main-seed0",
    "  with cpu fast, device cpu, science code 000000000000, torch 2.9", "  at the commit: git checkout abc0",
    "trained as 1 shard, which took a time that this record does not keep: main-seed1-2",
    "  with cpu slow, device cpu, science code 000000000000, torch 2.9", "  at the commit: git checkout abc1",
]  # fmt: skip
AGAIN = ["one run again: python -m fgan retrain toy/main/kl/saddle/0 --record quick", "all again: snakemake toy"]


def runs(lines):
    return [line for line in lines if line.startswith("  toy/")]


def test_a_measured_number_has_its_estimator_runs_machines_and_commands(record):
    lines = explain.explain(record, "toy.main.kl.saddle.m")
    assert lines[0] == "toy.main.kl.saddle.m = 2.50"  # (1 + 2 + 4.5) / 3
    assert "mean over 3 seeds at the last step" in lines[3]
    assert lines[4:] == [*RUNS, *MADE, *AGAIN]


def test_a_number_under_a_rule_has_the_values_of_that_rule(record):
    lines = explain.explain(record, "toy.main.kl.saddle.m [r]")
    assert lines[0].endswith("= 8.00") and "  toy/main/kl/saddle/2: m [r] = 10 at step 10 (shard main-seed1-2)" in lines


def test_a_baseline_has_its_draws_and_a_count_its_runs(record):
    lines = explain.explain(record, "toy.baseline.P.m")
    assert lines[0].endswith("= 8.00") and "  sampler 'P', draw 0: m = 8 (baselines.parquet)" in lines
    lines = explain.explain(record, "toy.diverged")
    assert lines[0] == "toy.diverged = 1"
    assert runs(lines) == ["  toy/main/kl/saddle/1: diverged_step = 6 at step 10 (shard main-seed1-2)"]


def test_a_setting_and_a_count_of_claims_have_their_sources(record):
    assert "set in experiments/toy/experiment.yaml, at the scale quick" in explain.explain(record, "toy.main.batch")
    lines = explain.explain(record, "claims.derived.all")
    assert lines[0] == "claims.derived.all = 1" and "  claim.kl-higher" in lines


def test_a_cell_has_the_rows_that_move_it_and_no_others(record):
    lines = explain.explain(record, "table.toy_means.2.2")
    assert lines[:2] == ["table.toy_means.2.2 = 2.50", "row 'KL', column 'mean'"] and runs(lines) == RUNS
    assert lines[-8:] == [*MADE, *AGAIN]
    assert runs(explain.explain(record, "table.toy_means.3.3")) == OTHERS
    lines = explain.explain(record, "table.toy_means.1.2")
    assert (
        lines[0].endswith("= 8.00") and "  sampler 'P', draw 0: m = 8 (baselines.parquet)" in lines and not runs(lines)
    )
    assert "no measurement moves this cell: it is a name, a setting or a published value" in explain.explain(
        record, "table.toy_means.2.1"
    )


def test_every_cell_of_a_table_has_a_key(record):
    lines = explain.cells(record, "toy_means")
    assert len(lines) == 9 and "table.toy_means.2.2: KL, mean: 2.50" in lines


def test_a_search_that_runs_out_of_time_names_more_and_says_so(record, monkeypatch):
    monkeypatch.setattr(trace.behind, "__defaults__", (-1,))
    lines = explain.explain(record, "table.toy_means.2.2")
    assert f"the rows that move this cell{origins.LATE}:" in lines and set(RUNS + OTHERS) <= set(lines)


def names(groups):
    return [(group.name[0], group.name[3]) for group in groups]


def test_values_that_a_table_cannot_show_hide_no_row(record):
    """Where a change of all rows breaks a table, parts of them are tried."""

    def make(part):
        kl, gan = (part.values("m", "main", name) for name in ("kl", "gan"))
        if (kl.max() > 5 and gan.max() > 5) or (kl.min() < 0 and gan.min() < 0):
            raise ValueError("an impossible value")
        return pd.DataFrame({"of": ["all"], "value": [f"{kl.sum():g}"]})

    part = trace.Traced(record / "toy")
    make(part)
    found, whole = trace.behind(make, part, ("all", 0, "value"))
    assert names(found) == [("m", "kl")] and whole


def test_rows_that_move_a_cell_only_together_are_all_named(record):
    def make(part):
        kl, gan = (part.values("m", "main", name) for name in ("kl", "gan"))
        return pd.DataFrame({"of": ["all"], "value": [str(kl.max() > 5 and gan.max() > 5)]})

    part = trace.Traced(record / "toy")
    make(part)
    assert names(trace.behind(make, part, ("all", 0, "value"))[0]) == [("m", "gan"), ("m", "kl")]


@pytest.mark.parametrize("change", [trace.opposite, trace.large])
def test_a_change_leaves_no_value_where_it_was(change):
    before = np.array([0.0, 1.0, -3.0, 8.0, np.nan, np.inf])
    assert np.isfinite(change(before)).all() and not np.any(change(before) == before)


def test_a_claim_has_every_check_with_its_runs(record):
    lines = explain.explain(record, "claim.kl-higher")
    assert lines[0] == "claim.kl-higher: m is higher under KL." and "  reason: any lead counts" in lines
    checks = [line for line in lines if line.startswith("check ")]
    assert [line.partition(":")[0] for line in checks] == [f"check {n} of 4" for n in (1, 2, 3, 4)]
    first, second = (lines.index(check) for check in checks[:2])
    assert lines[first + 1].startswith("  m, KL: 2.5 [") or lines[first + 1].startswith("  m: 2.5 [")
    assert runs(lines[first:second]) == RUNS
    third = lines.index(checks[2])
    assert ": 2, no interval, allowed" in lines[second + 1]  # (1 - 0 + 2 - 1 + 4.5 - 0.5) / 3
    assert "p = 0.25, 3 seeds: undecided" in lines[second + 1]  # 2 of the 8 signs are as extreme
    assert runs(lines[second:third]) == RUNS + OTHERS
    assert lines[third + 1] == "  spread: 3.5 [3, 4], allowed at least 3, 3 seeds: holds"
    assert lines[-8:] == [*MADE, *AGAIN]
    assert lines[third - 1].startswith("  toy/") and not any("{" in line or "inf" in line for line in lines)
    assert explain.explain(record, "claim.kl-higher.measured") == lines


def test_a_statistic_has_its_function_its_runs_and_its_claims(record):
    lines = explain.explain(record, "statistic.toy.spread")
    assert lines[0] == "statistic.toy.spread = 3.5 [3, 4] over 3 seeds"
    assert "Largest less least value of m under KL." in lines[1] and "judged by claim.kl-higher" in lines
    assert runs(lines) == RUNS


def test_a_figure_has_all_that_it_reads(record):
    lines = explain.explain(record, "figure.toy_values")
    assert lines[0] == "figure.toy_values: Values." and runs(lines) == RUNS
    assert "drawn by: snakemake --cores all figure_toy_values --config record=quick" in lines
    assert "  sampler 'P', draw 0: m = 8 (baselines.parquet)" in lines


WRONG = {
    "toy.main.kl.sadle.m": "no number .* did you mean 'toy.main.kl.saddle.m'?",
    "claim.kl-hihger": "no claim .* did you mean 'kl-higher'?",
    "table.toy_mean.1.1": "no table .* did you mean 'toy_means'?",
    "table.toy_means.9.1": "has 3 rows and 3 columns; did you mean 'table.toy_means.3.1'?",
    "table.toy_means": "write table.toy_means.ROW.COLUMN",
    "figure.toy_value": "no figure .* did you mean 'toy_values'?",
    "statistic.toy.spraed": "no statistic of toy .* did you mean 'spread'?",
    "statistic.tyo.spread": "did you mean 'toy'?",
    "": "explain what?",
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_key_is_one_sentence_with_the_nearest_name(record, key, capsys):
    with pytest.raises(RecordError, match=WRONG[key]):
        explain.explain(record, key)
    assert __main__.main(["explain", key, "--record", "quick"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("bounds", "words"),
    [({"kind": "share"}, "0.5 to 1"), ({"kind": "mean"}, "at least 0.5"), ({"kind": "mean", "high": 2}, "0.5 to 2")],
)
def test_the_range_of_a_share_ends_where_shares_do(bounds, words):
    assert span(bounds, 0.5, bounds.get("high", np.inf)) == words


def test_draws_of_a_sampler_are_one_line_and_values_have_six_digits(record):
    part = origins.Part(record / "toy")
    rows = pd.concat([part.untrained.assign(seed=n, value=0.0016 + n + 1e-11) for n in range(3)])
    assert origins.draws(rows) == ["  sampler 'P', mean of draws 0 to 2: m = 1.0016 (baselines.parquet)"]
