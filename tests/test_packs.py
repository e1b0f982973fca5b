"""Packs carry finished shards between machines and between cuts; a budget stops in time and goes on from them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS, run

from fgan import budget, design, packs, plan, provenance, records, shards
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
    pack = packs.Pack(record)
    for span in spans:
        pack.add(place(trained, shard(chosen, *span)))
    return record


def adopted(record, wanted):
    """Whether the shard was taken from the record's packs."""
    found = packs.sources(wanted, packs.read(record))
    if found:
        packs.adopt(wanted, place(record, wanted), provenance.run_card(wanted, "cpu"), found)
    return bool(found)


def outcome(record, chosen, first, last):
    """(rows, samples) of a shard, in one order whatever the cut."""
    folder = place(record, shard(chosen, first, last))
    frame = pd.read_parquet(folder / "measurements.parquet").sort_values(records.COLUMNS[:-1], ignore_index=True)
    return frame, records.read_samples(folder / "samples.npz")


def test_a_packed_shard_comes_back_byte_for_byte(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0), (1, 1))
    assert adopted(record, shard(chosen, 1, 1))
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
    assert adopted(record, shard(chosen, *wanted))
    (mine, samples), (theirs, wanted_samples) = (outcome(where, chosen, *wanted) for where in (record, trained))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
    assert samples.keys() == wanted_samples.keys()
    assert all(np.array_equal(samples[name], wanted_samples[name], equal_nan=True) for name in samples)
    assert shards.current(place(record, shard(chosen, *wanted)), shard(chosen, *wanted))


def test_what_is_incomplete_or_of_other_settings_or_code_is_not_adopted(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0), (1, 2))
    assert not adopted(record, shard(chosen, 0, 3)) and not adopted(record, shard(chosen, 3, 3))
    assert not adopted(record, Shard("ring", "tanh", 0, 0, chosen.arms["tanh"] | {"batch": 4}))
    assert not adopted(record, Shard("ring", "relu", 0, 0, chosen.arms["tanh"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "code_hash", lambda experiment: "another")
        assert not adopted(record, shard(chosen, 0, 0))
    assert not place(record, shard(chosen, 0, 0)).exists()
    assert adopted(record, shard(chosen, 0, 0))


def test_the_card_says_where_it_was_trained_and_devices_do_not_mix(tmp_path, trained, chosen):
    record = tmp_path / "smoke"
    pack = packs.Pack(record)
    for span in ((0, 0), (1, 1)):
        folder = tmp_path / "other" / f"tanh-seed{span[0]}"
        shutil.copytree(place(trained, shard(chosen, *span)), folder)
        card = json.loads((folder / "card.json").read_text())
        records.write_json(folder / "card.json", card | {"device": "cuda", "commit": "far"})
        pack.add(folder)
    pack.add(place(trained, shard(chosen, 2, 2)))
    assert not adopted(record, shard(chosen, 0, 2)) and adopted(record, shard(chosen, 0, 1))
    card = json.loads((place(record, shard(chosen, 0, 1)) / "card.json").read_text())
    assert (card["device"], card["commit"], card["seeds"], card["shard"]) == ("cuda", "far", [0, 1], "tanh-seed0-1")
    assert card["runs"] == 48


def test_a_pack_is_closed_before_it_is_larger_than_the_limit(tmp_path, trained, chosen, monkeypatch):
    size = sum((place(trained, shard(chosen, 0, 0)) / name).stat().st_size for name in packs.FILES)
    monkeypatch.setattr(packs, "LIMIT", 2.5 * size + 20_480)
    record = packed(tmp_path, trained, chosen, *[(seed, seed) for seed in range(4)])
    found = list((record / "packs").iterdir())
    assert len(found) == 2 and all(path.stat().st_size <= packs.LIMIT for path in found)
    assert len(packs.read(record)) == 4 and all(adopted(record, shard(chosen, seed, seed)) for seed in range(4))


def test_packs_of_two_machines_lie_side_by_side(tmp_path, trained, chosen):
    for seed in (0, 1):
        record = packed(tmp_path, trained, chosen, (seed, seed))
    assert len(list((record / "packs").iterdir())) == 2 and adopted(record, shard(chosen, 0, 1))


def test_the_largest_shard_of_a_gpu_fits_a_pack(tmp_path):
    """The longest history, univariate at full: 24 runs of a seed, 200 entries of six metrics; a hundred such seeds."""
    runs = [run(seed=seed) for seed in range(24 * 100)]
    draw = np.random.default_rng(0)
    frames = [
        records.tidy(runs, 100 * step, {name: draw.normal(size=len(runs)).astype(np.float32) for name in "abcdef"})
        for step in range(50)
    ]
    records.write_measurements(tmp_path, frames)
    assert 4 * (tmp_path / "measurements.parquet").stat().st_size < packs.LIMIT


def test_packs_hold_no_weights_and_a_damaged_one_is_named(tmp_path, trained, chosen):
    record = packed(tmp_path, trained, chosen, (0, 0))
    (path,) = (record / "packs").iterdir()
    with tarfile.open(path) as pack:
        assert {name.rpartition("/")[2] for name in pack.getnames()} == {*packs.FILES, packs.CHECKSUMS}
        starts = [member.offset for member in pack]
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[starts[1] + 700] ^= 1
    for content in (whole[:700], whole[: starts[2]], changed):
        path.write_bytes(content)
        with pytest.raises(RecordError, match=rf"{path.name} is no whole pack"):
            packs.read(record)


def test_the_order_gives_every_experiment_a_shard_early():
    found = {name: design.load(name, "quick", EXPERIMENTS) for name in ("univariate", "ring", "digits")}
    names = [one.name for one, _ in budget.interleaved(list(found.values()), "cpu")]
    counts = {name: len(one.shards("cpu")) for name, one in found.items()}
    assert names[:6] == 2 * ["univariate", "ring", "digits"] and Counter(names) == counts
    assert names[-1] == max(counts, key=counts.get)


def test_a_shard_that_fits_the_time_left_goes_first(chosen, monkeypatch):
    monkeypatch.setattr(plan, "rates", lambda device: {"rate": 1e9, "bandwidth": 1e9, "launch": 1e-6})
    expected = budget.Expectation("cpu")
    todo = [(chosen, one) for one in chosen.shards()]
    expected.seconds = lambda _, one: [50, 40, 30, 60][one.first]
    assert [expected.first_that_fits(todo, left) for left in (100, 45, 30.5, 5)] == [0, 1, 2, 0]


def number(**changes):
    """Shards of ring and digits at smoke."""
    return sum(len(design.load(name, "smoke", EXPERIMENTS, **changes).shards("cpu")) for name in ("ring", "digits"))


def train_all(record, *options):
    """What `train-all` said of 20 steps of ring and digits, and the seconds it took."""
    command = "-m fgan train-all --record smoke --only ring digits --cores 2 --device cpu".split()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command, *options], cwd=record.parents[1], capture_output=True, text=True,
        env=os.environ | {"FGAN_CHECKPOINT_SECONDS": "0"},
    )  # fmt: skip
    return done.stderr, time.monotonic() - began


@pytest.fixture
def elsewhere(tmp_path):
    """The record `smoke` of a copy of the repository."""
    for name in ("src", "experiments"):
        shutil.copytree(name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "results" / "smoke"


@pytest.mark.slow
def test_a_whole_record_in_several_calls_and_on_another_machine(elsewhere):
    said, took = train_all(elsewhere, "--max-steps", "20", "--budget-minutes", "0.02")
    assert f"0 of {number()} shards are there" in said and took < 15
    said, _ = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are in results/smoke/packs" in said
    assert said.count("finished and packed") >= number() - 1
    # Another machine gets the packs alone.
    whole = {
        path: path.read_bytes() for name in ("ring", "digits") for path in (elsewhere / name).glob("shards/*/*[tz]")
    }
    assert len(whole) == 2 * number()
    for name in ("ring", "digits"):
        shutil.rmtree(elsewhere / name)
    before = list((elsewhere / "packs").iterdir())
    said, _ = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are there" in said and "finished" not in said
    assert all(path.read_bytes() == content for path, content in whole.items())
    assert list((elsewhere / "packs").iterdir()) == before


@pytest.mark.slow
def test_a_training_that_was_stopped_in_its_middle_goes_on_there(elsewhere):
    options = ("--only", "ring", "--seeds", "1", "--max-steps", "100000")
    design_file = elsewhere.parents[1] / "experiments/ring/experiment.yaml"
    design_file.write_text(design_file.read_text().replace("smoke: 200", "smoke: 600"))
    said, _ = train_all(elsewhere, *options, "--budget-minutes", "0.13")
    assert "0 of 1 shards are in" in said and list((elsewhere / "ring/.checkpoints").glob("*.pt"))
    said, _ = train_all(elsewhere, *options)
    first = int(re.search(r"step (\d+)/600, .*starting", said)[1])
    assert first >= 20 and "1 of 1 shards are in" in said


def test_a_shard_that_fails_stops_no_other(elsewhere):
    run_file = elsewhere.parents[1] / "experiments/ring/run.py"
    run_file.write_text(run_file.read_text() + "\n\ndef observe(population):\n    raise ValueError('broken')\n")
    said, _ = train_all(elsewhere, "--max-steps", "20", "--seeds", "1")
    assert "ring/tanh-seed0: broken" in said and "digits/fgan-seed0: finished and packed" in said
    assert said.endswith(f"error: 1 of {number(seeds=1)} shards failed: ring/tanh-seed0: broken\n")


def test_missing_data_are_missed_before_anything_trains(elsewhere, monkeypatch):
    monkeypatch.setenv("FGAN_DATA", str(elsewhere.parents[1]))
    design_file = elsewhere.parents[1] / "experiments/digits/experiment.yaml"
    design_file.write_text(design_file.read_text().replace("smoke: digits", "smoke: mnist"))
    said, took = train_all(elsewhere, "--max-steps", "20")
    assert "error: MNIST's train-images-idx3-ubyte is not in" in said and "starting" not in said and took < 20


BARE = """
import runpy, sys
sys.modules.update(dict.fromkeys({absent}))
if __name__ == "__main__":
    sys.argv = "fgan train-all --record smoke --device cpu --max-steps 20 --seeds 1 --only {experiment}".split()
    runpy.run_module("fgan", run_name="__main__")
"""
ABSENT = ["scipy", "sklearn", "matplotlib", "seaborn", "snakemake", "jsonschema", "torchvision", "hypothesis"]


@pytest.mark.parametrize("experiment, shard", [("ring", "tanh-seed0"), ("univariate", "sgd-seed0")])
def test_training_needs_little_but_torch(experiment, shard, elsewhere):
    script = elsewhere.parents[1] / "bare.py"
    script.write_text(BARE.format(absent=ABSENT, experiment=experiment))
    done = subprocess.run([sys.executable, script.name], cwd=elsewhere.parents[1], capture_output=True, text=True)
    assert (elsewhere / experiment / "shards" / shard / "card.json").exists(), done.stderr
