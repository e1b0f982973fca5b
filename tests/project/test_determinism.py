"""What changes no byte of a record, and what does: each change is made to one small record (docs/determinism.md)."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import shown
import torch
from small import edited

from fgan.record import promise
from fgan.report import compare

pytestmark = pytest.mark.slow
WHOLE = ("tanh-seed0-5",)
CUTS = {
    "three": ("tanh-seed0-1", "tanh-seed2-3", "tanh-seed4-5"),
    "every seed": tuple(f"tanh-seed{seed}" for seed in range(6)),
}
DRIVER = """
import sys
from fgan.__main__ import main
options = "--record smoke --experiment toy --device cpu".split()
sys.exit(any([main(["train", "--shard", name, *options]) for name in sys.argv[1:]]) or main(["gather", *options]))
"""
EQUAL = {
    "another folder": {},
    "another order of hashes": {"PYTHONHASHSEED": "20161205"},
    "threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
}
BYTES = ("measurements.parquet", "baselines.parquet", "samples.npz", "design.json")
NEEDED = """
import platform, torch, numpy, pandas, pyarrow, yaml
print(platform.python_version(), *(module.__version__ for module in (torch, numpy, pandas, pyarrow)))
"""


def record(folder, *shards, python=sys.executable, **changes):
    """(part, what was said) of the small record that a fresh process trains in a folder, shard by shard."""
    if not folder.exists():
        shown.experiment(folder)
    dropped = ("OMP_", "MKL_", "ATEN_", "PYTHONHASHSEED")
    env = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    env |= {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder / "src")} | changes
    call = [python, "-c", DRIVER, *shards]
    done = subprocess.run(call, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results/smoke/toy", done.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return record(tmp_path_factory.mktemp("plain") / "clone", *WHOLE)[0]


def differ(a, b, names=BYTES):
    """The files of two parts that have other bytes."""
    return [name for name in names if (a / name).read_bytes() != (b / name).read_bytes()]


def promised(a, b):
    """What the run cards of two parts promise, in words."""
    cards = (promise.conditions(json.loads((part / "card.json").read_text())) for part in (a, b))
    return promise.promise(*cards)


@pytest.mark.parametrize("change", EQUAL)
def test_no_byte_depends_on(change, plain, tmp_path):
    part, _ = record(tmp_path / "clone", *WHOLE, **EQUAL[change])
    assert differ(plain, part) == [] and promised(plain, part).startswith("equal bytes")


@pytest.mark.parametrize("cut", CUTS)
def test_no_byte_depends_on_the_shards_that_were_trained_first(cut, plain, tmp_path):
    """As in the first shards of fewer cores, which the larger one takes and does not train again."""
    part, said = record(tmp_path / "clone", *CUTS[cut], *WHOLE)
    assert "taken from shards that were trained before" in said and differ(plain, part) == []
    whole = [folder / "shards" / WHOLE[0] for folder in (plain, part)]
    assert differ(*whole, names=("measurements.parquet", "samples.npz")) == []


@pytest.mark.parametrize("capability", ["default", "avx2"])
def test_another_vector_level_is_another_machine_and_the_cards_say_so(capability, plain, tmp_path, monkeypatch):
    here = torch.backends.cpu.get_cpu_capability()
    if capability.upper() == here:
        pytest.skip(f"this CPU has no more than {here}")
    part, _ = record(tmp_path / "clone", *WHOLE, ATEN_CPU_CAPABILITY=capability)
    assert "bytes may differ, because these do: vector" in promised(plain, part)
    assert differ(plain, part, BYTES[-1:]) == [], "the design is the same"
    if capability == "avx2":
        return  # AVX-512 gave the same bytes so far, by chance
    assert differ(plain, part, BYTES[:1]), "so far they did differ: docs/determinism.md"
    monkeypatch.chdir(tmp_path / "clone")
    lines, sound = compare.compare(plain.parent, part.parent)
    assert sound and "toy: other bytes" in lines and any("these do: vector" in line for line in lines), lines


def test_another_number_of_threads_in_the_table_is_another_way_of_computing(plain, tmp_path):
    """Where the table says so, threads add up in another order: the code hash differs, and nothing is promised."""
    shown.experiment(tmp_path / "clone")
    table = tmp_path / "clone/src/fgan/engine/machines.yaml"
    table.write_text(edited("threads: 1 ", "threads: 2 ", table.read_text()))
    part, _ = record(tmp_path / "clone", *WHOLE)
    assert "bytes may differ, because these do: science code" in promised(plain, part)


def others(version):
    """Other Pythons of a version on the PATH with the packages of this one: (path, PYTHONPATH)."""
    alike = version == "{}.{}".format(*sys.version_info)
    packages = sysconfig.get_path("purelib") if alike else ""  # built for 3.11, they serve every 3.11
    wanted = subprocess.run([sys.executable, "-c", NEEDED], capture_output=True, text=True).stdout.split()
    for place in os.environ["PATH"].split(os.pathsep):
        if (path := Path(place, f"python{version}")).exists():
            env = os.environ | {"PYTHONPATH": packages}
            found = subprocess.run([path, "-c", NEEDED], capture_output=True, text=True, env=env).stdout.split()
            if found[1:] == wanted[1:] and found[0] != wanted[0]:
                yield str(path), packages


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_another_python_trains_the_same_numbers(version, plain, tmp_path):
    """Nothing is promised, as cards name Python's version: the zip around the samples may have other bytes."""
    python, packages = next(others(version), (None, None))
    if python is None:
        pytest.skip(f"no other Python {version} with torch, pandas and pyarrow of the same versions on the PATH")
    path = os.pathsep.join(filter(None, [str(tmp_path / "clone/src"), packages]))
    part, _ = record(tmp_path / "clone", *WHOLE, python=python, PYTHONPATH=path)
    assert differ(plain, part, BYTES[:2]) == [] and "python" in promised(plain, part)
    ours, theirs = (np.load(folder / "samples.npz") for folder in (plain, part))
    assert {*ours} == {*theirs} and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_change_of_the_science_is_seen(plain, tmp_path):
    """The comparison itself can fail: another rate, in the last digit."""
    shown.experiment(tmp_path / "clone")
    path = tmp_path / "clone/experiments/toy/experiment.yaml"
    path.write_text(edited("generator: 1.0e-3", "generator: 1.0001e-3", path.read_text()))
    part, _ = record(tmp_path / "clone", *WHOLE)
    assert {"measurements.parquet", "samples.npz", "design.json"} <= {*differ(plain, part)}
