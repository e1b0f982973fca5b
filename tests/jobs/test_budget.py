"""A whole record in a budget of time: it stops when that is over, goes on from there, and needs little but torch."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest
from small import EXPERIMENTS, ROOT, edited

from fgan import design
from fgan.jobs import budget, plan
from fgan.jobs.cut import shards


def test_the_order_gives_every_experiment_a_shard_early():
    found = {name: design.load(name, "quick", EXPERIMENTS) for name in ("univariate", "ring", "digits")}
    names = [one.name for one, _ in budget.interleaved(list(found.values()), "cpu")]
    counts = {name: len(shards(one)) for name, one in found.items()}
    assert names[:6] == 2 * ["univariate", "ring", "digits"] and Counter(names) == counts
    assert names[-1] == max(counts, key=counts.get)


def test_a_shard_that_fits_the_time_left_goes_first(monkeypatch):
    chosen = design.load("ring", "smoke", EXPERIMENTS, seeds=4)
    monkeypatch.setattr(plan, "rates", lambda device: {"rate": 1e9, "bandwidth": 1e9, "launch": 1e-6})
    expected = budget.Expectation("cpu")
    todo = [(chosen, one) for one in shards(chosen)]
    expected.seconds = lambda _, one: [50, 40, 30, 60][one.first]
    assert [expected.first_that_fits(todo, left) for left in (100, 45, 30.5, 5)] == [0, 1, 2, 0]


def number(**changes):
    """Shards of ring and digits at smoke."""
    return sum(len(shards(design.load(name, "smoke", EXPERIMENTS, **changes))) for name in ("ring", "digits"))


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
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "results" / "smoke"


def edit(record, name, old, new):
    """Changes one place of a file of an experiment in the copy."""
    path = record.parents[1] / "experiments" / name
    path.write_text(edited(old, new, path.read_text()))


@pytest.mark.slow
def test_a_whole_record_in_several_calls_and_on_another_machine(elsewhere):
    said, took = train_all(elsewhere, "--max-steps", "20", "--budget-minutes", "0.02")
    assert f"0 of {number()} shards are there" in said and took < 15
    said, _ = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are in results/smoke/archive" in said
    assert said.count("finished and archived") >= number() - 1
    # Another machine gets the archive alone.
    whole = {
        path: path.read_bytes() for name in ("ring", "digits") for path in (elsewhere / name).glob("shards/*/*[tz]")
    }
    assert len(whole) == 2 * number()
    for name in ("ring", "digits"):
        shutil.rmtree(elsewhere / name)
    before = list((elsewhere / "archive").iterdir())
    said, _ = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are there" in said and "finished" not in said
    assert all(path.read_bytes() == content for path, content in whole.items())
    assert list((elsewhere / "archive").iterdir()) == before


@pytest.mark.slow
def test_a_training_that_was_stopped_in_its_middle_goes_on_there(elsewhere):
    options = ("--only", "ring", "--seeds", "1", "--max-steps", "100000")
    edit(elsewhere, "ring/experiment.yaml", "steps: 200,", "steps: 1000,")
    for minutes in ("0.13", "0.2", "0.3", "0.4"):  # a busy machine takes long to begin
        said, _ = train_all(elsewhere, *options, "--budget-minutes", minutes)
        assert "0 of 1 shards are in" in said
        if list((elsewhere / "ring/.checkpoints").glob("*.pt")):
            break
    said, _ = train_all(elsewhere, *options)
    first = int(re.search(r"step (\d+)/1000, .*starting", said)[1])
    assert first >= 20 and "1 of 1 shards are in" in said


def test_a_shard_that_fails_stops_no_other(elsewhere):
    edit(elsewhere, "ring/run.py", "    return modes.watched(population)", "    raise ValueError('broken')")
    said, _ = train_all(elsewhere, "--max-steps", "20", "--seeds", "1")
    assert "ring/tanh-seed0: broken" in said and "digits/fgan-seed0: finished and archived" in said
    assert said.endswith(f"error: 1 of {number(seeds=1)} shards failed: ring/tanh-seed0: broken\n")


def test_missing_data_are_missed_before_anything_trains(elsewhere, monkeypatch):
    monkeypatch.setenv("FGAN_DATA", str(elsewhere.parents[1]))
    edit(elsewhere, "digits/experiment.yaml", "target: {kind: digits}", "target: {kind: mnist}")
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
