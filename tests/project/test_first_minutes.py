"""The script for the first minutes on a GPU, on a CPU: nothing stops it, and what it checks can fail."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial

import pytest
import torch
from benchmarks import checks, gpu
from benchmarks.supervised import rows, supervise
from small import ROOT

ABSENT = ["scipy", "sklearn", "matplotlib", "seaborn", "snakemake", "jsonschema", "torchvision", "hypothesis"]

BROKEN = """
import os, sys, time
from benchmarks.supervised import run

def raises(device):
    raise ValueError("broken")

def harmed(device):
    raise RuntimeError("CUDA error: an illegal memory access was encountered")

cases = {
    "fine": lambda device: {"device": device}, "raises": raises, "process": lambda device: {"pid": os.getpid()},
    "harmed": harmed, "fresh": lambda device: {"pid": os.getpid()}, "dies": lambda device: os._exit(3),
    "hangs": lambda device: time.sleep(1000), "last": lambda device: {"ok": True},
}
sys.exit(run([cases], "cpu", sys.argv[1]))
"""


def supervised(folder, code, seconds=120.0):
    (folder / "cases.py").write_text(code)
    with open(folder / "log", "w") as log:
        supervise([sys.executable, str(folder / "cases.py")], folder / "rows", log, time.time() + seconds, longest=2.0)
    return rows(folder / "rows")


@pytest.mark.slow
def test_a_case_that_raises_dies_or_hangs_stops_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
    found = supervised(tmp_path, BROKEN)
    assert found["fine"]["device"] == "cpu" and found["last"]["ok"] and "Error: broken" in found["raises"]["error"]
    assert found["process"]["pid"] != found["fresh"]["pid"], "after an error of CUDA a fresh process goes on"
    assert found["dies"]["error"] == "the process ended with status 3" and found["hangs"]["error"] == "no end in 2 s"
    assert [gpu.state(row) for row in found.values()].count("wrong") == 4
    page = gpu.summary("cpu", found, {"record": "smoke", "minutes": 0.0, "said": ["nothing"]})
    assert "1 right, 3 measured, 4 wrong, 0 not reached" in page and page.index("| raises |") < page.index("| fine |")


def test_a_process_that_comes_no_further_is_not_started_again(tmp_path):
    assert supervised(tmp_path, "import sys; print('started'); sys.exit(1)") == {}
    assert (tmp_path / "log").read_text() == "started\n"


def test_a_case_that_the_end_of_time_cuts_off_is_not_wrong(tmp_path):
    lines = [{"case": "slow"}, {"case": "late"}, {"case": "slow", "began": time.time() + 1000}]
    (tmp_path / "rows").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = supervised(tmp_path, "import time; time.sleep(99)", seconds=1.0)
    assert [gpu.state(row) for row in found.values()] == ["not reached", "not reached"]


@pytest.mark.parametrize("name", ["ring, every divergence", "MNIST small"])
def test_the_cpu_passes(name, root):
    make = checks.POPULATIONS[name]
    assert checks.twice(make, "cpu")["ok"] and checks.as_eager(make, "cpu") == {"dF": 0.0, "ok": True}


def test_a_run_made_nan_and_a_training_in_two_processes_pass_on_the_cpu(root):
    assert checks.frozen("cpu") == {"marked at": 11, "ok": True}
    assert checks.resumed(checks.ring, "cpu")["ok"]


def of_this_process(device):
    """A population whose weights depend on the process."""
    population = checks.ring(device)
    population.theta.mul_(1 + os.getpid() * 1e-6)
    return population


@pytest.mark.slow
def test_checks_can_fail(root, monkeypatch):
    numbers = itertools.count()

    def another(device):
        population = checks.ring(device)
        population.theta.mul_(1 + next(numbers) / 2)
        return population

    assert not checks.twice(another, "cpu")["ok"] and not checks.as_eager(another, "cpu")["ok"]
    assert not checks.resumed(of_this_process, "cpu")["ok"]
    monkeypatch.setattr(checks, "ring", partial(checks.configured, "ring 2x64"))
    plain = checks.train
    monkeypatch.setattr(checks, "train", lambda p, observe: plain(spoilt(p, next(numbers)), observe))
    assert not checks.frozen("cpu")["ok"], "the other runs have other bits"


def spoilt(population, number):
    population.theta.mul_(1 + number / 2)
    return population


def test_what_is_no_number_in_one_of_two_is_infinitely_far():
    nan = torch.nan
    one, other = torch.tensor([1.0, nan, 1000.0, torch.inf]), torch.tensor([1.0, nan, 1001.0, torch.inf])
    assert checks.apart(one, other) == pytest.approx(1e-3)
    assert checks.apart(one, torch.tensor([nan, nan, 1000.0, torch.inf])) == torch.inf


@pytest.mark.slow
def test_the_script_needs_little_but_torch_and_leaves_a_small_folder(tmp_path):
    for name in ("src", "experiments", "benchmarks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Python imports this module before any other, so what is absent is absent in every process of the script.
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({ABSENT}))\n")
    words = "-m benchmarks.gpu --device cpu --minutes 1 --record smoke --out out".split()
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{tmp_path / 'src'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "out/results.json").read_text())
    states = {name: gpu.state(row) for name, row in results["cases"].items()}
    assert states["versions"] == "measured" and "wrong" not in states.values()
    assert results["cases"]["versions"]["cpu"] and results["training"]["said"]
    assert (tmp_path / "out/summary.md").read_text() in done.stdout
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.*")) < 20e6
