"""The warm process: its children do what the commands would have done, and die with them."""

import os
import signal
import subprocess
import sys
import time

import pytest
from small import ROOT

from fgan.jobs import times, warm


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The record of a warm process that serves all commands of these tests."""
    record = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("PYTHONPATH", str(ROOT / "src"))
        patch.setenv("OMP_NUM_THREADS", "1")
        with warm.process(record):
            yield record


def fgan(*words, **options):
    call = [sys.executable, "-m", "fgan", *words]
    return subprocess.run(call, capture_output=True, text=True, timeout=100, **options)


COMMANDS = [
    ("design", "ring", "--record", "smoke"),
    ("design", "rign", "--record", "smoke"),
    ("design", "--recrd", "smoke"),
    ("plan", "--record", "reference"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_says_and_returns_the_same_with_and_without_it(words, served, monkeypatch):
    with_it = fgan(*words)
    monkeypatch.setenv(warm.ADDRESS, "/nowhere")
    without = fgan(*words)
    assert (with_it.returncode, with_it.stdout, with_it.stderr) == (without.returncode, without.stdout, without.stderr)
    assert with_it.stdout or with_it.stderr


def test_who_asks_imports_nothing_and_gets_the_exit_status(served):
    script = (
        "import sys; from fgan.jobs import warm; code = warm.ask(sys.argv[1:]); print(code, 'torch' in sys.modules)"
    )
    call = [sys.executable, "-c", script, "design", "ring", "--record"]
    done = [subprocess.run([*call, record], capture_output=True, text=True).stdout for record in ("smoke", "smok")]
    assert "title:" in done[0] and done[0].endswith("0 False\n") and done[1] == "2 False\n"


def test_a_killed_command_takes_its_child_with_it(served, tmp_path):
    """Its child holds the lock of a shard until it dies."""
    words = ["train", "--record", "full", "--experiment", "ring", "--shard", "tanh-seed0", "--device", "cpu"]
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("src", "experiments"):
        (folder / name).symlink_to(ROOT / name)
    log = folder / "log"
    command = subprocess.Popen([sys.executable, "-m", "fgan", *words, "--log", str(log)], cwd=folder)
    wait_for(lambda: log.exists() and "step" in log.read_text())
    assert "step" not in subprocess.run(["ps", "-o", "args=", str(command.pid)], capture_output=True, text=True).stdout
    (child,) = [pid for pid in children() if os.readlink(f"/proc/{pid}/cwd") == str(folder.resolve())]
    command.send_signal(signal.SIGKILL)
    command.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{child}"))


def children():
    """Processes that a warm process has forked."""
    listed = subprocess.run(["pgrep", "-f", "fgan.jobs.warm"], capture_output=True, text=True).stdout.split()
    return [pid for pid in listed if os.path.exists(f"/proc/{pid}/cwd")]


def wait_for(true):
    until = time.monotonic() + 100
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_it_ends_with_the_process_that_started_it(root, tmp_path, monkeypatch):
    script = f"""
import os, subprocess, sys
from fgan.jobs import warm
with warm.process({str(tmp_path)!r}):
    print(os.environ[warm.ADDRESS], flush=True)
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ)
    assert done.returncode == -9
    monkeypatch.setenv(warm.ADDRESS, done.stdout.strip())
    wait_for(lambda: warm.ask(["design", "ring", "--record", "smoke"]) is None)


def test_what_it_imported_is_a_row_of_the_times(served):
    wait_for(lambda: times.read(served))
    (row,) = times.read(served)
    assert row["job"] == "warm process" and row["import"] > 0
