"""Trains a whole record without the workflow, within a budget of time, on a machine with little more than torch."""

import itertools
import json
import multiprocessing
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

from fgan import targets
from fgan.engine import cost
from fgan.files import RecordError, alone
from fgan.jobs import plan, train
from fgan.jobs.cut import shards
from fgan.record import archive, provenance


def interleaved(designs, device):
    """(design, shard) of all experiments in turn, so that each has results early."""
    rows = [[(design, shard) for shard in shards(design, device)] for design in designs]
    return [pair for column in itertools.zip_longest(*rows) for pair in column if pair]


def train_all(designs, record, device, minutes, cores=None, data=None, say=print):
    """Trains the missing shards of a record and archives each as it finishes; stops after `minutes`.

    Later calls continue from the checkpoints of this machine and from the archives of others.
    A shard that fails is reported and skipped. Returns the number of shards that are still missing.
    Raises RecordError if the record is being made already, and at the end if a shard failed.
    """
    deadline = time.time() + 60 * minutes
    with alone(record):
        everything = interleaved(designs, device)
        own, archived = archive.Archive(record), archive.read(record)
        todo = []
        for design, shard in everything:
            folder = record / design.name / "shards" / shard.name
            sources = archive.sources(shard, archived)
            with train.held(shard, folder):
                if train.current(folder, shard):
                    if not sources:
                        own.add(folder)
                        train.clear(folder, shard)
                elif sources:
                    archive.adopt(shard, folder, provenance.run_card(shard, device), sources)
                else:
                    todo.append((design, shard))
        say(f"{len(everything) - len(todo)} of {len(everything)} shards are there; {minutes:g} minutes for the rest")
        for settings in {shard.settings["target"]["kind"]: shard.settings for _, shard in todo}.values():
            targets.load(settings, data)  # missing data raise here, before anything is trained
        workers = 1 if device == "cuda" else cores or os.cpu_count()
        expected, failed, running = Expectation(device), [], {}

        def finish(future):
            design, shard, folder = running.pop(future)
            if future.exception():
                failed.append(f"{design.name}/{shard.name}: {future.exception()}")
                say(failed[-1])
                return
            own.add(folder)
            train.clear(folder, shard)
            expected.saw(design, shard, folder)
            say(f"{design.name}/{shard.name}: finished and archived, {len(todo) + len(running)} left")

        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            while (todo or running) and time.time() < deadline:
                while todo and len(running) < workers:
                    design, shard = todo.pop(expected.first_that_fits(todo, deadline - time.time()))
                    folder = record / design.name / "shards" / shard.name
                    future = pool.submit(train.train_shard, design, shard, folder, device, data)
                    running[future] = (design, shard, folder)
                left = min(max(0.0, deadline - time.time()), threading.TIMEOUT_MAX)
                for future in wait(running, left, FIRST_COMPLETED).done:
                    finish(future)
            for future in [future for future in running if future.done()]:
                finish(future)
            # Shards that ran out of time continue from their checkpoints in the next call.
            for worker in multiprocessing.active_children() if running else []:
                worker.terminate()
        missing = len(todo) + len(running) + len(failed)
        say(f"{len(everything) - missing} of {len(everything)} shards are in {record / 'archive'}")
    if failed:
        raise RecordError(f"{len(failed)} of {len(everything)} shards failed: {failed[0]}")
    return missing


class Expectation:
    """Expected time of a shard: that of the last one of its experiment and arm, or before one, of its counted steps."""

    def __init__(self, device):
        self.device, self.rates, self.seen = device, plan.rates(device), {}

    def seconds(self, design, shard):
        if (design.name, shard.arm) not in self.seen:
            count = cost.of(design, shard, self.device)
            copies = len(shard.runs) / count.runs
            self.seen[design.name, shard.arm] = count.seconds(**self.rates, copies=copies) * shard.settings["steps"]
        return self.seen[design.name, shard.arm]

    def saw(self, design, shard, folder):
        self.seen[design.name, shard.arm] = sum(json.loads((folder / "durations.json").read_text()).values())

    def first_that_fits(self, todo, left):
        """Index of the first shard that can be finished in `left` seconds; 0 if none can."""
        return next((i for i, pair in enumerate(todo) if self.seconds(*pair) < left), 0)
