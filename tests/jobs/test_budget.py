"""A whole record in a budget of time: it stops when that is over, goes on from there, and needs little but torch."""

import os
import re
import shutil
import signal
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


def command(*options):
    words = "-m fgan train-all --record smoke --only ring digits --cores 2 --device cpu".split()
    return [sys.executable, *words, *options]


def surroundings(record):
    """Where a command on a copy of the repository runs, in a group of processes of its own."""
    return dict(cwd=record.parents[1], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True, env=os.environ | {"FGAN_CHECKPOINT_SECONDS": "0"})  # fmt: skip


def train_all(record, *options):
    """What `train-all` said of ring and digits."""
    return subprocess.run(command(*options), **surroundings(record)).stderr


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
    said = train_all(elsewhere, "--max-steps", "20", "--budget-minutes", "0.02")
    assert f"0 of {number()} shards are there" in said
    said = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are in results/smoke/archive" in said
    assert said.count("finished and archived") >= number() - 1
    assert not list(elsewhere.glob("*/.checkpoints/*.pt"))  # deleted as each shard was packed
    # Another machine gets the archive alone.
    whole = {
        path: path.read_bytes() for name in ("ring", "digits") for path in (elsewhere / name).glob("shards/*/*[tz]")
    }
    assert len(whole) == 2 * number()
    for name in ("ring", "digits"):
        shutil.rmtree(elsewhere / name)
    before = list((elsewhere / "archive").iterdir())
    said = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are there" in said and "finished" not in said
    assert all(path.read_bytes() == content for path, content in whole.items())
    assert list((elsewhere / "archive").iterdir()) == before


@pytest.mark.slow
def test_a_training_that_was_stopped_in_its_middle_goes_on_there(elsewhere):
    """The process is ended once it has written a checkpoint, however long that takes."""
    edit(elsewhere, "ring/experiment.yaml", "steps: 200,", "steps: 2000,")
    process = subprocess.Popen(command("--only", "ring", "--seeds", "1"), **surroundings(elsewhere))
    while not list((elsewhere / "ring/.checkpoints").glob("*.pt")):
        assert process.poll() is None, "the training ended before its first checkpoint"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    said = train_all(elsewhere, "--only", "ring", "--seeds", "1")
    first = int(re.search(r"step (\d+)/2000, .*starting", said)[1])
    assert 20 <= first < 2000 and "1 of 1 shards are in" in said


def test_a_shard_that_fails_stops_no_other(elsewhere):
    edit(elsewhere, "ring/run.py", "    return modes.watched(population)", "    raise ValueError('broken')")
    said = train_all(elsewhere, "--max-steps", "20", "--seeds", "1")
    assert "ring/tanh-seed0: broken" in said and "digits/fgan-seed0: finished and archived" in said
    assert said.endswith(f"error: 1 of {number(seeds=1)} shards failed: ring/tanh-seed0: broken\n")


def test_missing_data_are_missed_before_anything_trains(elsewhere, monkeypatch):
    monkeypatch.setenv("FGAN_DATA", str(elsewhere.parents[1]))
    edit(elsewhere, "digits/experiment.yaml", "target: {kind: digits}", "target: {kind: mnist}")
    said = train_all(elsewhere, "--max-steps", "20")
    assert "error: MNIST's train-images-idx3-ubyte is not in" in said and "starting" not in said


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
