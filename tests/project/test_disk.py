"""A disk that is full or read-only, and a folder that vanishes: one sentence, and the same command continues."""

import contextlib
import os
import shutil
import subprocess
import sys

import pytest
from torture import World

from fgan.__main__ import main

MOUNT = "mount -t tmpfs -o size=4m tmpfs"


@contextlib.contextmanager
def mounted(folder):
    """A small disk of its own at a folder; skips where this user may not mount one."""
    folder.mkdir(parents=True)
    if subprocess.run([*MOUNT.split(), folder], capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("undisturbed"))
    assert (world.train()[0], world.command("gather")[0]) == (0, 0)
    return world.content()


def one_sentence(outcome, *words):
    status, said = outcome
    wrong = [line for line in said.splitlines() if line.startswith("error: ")]
    assert status == 2 and len(wrong) == 1 and "Traceback" not in said, said
    assert all(word in wrong[0] for word in words), said


def continues(world, undisturbed):
    for status, said in (world.train(), world.command("gather")):
        assert status == 0, said
    assert world.content() == undisturbed


@pytest.mark.parametrize("room", [0, 600_000])
def test_a_full_disk(tmp_path, undisturbed, room):
    """It has room for nothing but empty files, or for a checkpoint and not for all that comes after it."""
    world = World(tmp_path)
    with mounted(world.folder / "results"):
        ballast = world.folder / "results/ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with open(ballast, "r+b") as file:
            file.truncate(ballast.stat().st_size - room)
        outcome = world.train()
        if outcome[0] or room == 0:
            one_sentence(outcome, "cannot write", "run the same command again")
        ballast.unlink()
        continues(world, undisturbed)


def test_a_record_that_is_read_only(tmp_path, undisturbed):
    world = World(tmp_path)
    with mounted(world.folder / "results"):
        again = ["mount", "-o", "remount,ro", world.folder / "results"]
        subprocess.run(again, check=True)
        words = "--record smoke --experiment ring --device cpu --log results/smoke/logs/train.log".split()
        one_sentence(world.train(), "Read-only file system")
        one_sentence(world.process(lambda: main(["train", "--shard", "tanh-seed0", *words])), "Read-only file system")
        one_sentence(world.command("train-all"), "Read-only file system")
        subprocess.run([*again[:2], "remount,rw", again[-1]], check=True)
        continues(world, undisturbed)
        subprocess.run(again, check=True)
        one_sentence(world.command("gather"), "Read-only file system")


class Thief:
    """An audit hook that takes the record's folder away when a file in it is touched for the n-th time."""

    def __init__(self, folder, number):
        self.folder, self.left = str(folder), number

    def __call__(self, event, arguments):
        if event in ("open", "os.rename") and str(arguments[0]).startswith((self.folder, "results")):
            self.left -= 1
            if self.left == 0:
                shutil.rmtree(self.folder)


@pytest.mark.parametrize("number", [5, 11, 17])
def test_a_folder_that_vanishes(tmp_path, undisturbed, number):
    world = World(tmp_path)

    def work():
        sys.addaudithook(Thief(world.record, number))
        return main("train --record smoke --experiment ring --shard tanh-seed0-1 --device cpu".split())

    outcome = world.process(work)
    if outcome[0]:
        one_sentence(outcome, "run the same command again")
    continues(world, undisturbed)
    assert not [name for name in os.listdir(world.record / "ring") if name.endswith(".partial")]
