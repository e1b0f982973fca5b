"""Progress of a training job: a bar on a terminal, plain lines in its log (or on standard error without one)."""

import contextlib
import sys
import time


class Progress:
    """Shows how far `runs` side by side have come in `steps` steps; called with the current step."""

    def __init__(self, label, runs, steps, log=None, every=10.0):
        self.label, self.runs, self.steps, self.log, self.every = label, runs, steps, log, every
        self.bar = sys.stderr.isatty()
        self.first, self.began, self.drawn, self.written = None, 0.0, 0.0, 0.0

    def __call__(self, step):
        now = time.monotonic()
        first, last = self.first is None, step >= self.steps
        if first:
            self.first, self.began = step, now
        rate = (step - self.first) / max(now - self.began, 1e-9)
        left = f"{(self.steps - step) / rate:.0f} s left" if rate else "starting"
        text = f"{self.label}: {self.runs} runs, step {step}/{self.steps}, {rate * self.runs:,.0f} run-steps/s, {left}"
        if self.bar and (last or now - self.drawn > 0.5):
            done = 20 * step // self.steps
            sys.stderr.write(f"\r\033[K[{'#' * done}{'.' * (20 - done)}] {text}" + ("\n" if last else ""))
            sys.stderr.flush()
            self.drawn = now
        if first or last or now - self.written > self.every:
            if self.log or not self.bar:
                with contextlib.suppress(OSError):  # on a full disk the measurements raise the error, not the log
                    print(text, file=self.log or sys.stderr, flush=True)
            self.written = now
