"""Files that are whole or absent, locks that end with their process, and errors that say what to do."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sys
import time
from pathlib import Path

# Errors of the disk and its folders, which are nobody's bug, and what to do about them.
ENVIRONMENT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE)
MEND = "free some space or check the folder's permissions, then run the same command again"


class RecordError(RuntimeError):
    """A record or one of its files cannot be used; the message says what to do."""


class DataError(RuntimeError):
    """A data set is missing or is not the original; the message names the file and what to do."""


@contextlib.contextmanager
def whole(path):
    """A temporary path that becomes `path` when the block succeeds, so that a file is whole or absent."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            sync(partial)  # else a machine that goes down may keep the new name and lose the bytes
            os.replace(partial, path)
            with contextlib.suppress(OSError):  # not every file system can do that with a folder
                sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def sync(path):
    """Waits until what was written to a file or folder is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def writing(path):
    """Turns an OSError of the block into one sentence; raises RecordError."""
    try:
        yield
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}; {MEND}") from error


def now_at_latest(*folders):
    """Gives files from the future (the clock went back) the time of now, else what is made of them looks outdated."""
    for path in (path for folder in folders for path in Path(folder).rglob("*")):
        with contextlib.suppress(OSError):  # it vanished, or is another user's
            if path.stat().st_mtime > time.time():
                os.utime(path)


def write_text(path, text):
    """Writes a whole text file."""
    with whole(path) as partial:
        partial.write_text(text)


def write_json(path, value):
    """Writes a value as JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, default=str) + "\n")


def file_hash(path):
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@contextlib.contextmanager
def locked(path, message):
    """Holds a lock that the kernel releases when the process dies; prints `message` once if it has to wait."""
    path = Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(message, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(record):
    """Locks a record for the one process that makes it; raises RecordError if another process holds the lock."""
    path = Path(record, ".lock")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(f"another process is making {record}; wait for it or stop it") from None
        yield
