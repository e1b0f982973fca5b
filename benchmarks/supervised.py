"""Cases in a process that may die or hang: python -m benchmarks.supervised DEVICE FILE runs those of checks.py.

FILE gets a line when a case is planned, when it begins and when it ends. So a process that dies or hangs costs one
case: the next process goes on after it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from fgan.engine import machines
from fgan.jobs.budget import harmful


def note(path, **row):
    """Appends a line to the file."""
    with open(path, "a") as file:
        file.write(json.dumps(row) + "\n")


def rows(path):
    """{case: all that the lines of a file say of it}."""
    known = {}
    for line in Path(path).read_text().splitlines() if Path(path).exists() else []:
        with contextlib.suppress(json.JSONDecodeError):  # a line that is being written, or whose writer was killed
            row = json.loads(line)
            known.setdefault(row.pop("case"), {}).update(row)
    return known


def run(groups, device, path):
    """Runs the cases that did not begin yet, group by group; the exit status is 1 if a fresh process must go on."""
    known = rows(path)
    for group in groups:
        group = {name: function for name, function in group.items() if "began" not in known.get(name, {})}
        for name in group:
            note(path, case=name)
        for name, function in group.items():
            note(path, case=name, began=(began := time.time()))
            row, error = {}, None
            try:
                row = function(device)
            except Exception as raised:
                error, row = raised, {"ok": False, "error": traceback.format_exc()}
            note(path, case=name, seconds=time.time() - began, **row)
            if error and harmful(error):
                return 1
    return 0


def supervise(command, path, log, until, longest):
    """Runs a command that works through cases, again after each crash and each case of `longest` seconds."""
    while time.time() < until:
        before = count(path)
        process = subprocess.Popen([*command, str(path)], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        while process.poll() is None and time.time() < until:
            if any(time.time() - row["began"] > longest for row in open_cases(path).values()):
                break
            time.sleep(0.2)
        status, over = process.poll(), time.time() >= until
        if status is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if over:
            return  # a case that was cut off is neither right nor wrong
        for name, row in open_cases(path).items():
            reason = f"no end in {longest:g} s" if status is None else f"the process ended with status {status}"
            note(path, case=name, seconds=time.time() - row["began"], ok=False, error=reason)
        if status == 0 or count(path) == before:
            return  # all is done, or a fresh process would come no further


def open_cases(path):
    """The cases that have begun and not ended."""
    return {name: row for name, row in rows(path).items() if "began" in row and "seconds" not in row}


def count(path):
    """The number of cases that have begun."""
    return sum("began" in row for row in rows(path).values())


if __name__ == "__main__":
    from benchmarks import checks

    device, file = sys.argv[1:]
    machines.prepare(device)
    sys.exit(run(checks.groups(), device, file))
