"""A whole record in a budget of time: it stops when that is over, goes on from there, and needs little but torch."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from small import EXPERIMENTS, ROOT, edited

from fgan import design, targets
from fgan.files import RecordError
from fgan.jobs import budget, train
from fgan.jobs.cut import shards
from fgan.record import archive


class Threads(budget.Crew):
    """A crew in this process, so that a test can say what its jobs do."""

    worker = staticmethod(lambda: ThreadPoolExecutor(1))


@pytest.fixture
def faked(monkeypatch, tmp_path):
    """`train_all` whose shards take the seconds in `times` by experiment, else 1; returns (said, trained)."""

    def call(names, times=(), minutes=1.0, fails=lambda name: None, measured=lambda seconds: seconds, record=tmp_path):
        trained, said = [], []

        def train_shard(design, shard, folder, device, data):
            trained.append(f"{design.name}/{shard.name}")
            if error := fails(trained[-1]):
                raise error
            return {"training": measured(dict(times).get(design.name, 1))}

        monkeypatch.setattr(budget, "Crew", Threads)
        monkeypatch.setattr(train, "train_shard", train_shard)
        monkeypatch.setattr(archive.Archive, "add", lambda self, folder: None)
        monkeypatch.setattr(budget.Expectation, "count", lambda self, design, shard: dict(times).get(design.name, 1))
        designs = [design.load(name, "smoke", EXPERIMENTS) for name in names]
        with contextlib.suppress(RecordError):
            budget.train_all(designs, record, "cpu", minutes, 1, say=said.append)
        return "\n".join(said), trained

    return call


def experiments(trained):
    return list(dict.fromkeys(name.split("/")[0] for name in trained))


def test_whole_experiments_are_trained_in_the_order_of_their_value(root, faked):
    names = ["bound", "univariate", "grid", "ring", "digits", "mode_dynamics"]
    said, trained = faked(names)
    assert experiments(trained) == ["ring", "digits", "grid", "univariate", "mode_dynamics", "bound"]
    blocks = [name.split("/")[0] for name in trained]
    assert blocks == sorted(blocks, key=experiments(trained).index), "one experiment ends before the next begins"
    assert f"{len(trained)} of {len(trained)} shards are in" in said


def test_nothing_is_started_that_cannot_end(root, faked):
    """In one minute a shard of 90 seconds is left out and shorter ones of later experiments are not."""
    said, trained = faked(["ring", "grid", "univariate"], {"ring": 90, "grid": 30})
    assert experiments(trained) == ["grid", "univariate"]
    count = len(shards(design.load("ring", "smoke", EXPERIMENTS)))
    assert f"{count} shards would not end in the time that is left" in said and "1.5 to 1.5 for each" in said


def test_a_shard_that_was_begun_here_goes_on(root, faked, tmp_path):
    (first, *_) = shards(design.load("ring", "smoke", EXPERIMENTS))
    checkpoint = tmp_path / "ring" / ".checkpoints" / f"{first.name}-0123-0-24.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert faked(["ring"], {"ring": 90})[1] == [f"ring/{first.name}"]


def test_estimates_are_corrected_by_what_was_measured(root, faked):
    """Shards that take ten times as long as counted, weighed against a prior minute, leave no time for the others."""
    said, trained = faked(["ring", "grid"], {"ring": 20, "grid": 30}, measured=lambda seconds: 10 * seconds)
    assert experiments(trained) == ["ring"] and "would not end" in said
    factor = (60 + 200 * len(trained)) / (60 + 20 * len(trained))
    assert f"{30 * factor / 60:.1f} to {30 * factor / 60:.1f} for each" in said


def test_nothing_is_done_without_time(root, faked):
    said, trained = faked(["ring", "grid"], minutes=0)
    assert trained == [] and "no time to look at ring, grid" in said


def test_an_error_of_cuda_gets_one_more_chance(root, faked):
    """Any other error, and a second one of the same shard, is reported and skipped."""
    first, other, *_ = faked(["ring", "grid"])[1]
    wrong = {first: RuntimeError("CUDA error: an illegal memory access was encountered"), other: ValueError("broken")}
    said, trained = faked(["ring", "grid"], fails=wrong.get)
    assert trained[:3] == [first, first, other] and "once more, in a fresh process" in said
    assert said.count(f"{first}: CUDA error") == 2
    assert trained.count(other) == 1 and f"{other}: broken" in said
    assert not budget.harmful(ValueError("broken")) and budget.harmful(BrokenProcessPool("ended abruptly"))


def test_an_experiment_without_its_data_is_the_only_one_left_out(root, faked, monkeypatch, tmp_path):
    monkeypatch.setenv("FGAN_DATA", str(tmp_path))
    plain = targets.load
    monkeypatch.setattr(
        targets, "load", lambda s, folder: plain(s | {"target": {"kind": "mnist"}} if "digits" in str(s) else s, folder)
    )
    said, trained = faked(["digits", "ring"])
    assert experiments(trained) == ["ring"] and "digits is left out: MNIST's train-images-idx3-ubyte is not in" in said


def number(*names, **changes):
    """Shards of ring and digits at smoke, cut to 20 steps."""
    designs = [design.load(name, "smoke", EXPERIMENTS, max_steps=20, **changes) for name in names or ("ring", "digits")]
    return sum(len(shards(one)) for one in designs)


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
    said = train_all(elsewhere, "--max-steps", "20", "--only", "ring")
    ring = number("ring")
    assert f"ring: 0 of {ring} shards are there" in said and f"{ring} of {ring} shards are in results/smoke" in said
    said = train_all(elsewhere, "--max-steps", "20")
    assert f"{number()} of {number()} shards are in results/smoke/archive" in said
    assert said.count("finished and archived") == number() - ring
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
    assert f"{number()} of {number()} shards are in" in said and "finished" not in said
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


HARMED = """
    import os
    file = open("said", "a+")
    print(os.getpid(), file=file, flush=True)
    file.seek(0)
    if len(file.readlines()) == 1:
        {harm}
    return modes.watched(population)"""


@pytest.mark.parametrize("harm", ["os.kill(os.getpid(), 9)", "raise RuntimeError('CUDA error: illegal address')"])
def test_a_harmed_process_is_replaced(elsewhere, harm):
    """A process that dies, and one that CUDA has left useless: the shard trains again, in another process."""
    edit(elsewhere, "ring/run.py", "    return modes.watched(population)", HARMED.format(harm=harm))
    said = train_all(elsewhere, "--only", "ring", "--max-steps", "20", "--seeds", "1", "--cores", "1")
    assert "once more, in a fresh process" in said and "1 of 1 shards are in" in said
    first, second, *_ = (elsewhere.parents[1] / "said").read_text().split()
    assert first != second


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
