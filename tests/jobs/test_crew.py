"""The processes of `train-all`: as many as there are cores, replaced when they are killed, ended with their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import ROOT

from fgan.jobs import budget, plan


def test_a_process_that_is_killed_while_it_waits_is_replaced(monkeypatch):
    monkeypatch.setattr(budget, "begun", lambda job: True)
    with budget.Crew(1) as crew:
        for number in range(2):
            crew.start(None, os.getpid)
            (future,) = crew.busy
            ((_, error, _),) = crew.ended(60)
            assert error is None
            pid = future.result()
            if not number:
                os.kill(pid, signal.SIGKILL)
                while not crew.idle[0]._broken:  # until its executor knows
                    time.sleep(0.01)


LIVING = """
import os, time
from fgan.jobs import budget

def work():
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    with budget.Crew(1) as crew:
        budget.begun = lambda job: False
        crew.start(None, work)
        list(crew.ended(600))
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_ends_with_its_parent(tmp_path, sign):
    script = tmp_path / "living.py"
    script.write_text(LIVING)
    options = dict(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([sys.executable, script], env=env, **options) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(sign)
    for _ in range(100):
        if not Path(f"/proc/{worker}/cmdline").exists() or not Path(f"/proc/{worker}/cmdline").read_bytes():
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker lives on")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_cores_are_those_that_the_process_may_use():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert plan.available() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert plan.available() == len(before)
