"""Progress of a training job: a bar on a terminal, or plain lines in its log and a share for who watches the record."""

import contextlib
import sys
import time
from pathlib import Path


class Progress:
    """Shows how far `runs` side by side have come in `steps` steps; called with the current step.

    With a log it writes there and nowhere else. `part` = (runs trained before, all runs, file): the share of a shard
    that is trained goes to the file.
    """

    def __init__(self, label, runs, steps, log=None, part=None, every=10.0):
        self.label, self.runs, self.steps, self.log, self.part, self.every = label, runs, steps, log, part, every
        self.bar = not log and sys.stderr.isatty()
        self.first, self.began, self.drawn, self.written = None, 0.0, 0.0, 0.0

    def __call__(self, step):
        now = time.monotonic()
        first, last = self.first is None, step >= self.steps
        if first:
            self.first, self.began = step, now
        rate = (step - self.first) / max(now - self.began, 1e-9)
        left = f"{(self.steps - step) / rate:.0f} s left" if rate else "starting"
        text = f"{self.label}: {self.runs} runs, step {step}/{self.steps}, {rate * self.runs:,.0f} run-steps/s, {left}"
        if last or now - self.drawn > 0.5:
            if self.bar:
                done = 20 * step // self.steps
                sys.stderr.write(f"\r\033[K[{'#' * done}{'.' * (20 - done)}] {text}" + ("\n" if last else ""))
                sys.stderr.flush()
            if self.part:
                before, every, file = self.part
                with contextlib.suppress(OSError):
                    Path(file).write_text(f"{(before + self.runs * step / self.steps) / every:.4f}")
            self.drawn = now
        if not self.bar and (first or last or now - self.written > self.every):
            with contextlib.suppress(OSError):  # on a full disk the measurements raise the error, not the log
                print(text, file=self.log or sys.stderr, flush=True)
            self.written = now
