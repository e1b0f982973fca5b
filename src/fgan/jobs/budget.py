"""Trains a whole record without the workflow, within a budget of time, on a machine with little more than torch."""

import multiprocessing
import os
import re
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from fgan import targets
from fgan.design import by_value
from fgan.files import DataError, RecordError, alone
from fgan.jobs import plan, train
from fgan.jobs.cut import count, shards
from fgan.record import archive, provenance

BELIEF = 60.0  # seconds of training after which measured times outweigh the counted ones


def train_all(designs, record, device, minutes, cores=None, data=None, say=print):
    """Trains the missing shards of a record, experiment by experiment, and archives each as it finishes.

    It ends after `minutes` and starts no shard that would take longer, except one with a checkpoint here. Later calls
    continue from the checkpoints of this machine and from the archives of others. An experiment without its data is
    left out; a shard that fails is reported and skipped.
    Raises RecordError if the record is being made already, and at the end if a shard failed.
    """
    deadline = time.monotonic() + 60 * minutes
    waiting, todo, tried, failed, known, there = by_value(designs), [], set(), [], 0, 0
    with alone(record), Crew(1 if device == "cuda" else cores or plan.available()) as crew:
        own, archived, expected = archive.Archive(record), archive.read(record), Expectation(device)
        while (left := deadline - time.monotonic()) > 0:
            while crew.idle and (job := expected.first_that_fits(todo, left)):
                todo.remove(job)
                crew.start(job, train.train_shard, *job, device, data)
            if waiting and (crew.idle or not todo):
                # Counting an experiment takes seconds, in which the shards of the one before train already.
                one = waiting.pop(0)
                cut = [(one, shard, record / one.name / "shards" / shard.name) for shard in shards(one, device)]
                new = [job for job in cut if not finished(job, device, own, archived)]
                known, there = known + len(cut), there + len(cut) - len(new)
                if new and (reason := missing_data(one, data)):
                    say(f"{one.name} is left out: {reason}")
                elif new:
                    say(f"{one.name}: {len(cut) - len(new)} of {len(cut)} shards are there, {expected.words(new)}")
                    todo += new
                continue
            if not crew.busy:
                break
            for job, error, seconds in crew.ended(left):
                name = f"{job[0].name}/{job[1].name}"
                if error is None:
                    there += 1
                    own.add(job[2])
                    train.clear(job[2], job[1])
                    expected.saw(job, seconds)
                    say(f"{name}: finished and archived, {len(todo) + len(crew.busy)} left")
                elif harmful(error) and name not in tried:
                    tried.add(name)
                    todo.insert(0, job)
                    say(f"{name}: {error}; once more, in a fresh process")
                else:
                    failed.append(f"{name}: {error}")
                    say(failed[-1])
        if todo := todo + crew.jobs:
            say(f"{len(todo)} shards would not end in the time that is left, {expected.words(todo)}")
        if waiting:
            say(f"there was no time to look at {', '.join(one.name for one in waiting)}")
        say(f"{there} of {known} shards are in {record / 'archive'}")
    if failed:
        raise RecordError(f"{len(failed)} of {known} shards failed: {failed[0]}")


def finished(job, device, own, archived):
    """Whether a shard is complete and archived, after it was taken from the archives or added to ours if need be."""
    _, shard, folder = job
    sources = archive.sources(shard, archived)
    with train.held(shard, folder):
        if train.current(folder, shard):
            if not archive.complete(shard, sources):
                own.add(folder)
            train.clear(folder, shard)
            return True
        if archive.complete(shard, sources):
            archive.adopt(shard, folder, provenance.run_card(shard, device), sources)
            return True
        return False


def missing_data(design, data):
    """One sentence if the image set of an arm cannot be read, else None."""
    try:
        for settings in {arm["target"]["kind"]: arm for arm in design.arms.values()}.values():
            targets.load(settings, data)
    except (DataError, ImportError) as error:  # scikit-learn brings the small digits
        return str(error)
    return None


def harmful(error):
    """Whether an error may have left its process useless: after an error of CUDA every later call fails as well."""
    return isinstance(error, BrokenProcessPool) or bool(re.search("cuda|cublas|cudnn", str(error), re.I))


def follow():
    """Ends this process with its parent, however that ends; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait_for_parent():
        multiprocessing.parent_process().join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait_for_parent, daemon=True).start()


class Crew:
    """Processes that train side by side, each for many shards; one that an error may have harmed is replaced."""

    def __init__(self, size):
        self.idle, self.busy = [self.worker() for _ in range(size)], {}

    @staticmethod
    def worker():
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), follow)

    @property
    def jobs(self):
        return [job for _, job, _ in self.busy.values()]

    def start(self, job, function, *arguments):
        worker = self.idle.pop()
        try:
            future = worker.submit(function, *arguments)
        except BrokenProcessPool:  # its process was killed while it waited
            worker = self.worker()
            future = worker.submit(function, *arguments)
        self.busy[future] = worker, job, begun(job)

    def ended(self, seconds):
        """(job, its error or None, its seconds) of all that have ended, after a wait for one.

        Seconds are {} where they would mislead: an earlier process trained a part of the shard.
        """
        for future in wait(self.busy, min(seconds, threading.TIMEOUT_MAX), FIRST_COMPLETED).done:
            worker, job, continued = self.busy.pop(future)
            error = future.exception()
            if error and harmful(error):
                worker.shutdown(wait=False)
                worker = self.worker()
            self.idle.append(worker)
            yield job, error, {} if error or continued else future.result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Shards that ran out of time continue from their checkpoints in the next call.
        for process in multiprocessing.active_children() if self.busy else []:
            process.terminate()
        for worker in [*self.idle, *(worker for worker, *_ in self.busy.values())]:
            worker.shutdown()


def begun(job):
    """Whether this machine has a checkpoint of a shard."""
    _, shard, folder = job
    return any(train.checkpoints(folder).glob(f"{shard.name}-*.pt"))


class Expectation:
    """Expected seconds of a shard: its counted ones, times measured over counted of all shards so far."""

    def __init__(self, device):
        self.device, self.rates, self.counted, self.measured = device, plan.rates(device), BELIEF, BELIEF

    def count(self, design, shard):
        one = count(design, shard, self.device)
        return one.seconds(**self.rates, copies=len(shard.runs) / one.runs) * shard.settings["steps"]

    def seconds(self, job):
        return self.measured / self.counted * self.count(*job[:2])

    def saw(self, job, seconds):
        """Learns from the seconds {what: seconds} that a shard took."""
        if seconds:
            self.counted += self.count(*job[:2])
            self.measured += sum(seconds.values())

    def first_that_fits(self, todo, left):
        """The first shard that ends in `left` seconds or was begun here; None if there is none."""
        return next((job for job in todo if self.seconds(job) < left or begun(job)), None)

    def words(self, jobs):
        """What some shards still need."""
        times = [self.seconds(job) / 60 for job in jobs]
        return f"the rest needs {sum(times):.1f} minutes of one worker, {min(times):.1f} to {max(times):.1f} for each"
