"""Trains one shard of a population to its files, continuing where an earlier process was killed."""

import itertools
import json
import os
import shutil
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from fgan import targets
from fgan.design import digest
from fgan.engine import machines
from fgan.engine.training import evaluate, train
from fgan.files import RecordError, locked, whole, write_json
from fgan.jobs.cut import count
from fgan.jobs.progress import Progress
from fgan.metrics import classifier, convergence
from fgan.record import archive, provenance, write

# Words in torch's out-of-memory errors: of its allocators on a GPU and on a CPU, and of libraries with their own.
NO_ROOM = ("out of memory", "can't allocate memory", "alloc_failed")
SHARD_FILES = archive.MEASURED + ("card.json",)


class Checkpoint:
    """A side file from which a killed training continues; the last one stays until the part is gathered.

    Keyed by the settings, code and device, so that a changed design never continues an old state. One whose bytes do
    not match the checksums that torch writes of each of its parts is told to `log` and never loaded. `spent` are the
    seconds of the trainings that it continues.
    """

    def __init__(self, path, device, log=None):
        self.path, self.device, self.log = Path(path), device, log
        self.began = self.saved = time.monotonic()
        self.spent = 0.0
        self.every = float(os.environ.get("FGAN_CHECKPOINT_SECONDS", 15))

    def load(self):
        if not self.path.exists():
            return None
        try:
            with zipfile.ZipFile(self.path) as file:
                if part := file.testzip():  # torch itself compares no checksum
                    raise zipfile.BadZipFile(f"checksum of {part}")
            state = torch.load(self.path, map_location=self.device, weights_only=True)
            self.spent = state.pop("spent", 0.0)
            return state
        except (MemoryError, torch.OutOfMemoryError):
            raise  # that says nothing of the file
        except Exception as error:  # changed bytes end in errors of every kind
            reason = str(error).partition("\n")[0] or type(error).__name__
            text = f"{self.path} is damaged or of another version ({reason}): not loaded, the training starts anew"
            print(text, file=self.log or sys.stderr, flush=True)
            return None

    def save(self, state, last):
        """Saves the last state, and earlier ones so rarely that saving takes a twentieth of the time at most."""
        began = time.monotonic()
        if last or began - self.saved >= self.every:
            with whole(self.path) as partial:
                try:
                    torch.save(state | {"spent": self.spent + began - self.began}, partial)
                except RuntimeError as error:  # on a full disk torch speaks of its own files and lines
                    raise OSError("not all of it could be written") from error
            self.saved = time.monotonic()
            self.every = max(self.every, 20 * (self.saved - began))


def choose_device(name, used=True):
    """'cpu' or 'cuda'; `auto` takes a GPU if torch sees one. Raises RecordError if a wanted GPU is missing.

    What plans, gathers or submits jobs only cuts for the device; it is not `used` here and may be missing.
    """
    if name == "cuda" and used and not torch.cuda.is_available():
        raise RecordError(
            "device=cuda was asked for, but torch sees no GPU; use device=cpu or install a CUDA build of torch"
        )
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def train_shard(design, shard, folder, device="cpu", data=None, log=None):
    """Trains the runs of `shard` into `folder` (measurements, samples, run card); resumes a killed training.

    Seeds that were trained before, in another cut or on another machine, are not trained again. Returns the seconds
    {"training", "evaluation"} of this process. Raises RecordError if a single run exceeds the memory.
    """
    folder = Path(folder)
    card = provenance.run_card(shard, device)
    key = digest([card["settings_hash"], card["code_hash"], device])[:16]
    side = checkpoints(folder)
    with held(shard, folder):
        if current(folder, shard, log or sys.stderr):
            print(f"{shard.experiment}/{shard.name}: complete already", file=log)
            return {}
        taken, durations = adopted(design, shard, folder, card, (device, data, log))
        if taken:
            print(f"{shard.experiment}/{shard.name}: taken from shards that were trained before", file=log)
            return durations
        (folder / "card.json").unlink(missing_ok=True)  # a card of other settings; only a whole shard has a card
        prepare(device)
        run, images = design.run, targets.load(shard.settings, data)

        def stack(runs):
            """History, metrics and samples of some of the shard's runs, trained side by side."""
            first = shard.runs.index(runs[0])
            label = shard.name if len(runs) == len(shard.runs) else f"{shard.name}[{first}:{first + len(runs)}]"
            part = (first, len(shard.runs), share(folder)) if log else None
            progress = Progress(f"{shard.experiment}/{label}", len(runs), shard.settings["steps"], log, part)
            checkpoint = Checkpoint(side / f"{shard.name}-{key}-{first}-{len(runs)}.pt", device, log)
            _, *results, seconds = trained(run, shard.settings, runs, device, images, progress, checkpoint)
            for kind in seconds:
                durations[kind] += seconds[kind]
            durations["training"] += checkpoint.spent
            steps, *parts = results
            # Copies: views would keep all samples in memory while the next stack trains.
            return steps, *({name: x.cpu().clone() for name, x in part.items()} for part in parts)

        done = with_room(stack, machines.pieces(shard.runs, count(design, shard, device), device), log)
        history, metrics, samples = (joined([part[k] for part in done], dim) for k, dim in ((1, 1), (2, 0), (3, 0)))
        frame = measured(shard.runs, shard.settings, done[0][0], history, metrics)
        write.write_table(folder / "measurements.parquet", frame)
        write.write_samples(folder / "samples.npz", {name: array.numpy() for name, array in samples.items()})
        write_json(folder / "durations.json", durations)
        write_json(folder / "card.json", card | {"files": archive.checksums(folder)})
    return durations


def trained(run, settings, runs, device, images=None, progress=None, checkpoint=None):
    """(population, steps, history, metrics, samples, seconds) of `runs`, trained side by side by an experiment's `run`.

    `seconds` are those of {"training", "evaluation"}.
    """
    began = time.monotonic()
    population = run.population(settings, runs, torch.device(device), images)
    steps, history, diverged = train(population, run.observe, progress, checkpoint)
    middle = time.monotonic()
    metrics, samples = evaluate(run, population, steps, history, diverged)
    seconds = {"training": middle - began, "evaluation": time.monotonic() - middle}
    return population, steps, history, metrics, samples, seconds


def measured(runs, settings, steps, history, metrics):
    """Tidy rows of runs: the history at its steps, and the metrics at the last one."""
    metrics = metrics | convergence.judged(history, metrics)
    rows = [write.tidy(runs, steps, history), write.tidy(runs, settings["steps"], metrics)]
    return pd.concat(rows, ignore_index=True)


def prepare(device):
    """Sets this process up to train or measure on a device, with the classifiers that other jobs have trained."""
    machines.prepare(device)
    classifier.keep_in(Path("results/.data/classifiers", provenance.content(".")[:32]))


def adopted(design, shard, folder, card, options):
    """Whether the shard could be put together from finished ones, and the seconds that were spent on it.

    They lie in the record's archive and beside `folder`. Where machine and claims are still the same, only the seeds
    that none of them holds are trained, each span as a shard of its own for as long as it takes.
    """
    archived, durations, parts = archive.read(folder.parents[2]), {"training": 0.0, "evaluation": 0.0}, []
    sources = archive.sources(shard, archived + archive.siblings(folder, shard))
    if sources and archive.alike(sources, card):
        rest = [seed for seed in range(shard.first, shard.last + 1) if seed not in sources]
        for _, span in itertools.groupby(enumerate(rest), lambda pair: pair[1] - pair[0]):  # consecutive seeds
            first, *_, last = [seed for _, seed in span] * 2
            own = replace(shard, first=first, last=last)
            parts.append(folder.with_name(own.name))
            for kind, seconds in train_shard(design, own, parts[-1], *options).items():
                durations[kind] += seconds
        sources = archive.sources(shard, archived + archive.siblings(folder, shard))
    if not archive.complete(shard, sources):
        return False, durations
    archive.adopt(shard, folder, card, sources)
    for part in parts:
        shutil.rmtree(part)
    return True, durations


def with_room(stack, pieces, log=None):
    """`stack(runs)` of every piece, in order; a piece that does not fit in memory is halved, with a message."""
    done, waiting = [], list(pieces)
    while waiting:
        runs = waiting.pop(0)
        try:
            done.append(stack(runs))
            continue
        except (MemoryError, RuntimeError) as error:
            if not (isinstance(error, MemoryError) or any(text in str(error).lower() for text in NO_ROOM)):
                raise
        # Outside of the handler, because its traceback would keep the tensors of the failed stack alive.
        if len(runs) == 1:
            raise RecordError("one run alone does not fit in memory; use a device with more, or a smaller batch")
        torch.cuda.empty_cache()
        half = len(runs) // 2
        waiting[:0] = [runs[:half], runs[half:]]
        text = f"out of memory with {len(runs)} runs side by side: going on with {half} and {len(runs) - half}"
        for file in filter(None, (sys.stderr, log)):
            print(text, file=file, flush=True)
    return done


def joined(parts, dim):
    """Stacks of all pieces side by side: {name: tensor}; raises RecordError if one lacks a metric of another."""
    if len({frozenset(part) for part in parts}) > 1:
        raise RecordError("the stacks of a shard have different metrics; let run.py return the same ones for any runs")
    return {name: torch.cat([part[name] for part in parts], dim) for name in parts[0]}


def held(shard, folder):
    """Holds the lock of a shard, one for all settings, so that an orphan with other settings overwrites no new file."""
    return locked(
        checkpoints(folder) / f"{shard.name}.lock",
        f"{shard.name}: another process is training this shard; waiting for it to end",
    )


def share(folder):
    """The file in which a training shard writes how much of it is trained, from 0 to 1."""
    return checkpoints(folder) / f"{folder.name}.share"


def checkpoints(folder):
    """The folder of the checkpoints of a shard's experiment."""
    return folder.parent.parent / ".checkpoints"


def clear(folder, shard):
    """Deletes the checkpoints of a shard, which the archive or the part now holds."""
    for state in checkpoints(folder).glob(f"{shard.name}-*.pt"):
        state.unlink()


def current(folder, shard, log=None):
    """Whether the folder holds a complete shard of the same settings and code; a damaged file is told to `log`."""
    if not (folder / "card.json").exists():
        return False
    if wrong := archive.damage(folder):
        if log:
            print(wrong, file=log, flush=True)
        return False
    old = json.loads((folder / "card.json").read_text())
    return (old["settings_hash"], old["code_hash"]) == (shard.hash, provenance.code_hash(shard.experiment))
