"""A run card says what ran: never the hash of another source tree."""

import platform
import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest
import torch
from small import ROOT, forget

from fgan import design
from fgan.files import RecordError
from fgan.record import provenance


def test_a_tree_that_does_not_run_is_not_hashed(root, tmp_path, monkeypatch):
    """Two checkouts may share one environment."""
    shard = design.load("univariate", "smoke").shard("sgd-seed0")
    assert provenance.run_card(shard, "cpu")["code_hash"] == provenance.code_hash("univariate")
    for name in ("src", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    forget()
    assert provenance.run_card(shard, "cpu"), "the same code in another place"
    edited = tmp_path / "src/fgan/engine/training.py"
    edited.write_text(edited.read_text().replace("BELOW_CONSTANT = 1.0", "BELOW_CONSTANT = 1.5"))
    with pytest.raises(RecordError, match="PYTHONPATH"):
        provenance.run_card(shard, "cpu")


def test_a_fingerprint_names_what_decides_bits(monkeypatch):
    mine = provenance.fingerprint("cpu")
    assert set(mine) == {"cpu", "vector", "blas"} and all(isinstance(value, str) and value for value in mine.values())
    assert mine["vector"] == torch.backends.cpu.get_cpu_capability()
    gpu = SimpleNamespace(name="NVIDIA H200", multi_processor_count=132)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: gpu)
    theirs = provenance.fingerprint("cuda")
    assert theirs["gpu"] == "NVIDIA H200, 132 multiprocessors"
    assert set(theirs) - set(mine) == {"gpu", "driver", "cuda", "cudnn"} and mine.items() <= theirs.items()


CPUS = {
    "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: B\n":
        "AMD EPYC, cpu family 25, model 17",
    "processor\t: 0\nBogoMIPS\t: 50\n": platform.processor() or platform.machine(),
}  # fmt: skip
DRIVERS = {
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC\nGCC version: 12": "550.54.15",
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build\n": "560.35.03",
    "something else\n": "unknown",
}


@pytest.mark.parametrize(
    "read, content, wanted",
    [(f, *item) for f, table in ((provenance.cpu, CPUS), (provenance.driver, DRIVERS)) for item in table.items()],
)
def test_models_and_drivers_are_read_from_the_kernel(read, content, wanted, tmp_path):
    (tmp_path / "file").write_text(content)
    assert read(tmp_path / "file") == wanted
    assert read(tmp_path / "missing")


def test_the_commit_of_another_repository_is_not_ours(tmp_path, monkeypatch):
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "theirs"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", provenance.commit())
    (tmp_path / "unpacked").mkdir()
    monkeypatch.chdir(tmp_path / "unpacked")
    assert provenance.commit() == "unknown"


@pytest.mark.parametrize("damage", [b"", b"0" * 63, b"\xff" * 64])
def test_a_damaged_file_with_a_hash_is_made_again(away, damage):
    for name in ("src", "experiments"):
        (away / name).symlink_to(ROOT / name)
    right = provenance.code_hash("univariate")
    (kept,) = (away / "results/.data/code").iterdir()
    kept.write_bytes(damage)
    forget()
    assert provenance.code_hash("univariate") == right == kept.read_text()
