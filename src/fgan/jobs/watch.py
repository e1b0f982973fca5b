"""Watching a record in the making: one line on a terminal, a line a minute elsewhere, and one at the end."""

import contextlib
import sys
import threading
import time
from pathlib import Path

from fgan.jobs import times, train


class Watch(threading.Thread):
    """Says which experiment trains, how many runs are done, per cent of the planned work, and minutes left.

    `plan` is that of `jobs.plan`; shards count as done once their card is there, and in part while they train.
    """

    def __init__(self, record, plan, began=None, stream=None):
        super().__init__(daemon=True)
        self.record, self.plan, self.stream = Path(record), plan, stream or sys.stderr
        self.began, self.over = began or time.time(), threading.Event()
        self.trained = sum(seconds for _, seconds in plan.shards)

    def run(self):
        terminal = self.stream.isatty()
        wait = pause = 1 if terminal else 60
        while not self.over.wait(wait):
            began = time.monotonic()
            with contextlib.suppress(OSError):  # a record that cannot be read is not a reason to stop its making
                print(f"\r\033[K{self.line()}" if terminal else self.line(), end="" if terminal else "\n",
                      file=self.stream, flush=True)  # fmt: skip
            wait = max(pause, 50 * (time.monotonic() - began))  # to look at 20,000 shards takes most of a second
        if terminal:
            print("\r\033[K", end="", file=self.stream, flush=True)

    def stop(self):
        self.over.set()
        self.join()

    def share(self, shard):
        """How much of a shard is trained, and when that was written [s since 1970]; 0 before this workflow began."""
        folder = self.record / shard.experiment / "shards" / shard.name
        for file, whole in ((folder / "card.json", True), (train.share(folder), False)):
            with contextlib.suppress(OSError, ValueError):
                when = file.stat().st_mtime
                if when >= self.began - 1:
                    return (1.0 if whole else float(file.read_text())), when
        return 0.0, 0.0

    def line(self):
        """The line of this moment."""
        shares = [(shard, seconds, *self.share(shard)) for shard, seconds in self.plan.shards]
        work = sum(seconds * share for _, seconds, share, _ in shares) / (self.trained or 1)
        runs = sum(len(shard.runs) * (share == 1) for shard, _, share, _ in shares)
        every, elapsed = sum(len(shard.runs) for shard, *_ in shares), (time.time() - self.began) / 60
        if work > 0.999:
            left = max(0.0, self.plan.minutes - elapsed)
            return f"{self.record.name}: all {every} runs are done, figures and paper, {left:.0f} minutes left"
        name = max(shares, key=lambda row: row[3])[0].experiment if elapsed else ""
        # The pace of this record so far, once it has trained for long enough to have one.
        left = elapsed * (1 - work) / work if work > 0.05 else self.plan.minutes - elapsed
        return f"{name}: {runs} of {every} runs done, {work:.0%}, {max(0.0, left):.0f} minutes left"


@contextlib.contextmanager
def watching(record, plan, cores, began=None):
    """Watches a record during a block, and says at its end what the time since `began` [s since 1970] went to.

    Where `cores` is None the jobs run on other machines, whose time is not told.
    """
    watch = Watch(record, plan, began)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
        if cores:
            print(times.summary(record, watch.began, cores, plan.minutes), file=sys.stderr, flush=True)
