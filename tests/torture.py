"""A small record that is mistreated: its commands run in forked processes, which may be killed anywhere."""

import os
import shutil
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from small import ROOT, edited, forget

from fgan import design
from fgan.__main__ import main
from fgan.jobs import budget, gather, plan  # noqa: F401  # what a command imports, each fork has already
from fgan.jobs.cut import shards
from fgan.record import audit, publish  # noqa: F401

CHANGES = (
    ("divergences: [all]", "divergences: [kl, gan]"), ("objectives: [saddle, alternative]", "objectives: [saddle]"),
    ("steps: 200, history: 50", "steps: 60, history: 20"), ("samples: 2500", "samples: 200"),
    ("watched: 500", "watched: 100"), ("baseline_seeds: 20", "baseline_seeds: 2"),
)  # fmt: skip
CONSTANTS = ({"SHOWN": 500, "batch": 128}, {"SHOWN": 50, "batch": 128}, {"SHOWN": 500, "batch": 64})
MEASURED = (".parquet", ".npz", ".json", ".txt")
# What a process does to files, as Python's audit events.
TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate", "shutil.rmtree", "shutil.copyfile")


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class Killer:
    """An audit hook that kills its process when it touches files of a folder for the n-th time."""

    def __init__(self, folder, number):
        self.folder, self.left = str(folder), number

    def __call__(self, event, arguments):
        if event in TOUCHES and str(arguments[0]).startswith((self.folder, "results")):
            self.left -= 1
            if self.left < 0:
                die()


class World:
    """A copy of the source with a small ring, and a record `smoke` that is never touched by hand."""

    def __init__(self, folder):
        self.folder, self.seeds, self.constant, self.comments = Path(folder), 2, 0, 0
        self.record, self.reference = self.folder / "results/smoke", self.folder / "results/reference"
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("src", "experiments/ring"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        self.edit()

    def edit(self):
        """Writes the design and the run.py of this moment."""
        values, own = CONSTANTS[self.constant], self.folder / "experiments/ring"
        text = (ROOT / "experiments/ring/experiment.yaml").read_text()
        for old, new in (*CHANGES, ("\nbatch: 128", f"\nbatch: {values['batch']}")):
            text = edited(old, new, text)
        (own / "experiment.yaml").write_text(text)
        code = edited("SHOWN = 500", f"SHOWN = {values['SHOWN']}", (ROOT / "experiments/ring/run.py").read_text())
        (own / "run.py").write_text(code + f"# comment {self.comments}\n" * (self.comments > 0))

    def process(self, work, kill=None):
        """(exit status, what was said) of work() in a forked process; it dies at `kill`: a touch of files or seconds.

        The status is -9 for a killed process, and -14 for one that takes minutes.
        """
        said = self.folder / "said"
        child = os.fork()
        if child == 0:
            status = 70
            try:
                with open(said, "w") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
                os.chdir(self.folder)
                os.environ["FGAN_CHECKPOINT_SECONDS"] = "0"
                forget()
                torch.set_num_threads(1)
                budget.Crew.worker = staticmethod(lambda: ThreadPoolExecutor(1))
                signal.signal(signal.SIGALRM, die if isinstance(kill, float) else signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, kill if isinstance(kill, float) else 300)
                if isinstance(kill, int):
                    sys.addaudithook(Killer(self.folder, kill))
                status = work() or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, said.read_text()

    def command(self, *words, kill=None):
        return self.process(lambda: main([*words, *self.options(words[0])]), kill)

    def options(self, stage):
        options = {"train": "experiment device", "train-all": "device cores seeds", "gather": "experiment device seeds"}
        values = {"experiment": "ring", "device": "cpu", "cores": "1", "seeds": str(self.seeds), "record": "smoke"}
        return [part for key in ("record", *options.get(stage, "").split()) for part in (f"--{key}", values[key])]

    def train(self, kill=None):
        """Trains every shard as the workflow does, one after the other."""

        def work():
            chosen = design.load("ring", "smoke", seeds=self.seeds)
            for shard in shards(chosen):
                if status := main(["train", "--shard", shard.name, *self.options("train")]):
                    return status
            return 0

        return self.process(work, kill)

    def files(self, kind):
        """The files of one kind that the record holds: states, those of shards, or those of the part."""
        patterns = {"state": "ring/.checkpoints/*.pt", "shard": "ring/shards/*/*.*", "part": "ring/*.*"}
        return sorted(path for path in self.record.glob(patterns[kind]) if path.is_file())

    def content(self, folder=None):
        """Bytes of the part, and of its shards of this moment's seeds."""
        part = folder or self.record / "ring"
        found = {path.name: path.read_bytes() for path in part.iterdir() if path.suffix in MEASURED}
        shard = f"tanh-seed0-{self.seeds - 1}" if self.seeds > 1 else "tanh-seed0"
        names = () if folder else ("measurements.parquet", "samples.npz", "card.json")
        return found | {f"{shard}/{name}": (part / "shards" / shard / name).read_bytes() for name in names}
