"""Where a number comes from: its runs with seed, shard and value, its claim, its commit and its command."""

import math

import pandas as pd
import pytest
from records import toy

from fgan.files import RecordError, write_json
from fgan.report import explain, numbers

CARD = {
    "commits": ["abc"], "device": "cpu", "versions": {"torch": "2.9", "numpy": "2.0"}, "command": "snakemake toy",
    "shards": {"main-seed0": {}, "main-seed1-2": {}, "other-seed0-2": {}},
}  # fmt: skip


@pytest.fixture
def record(tmp_path):
    made = toy(
        tmp_path / "quick" / "toy", {("m", "kl", "saddle"): [1.0, 2.0, 4.5], (("m", "r"), "kl", "saddle"): [7.0] * 3}
    )
    write_json(made.folder / "card.json", CARD)
    rows = numbers.judged(made) + [
        numbers.row("claim.c", r"\verdict{replicated}", None, "tables/claims.csv", claim="c")
    ]
    rows.append(numbers.row("record.name", "quick", None, "the setting record"))
    frame = pd.DataFrame(rows, columns=list(numbers.COLUMNS)).fillna(dict.fromkeys(numbers.COLUMNS[4:], ""))
    frame.to_csv(tmp_path / "quick/numbers.csv", index=False)
    (tmp_path / "quick/tables").mkdir()
    claim = {"claim": "c", "experiment": "toy", "verdict": "replicated", "estimate": math.nan}
    pd.DataFrame([claim]).to_csv(tmp_path / "quick/tables/claims.csv", index=False)
    return tmp_path / "quick"


END = ["trained at commit abc on cpu", "with numpy 2.0, torch 2.9", "on a machine with no recorded fingerprint",
       "again with: snakemake toy", explain.SAME]  # fmt: skip


def test_a_measured_number_names_each_run_with_its_shard(record):
    assert explain.origin(record, "toy.main.kl.saddle.m").splitlines() == [
        "toy.main.kl.saddle.m = 2.50",
        "from toy/measurements.parquet: mean of 'm' at step 10 over 3 seeds of main/kl/saddle",
        "  seed 0 (shard main-seed0): 1", "  seed 1 (shard main-seed1-2): 2", "  seed 2 (shard main-seed1-2): 4.5",
        *END,
    ]  # fmt: skip


def test_a_number_under_a_rule_has_the_values_of_that_rule(record):
    assert "  seed 2 (shard main-seed1-2): 7" in explain.origin(record, "toy.main.kl.saddle.m [r]").splitlines()


def test_a_verdict_shows_its_claim(record):
    lines = explain.origin(record, "claim.c").splitlines()
    assert "  verdict: replicated" in lines and lines[-5:] == END


def test_a_number_of_the_record_has_a_source_alone(record):
    assert explain.origin(record, "record.name").splitlines() == ["record.name = quick", "from the setting record"]


def test_an_unknown_key_offers_the_nearest(record, tmp_path):
    with pytest.raises(RecordError, match="no number 'toy.main.kl.sadle.m' .*did you mean 'toy.main.kl.saddle.m'?"):
        explain.origin(record, "toy.main.kl.sadle.m")
    with pytest.raises(RecordError, match="has no numbers; make them with: snakemake paper --config record=full"):
        explain.origin(tmp_path / "full", "record.name")


def test_the_machines_of_a_part_are_named(record):
    machines = [{"cpu": "fast", "blas": "mkl"}, {"cpu": "slow"}, None]
    write_json(record / "toy" / "card.json", CARD | {"fingerprints": machines})
    lines = explain.origin(record, "toy.main.kl.saddle.m").splitlines()
    assert [line for line in lines if "machine" in line] == [
        "on a machine with blas mkl, cpu fast", "on a machine with cpu slow",
    ]  # fmt: skip
