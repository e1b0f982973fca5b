"""Packs carry finished shards between machines and between cuts; a budget stops in time and goes on from them."""

import json
import shutil
import subprocess
import sys
import tarfile
import time

import numpy as np
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS

from fgan import budget, design, packs, plan, records, shards
from fgan.design import Shard
from fgan.records import RecordError

FILES = ("measurements.parquet", "samples.npz")


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.chdir(EXPERIMENTS.parent)


@pytest.fixture(scope="module")
def chosen():
    return design.load("ring", "smoke", EXPERIMENTS, seeds=4, max_steps=20)


@pytest.fixture(scope="module")
def trained(chosen, tmp_path_factory):
    """A record with a shard of each of four seeds, one of the seeds 0 to 3, and one of the seeds 1 to 2."""
    record = tmp_path_factory.mktemp("results") / "smoke"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(EXPERIMENTS.parent)
        for first, last in ((0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (1, 2)):
            shard = Shard("ring", "tanh", first, last, chosen.arms["tanh"])
            shards.train_shard(chosen, shard, place(record, shard))
    torch.set_flush_denormal(False)
    return record


def place(record, shard):
    return record / shard.experiment / "shards" / shard.name


def shard(chosen, first, last):
    return Shard("ring", "tanh", first, last, chosen.arms["tanh"])


def packed(tmp_path, trained, chosen, *spans):
    """A record that holds nothing but packs of the shards with these seeds."""
    record = tmp_path / "smoke"
    for span in spans:
        packs.add(record, place(trained, shard(chosen, *span)))
    return record


def adopted(record, chosen, first, last, **changes):
    wanted = shard(chosen, first, last)
    card = records.run_card(wanted, "cpu") | changes
    return packs.adopt(wanted, place(record, wanted), card)


def outcome(record, chosen, first, last):
    """(rows, samples) of a shard, in one order whatever the cut."""
    folder = place(record, shard(chosen, first, last))
    frame = pd.read_parquet(folder / "measurements.parquet").sort_values(records.COLUMNS[:-1], ignore_index=True)
    return frame, records.read_samples(folder / "samples.npz")


def test_a_packed_shard_comes_back_byte_for_byte(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0), (1, 1))
    assert adopted(record, chosen, 1, 1)
    for name in packs.FILES:
        mine, theirs = (place(where, shard(chosen, 1, 1)) / name for where in (record, trained))
        assert mine.read_bytes() == theirs.read_bytes()
    assert shards.current(place(record, shard(chosen, 1, 1)), shard(chosen, 1, 1))


@pytest.mark.parametrize(
    "spans, wanted",
    [([(0, 3)], (2, 2)), ([(0, 3)], (1, 2)), ([(0, 0), (1, 1), (2, 2), (3, 3)], (0, 3)),
     ([(0, 0), (1, 2), (3, 3)], (0, 3))])  # fmt: skip
def test_another_cut_takes_its_seeds_from_what_is_packed(spans, wanted, tmp_path, trained, chosen):
    """On the CPU a run's bits do not depend on its shard, so the adopted rows are those of a training."""
    record = packed(tmp_path, trained, chosen, *spans)
    assert adopted(record, chosen, *wanted)
    (mine, samples), (theirs, wanted_samples) = (outcome(where, chosen, *wanted) for where in (record, trained))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
    assert samples.keys() == wanted_samples.keys()
    assert all(np.array_equal(samples[name], wanted_samples[name], equal_nan=True) for name in samples)
    assert shards.current(place(record, shard(chosen, *wanted)), shard(chosen, *wanted))


def test_what_is_incomplete_or_of_other_settings_or_code_is_not_adopted(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0), (1, 2))
    assert not adopted(record, chosen, 0, 3) and not adopted(record, chosen, 3, 3)
    assert not adopted(record, chosen, 0, 0, code_hash="another")
    assert not adopted(record, chosen, 0, 0, settings=chosen.arms["tanh"] | {"batch": 4})
    assert not place(record, shard(chosen, 0, 0)).exists()
    other = Shard("ring", "relu", 0, 0, chosen.arms["tanh"])
    assert not packs.adopt(other, place(record, other), records.run_card(other, "cpu"))
    assert adopted(record, chosen, 0, 0)


def test_the_card_says_where_it_was_trained_and_devices_do_not_mix(tmp_path, trained, chosen):
    record = tmp_path / "smoke"
    for span in ((0, 0), (1, 1)):
        folder = tmp_path / "other" / f"tanh-seed{span[0]}"
        shutil.copytree(place(trained, shard(chosen, *span)), folder)
        card = json.loads((folder / "card.json").read_text())
        records.write_json(folder / "card.json", card | {"device": "cuda", "commit": "far"})
        packs.add(record, folder)
    packs.add(record, place(trained, shard(chosen, 2, 2)))
    assert not adopted(record, chosen, 0, 2) and adopted(record, chosen, 0, 1)
    card = json.loads((place(record, shard(chosen, 0, 1)) / "card.json").read_text())
    assert (card["device"], card["commit"], card["seeds"], card["shard"]) == ("cuda", "far", [0, 1], "tanh-seed0-1")
    assert card["runs"] == 48


def test_a_pack_is_closed_before_it_is_larger_than_the_limit(tmp_path, trained, chosen, monkeypatch):
    size = sum((place(trained, shard(chosen, 0, 0)) / name).stat().st_size for name in packs.FILES)
    monkeypatch.setattr(packs, "LIMIT", 2.5 * size + 10_240)
    record = packed(tmp_path, trained, chosen, *[(seed, seed) for seed in range(4)])
    found = sorted((record / "packs").iterdir())
    assert [path.name for path in found] == ["000.tar", "001.tar"]
    assert all(path.stat().st_size <= packs.LIMIT for path in found) and len(packs.read(record)) == 4
    assert all(adopted(record, chosen, seed, seed) for seed in range(4))


def test_packs_hold_no_weights_and_a_damaged_one_is_named(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0))
    (path,) = (record / "packs").iterdir()
    with tarfile.open(path) as pack:
        assert {name.rpartition("/")[2] for name in pack.getnames()} == set(packs.FILES)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(RecordError, match=r"000\.tar is no whole pack"):
        packs.read(record)


def test_the_order_gives_every_experiment_a_shard_early():
    names = [
        d.name
        for d, _ in budget.interleaved(
            [design.load(n, "quick", EXPERIMENTS) for n in ("univariate", "ring", "digits")], "cpu"
        )
    ]
    assert (
        names[:6] == 2 * ["univariate", "ring", "digits"] and len(names) == 13 and names[-2:] == ["univariate", "ring"]
    )


def test_a_shard_that_fits_the_time_left_goes_first(chosen, monkeypatch):
    monkeypatch.setattr(plan, "rates", lambda device: {"rate": 1e9, "bandwidth": 1e9, "launch": 1e-6})
    expected = budget.Expectation("cpu")
    todo = [(chosen, one) for one in chosen.shards()]
    expected.seconds = lambda _, one: [50, 40, 30, 60][one.first]
    assert [expected.first_that_fits(todo, left) for left in (100, 45, 30.5, 5)] == [0, 1, 2, 0]


def train_all(record, minutes, *options):
    command = [
        sys.executable,
        "-m",
        "fgan",
        "train-all",
        "--record",
        "smoke",
        "--only",
        "ring",
        "digits",
        "--max-steps",
        "20",
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--cores", "2", "--budget-minutes", str(minutes), *options], cwd=record.parents[1],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr, time.monotonic() - began


@pytest.fixture
def elsewhere(tmp_path):
    """The record `smoke` of a copy of the repository."""
    for name in ("src", "experiments"):
        shutil.copytree(name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "results" / "smoke"


@pytest.mark.slow
def test_a_whole_record_in_several_calls_and_on_another_machine(elsewhere, tmp_path):
    said, took = train_all(elsewhere, 0.02)
    assert "0 of 4 shards are there" in said and took < 15
    said, _ = train_all(elsewhere, 5)
    assert "4 of 4 shards are in results/smoke/packs" in said and said.count("finished and packed") >= 3
    # Another machine gets the packs alone.
    whole = {
        path: path.read_bytes() for name in ("ring", "digits") for path in (elsewhere / name).glob("shards/*/*[tz]")
    }
    assert len(whole) == 8
    for name in ("ring", "digits"):
        shutil.rmtree(elsewhere / name)
    said, _ = train_all(elsewhere, 5)
    assert "4 of 4 shards are there" in said and "finished" not in said
    assert all(path.read_bytes() == content for path, content in whole.items())


BARE = """
import runpy, sys
sys.modules.update(dict.fromkeys({absent}))
sys.argv = "fgan train --record smoke --device cpu --max-steps 20 --experiment {experiment} --shard {shard}".split()
runpy.run_module("fgan", run_name="__main__")
"""
ABSENT = ["scipy", "sklearn", "matplotlib", "seaborn", "snakemake", "jsonschema", "torchvision", "hypothesis"]


@pytest.mark.parametrize("experiment, shard", [("ring", "tanh-seed0"), ("univariate", "sgd-seed0")])
def test_training_needs_little_but_torch(experiment, shard, elsewhere):
    code = BARE.format(absent=ABSENT, experiment=experiment, shard=shard)
    done = subprocess.run([sys.executable, "-c", code], cwd=elsewhere.parents[1], capture_output=True, text=True)
    assert (elsewhere / experiment / "shards" / shard / "card.json").exists(), done.stderr
