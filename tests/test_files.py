"""Files are whole or absent, repeat byte for byte, and say what to do where they cannot be written; locks wait."""

import errno
import fcntl
import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from small import full_disk

from fgan import files
from fgan.files import RecordError

WRITERS = {
    "card.json": lambda folder: files.write_json(folder / "card.json", {"b": 1, "a": [2.5, None]}),
    "numbers.tex": lambda folder: files.write_text(folder / "numbers.tex", "one\ntwo\n"),
}
EVERY = pytest.mark.parametrize("name", WRITERS)


def test_a_whole_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with files.whole(path) as partial:
        partial.write_text("all of it")
        assert not path.exists() and partial.parent == path.parent
    assert path.read_text() == "all of it" and os.listdir(path.parent) == ["file.txt"]


def test_bytes_are_on_the_disk_before_they_have_their_name(tmp_path, monkeypatch):
    """A rename may reach the disk before what was written: a machine that goes down would leave an empty file."""
    order, fsync, replace = [], os.fsync, os.replace
    names = lambda number: Path(os.readlink(f"/proc/self/fd/{number}")).name
    monkeypatch.setattr(os, "fsync", lambda number: order.append(f"sync {names(number)}") or fsync(number))
    monkeypatch.setattr(os, "replace", lambda *pair: order.append("rename") or replace(*pair))
    files.write_text(tmp_path / "file.txt", "all of it")
    assert order == ["sync .file.txt.partial", "rename", f"sync {tmp_path.name}"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises((ValueError, KeyboardInterrupt, RecordError)), files.whole(path) as partial:
        partial.write_text("half of")
        raise failure
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@EVERY
def test_a_full_disk_gets_one_sentence(tmp_path, name):
    full_disk(tmp_path, name)
    with pytest.raises(RecordError, match=f"cannot write .*{name}: .*No space left on device; free some") as caught:
        WRITERS[name](tmp_path)
    assert "\n" not in str(caught.value) and not os.listdir(tmp_path)


@EVERY
def test_a_disk_that_fills_up_gets_one_sentence(tmp_path, monkeypatch, name):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RecordError, match="No space left on device"):
        WRITERS[name](tmp_path)
    assert not os.listdir(tmp_path)


@EVERY
def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write .*permissions"):
        WRITERS[name](tmp_path / "file" / "folder")


def test_a_lock_that_cannot_be_made_gets_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write"), files.locked(tmp_path / "file" / "x.lock", "waiting"):
        pass


@EVERY
def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch, name):
    WRITERS[name](tmp_path)
    first = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    monkeypatch.setattr(time, "time", lambda: 2e9)  # on another day
    WRITERS[name](tmp_path)
    assert (tmp_path / name).read_bytes() == first


def test_the_order_of_keys_does_not_change_a_byte(tmp_path):
    files.write_json(tmp_path / "one.json", {"b": 1, "a": 2})
    files.write_json(tmp_path / "two.json", {"a": 2, "b": 1})
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"some bytes")
    assert files.file_hash(tmp_path / "file") == hashlib.sha256(b"some bytes").hexdigest()


def test_a_second_holder_of_a_lock_waits_and_says_so(tmp_path, capsys):
    order = []

    def second():
        with files.locked(tmp_path / "x.lock", "waiting for the other"):
            order.append("second")

    with files.locked(tmp_path / "x.lock", "not shown"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"] and capsys.readouterr().err == "waiting for the other\n"


def test_a_record_that_cannot_be_made_gets_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write"), files.alone(tmp_path / "file" / "record"):
        pass


def test_a_record_that_another_process_makes_is_refused_at_once(tmp_path):
    record = tmp_path / "results" / "quick"
    with files.alone(record):
        with (
            pytest.raises(RecordError, match="another process is making .*quick; wait for it or stop it"),
            files.alone(record),
        ):
            pass
        with open(record / ".lock", "w") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with files.alone(record):  # the lock is free again
        pass
