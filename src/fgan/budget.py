"""Trains a whole record without the workflow, within a budget of time: for a machine that has little but torch."""

import itertools
import json
import multiprocessing
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

from fgan import cost, packs, plan, provenance, records, shards, targets


def interleaved(designs, device):
    """(design, shard) of all experiments in turn, so that each has results early."""
    rows = [[(design, shard) for shard in design.shards(device)] for design in designs]
    return [pair for column in itertools.zip_longest(*rows) for pair in column if pair]


def train_all(designs, record, device, minutes, cores=None, data=None, say=print):
    """Trains what is missing of a record and packs each finished shard; stops after `minutes`.

    Continues in any number of calls: from the checkpoints of this machine, and from packs brought from another.
    A shard that fails is said and left out. Returns the number of shards that are still missing.
    Raises RecordError where the record is being made already, and at the end where a shard failed.
    """
    deadline = time.time() + 60 * minutes
    with records.alone(record):
        everything = interleaved(designs, device)
        pack, packed = packs.Pack(record), packs.read(record)
        todo = []
        for design, shard in everything:
            folder = record / design.name / "shards" / shard.name
            found = packs.sources(shard, packed)
            with shards.held(shard, folder):
                if shards.current(folder, shard):
                    if not found:
                        pack.add(folder)
                elif found:
                    packs.adopt(shard, folder, provenance.run_card(shard, device), found)
                else:
                    todo.append((design, shard))
        say(f"{len(everything) - len(todo)} of {len(everything)} shards are there; {minutes:g} minutes for the rest")
        for settings in {shard.settings["target"]["kind"]: shard.settings for _, shard in todo}.values():
            targets.load(settings, data)  # what is missing is missed now, not in the middle
        workers = 1 if device == "cuda" else cores or os.cpu_count()
        expected, failed, running = Expectation(device), [], {}

        def finish(future):
            design, shard, folder = running.pop(future)
            if future.exception():
                failed.append(f"{design.name}/{shard.name}: {future.exception()}")
                say(failed[-1])
                return
            pack.add(folder)
            expected.saw(design, shard, folder)
            say(f"{design.name}/{shard.name}: finished and packed, {len(todo) + len(running)} left")

        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            while (todo or running) and time.time() < deadline:
                while todo and len(running) < workers:
                    design, shard = todo.pop(expected.first_that_fits(todo, deadline - time.time()))
                    folder = record / design.name / "shards" / shard.name
                    future = pool.submit(shards.train_shard, design, shard, folder, device, data)
                    running[future] = (design, shard, folder)
                left = min(max(0.0, deadline - time.time()), threading.TIMEOUT_MAX)
                for future in wait(running, left, FIRST_COMPLETED).done:
                    finish(future)
            for future in [future for future in running if future.done()]:
                finish(future)
            # What has no time left goes on from its checkpoint in the next call.
            for worker in multiprocessing.active_children() if running else []:
                worker.terminate()
        missing = len(todo) + len(running) + len(failed)
        say(f"{len(everything) - missing} of {len(everything)} shards are in {record / 'packs'}")
    if failed:
        raise records.RecordError(f"{len(failed)} of {len(everything)} shards failed: {failed[0]}")
    return missing


class Expectation:
    """How long a shard takes: as long as the last one of its experiment and arm, before that by counted steps."""

    def __init__(self, device):
        self.rates, self.seen = plan.rates(device), {}

    def seconds(self, design, shard):
        if (design.name, shard.arm) not in self.seen:
            count = cost.of(design, shard)
            copies = len(shard.runs) / count.runs
            self.seen[design.name, shard.arm] = count.seconds(**self.rates, copies=copies) * shard.settings["steps"]
        return self.seen[design.name, shard.arm]

    def saw(self, design, shard, folder):
        self.seen[design.name, shard.arm] = sum(json.loads((folder / "durations.json").read_text()).values())

    def first_that_fits(self, todo, left):
        """Place of the first shard that can be finished in `left` seconds; of the first one where none can."""
        return next((i for i, pair in enumerate(todo) if self.seconds(*pair) < left), 0)
