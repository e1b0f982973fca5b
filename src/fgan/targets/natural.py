"""Natural images as the target P: CIFAR-10 and LSUN's classrooms, bytes that are scaled to [-1, 1] when drawn."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import torch

from fgan import files
from fgan.files import DataError
from fgan.targets.images import Images, _folder, is_file

SHAPES = {"cifar10": (3, 32, 32), "lsun": (3, 96, 96)}
CIFAR, LSUN, CACHE = "cifar-10-batches-py", "classroom_train_lmdb", "lsun-classroom-96.npy"
CIFAR_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")
HELD_OUT = 5_000  # the end of the training images; of LSUN, which has no such test set, as many again for the test
FETCH = {
    "cifar10": "unpack cifar-10-python.tar.gz of www.cs.toronto.edu/~kriz/cifar.html",
    "lsun": "fetch and unpack it with `python download.py -c classroom` of github.com/fyu/lsun",
}


class NaturalImages(Images):
    """An image set of bytes: train, held_out and test are uint8 [n, 3 h w], shape (3, h, w); see `scaled`."""

    def __call__(self, indices):
        """The training images [..., d] at the indices [...], float32 in [-1, 1]."""
        return scaled(self.train[indices])


def scaled(pixels):
    """Bytes as float32 in [-1, 1]: x / 127.5 - 1."""
    return pixels.to(torch.float32).div_(127.5).sub_(1)


def load(kind: str, folder=None) -> NaturalImages:
    """The image set 'cifar10' or 'lsun'; folder as in images.mnist. It never downloads.

    Raises DataError if it is missing or damaged, ValueError for another kind.
    """
    sentence = missing(kind, folder)
    if sentence:
        raise DataError(sentence)
    return {"cifar10": cifar10, "lsun": lsun}[kind](_folder(folder))


def missing(kind: str, folder=None) -> str | None:
    """One sentence on an image set's missing files and what to do; None if none is missing. ValueError as in load."""
    if kind not in SHAPES:
        raise ValueError(f"There is no set of natural images '{kind}': the names are cifar10 and lsun.")
    try:
        return _lacking(kind, _folder(folder))
    except DataError as error:
        return str(error)


def _lacking(kind: str, folder: Path) -> str | None:
    """`missing` in a folder that is there."""
    there = "in that folder, or set FGAN_DATA (or data=) to the folder that has"
    if kind == "cifar10":
        absent = [name for name in CIFAR_FILES if not is_file(folder / CIFAR / name)]
        return f"CIFAR-10's {absent[0]} is not in {folder / CIFAR}: {FETCH[kind]} {there} {CIFAR}." if absent else None
    if is_file(folder / CACHE):
        return None
    if not is_file(folder / LSUN / "data.mdb"):
        return f"LSUN's classrooms ({LSUN}) are not in {folder}: {FETCH[kind]} {there} {LSUN}."
    if importlib.util.find_spec("lmdb") is None:
        return f"{folder / LSUN} cannot be read without the package lmdb: run `pip install lmdb`."
    return None


def blank(kind: str) -> NaturalImages:
    """An image set's shapes without its images, for counting the cost of a step: one empty image in each part."""
    shape = SHAPES[kind]
    return NaturalImages(kind, shape, *torch.zeros(3, 1, int(np.prod(shape)), dtype=torch.uint8))


def cifar10(folder: Path) -> NaturalImages:
    """CIFAR-10, 32x32: 45,000 train, 5,000 held out (the end of the training files), 10,000 test.

    Raises DataError for a file that is not the original. Data: Krizhevsky 2009.
    """
    from fgan.targets import vision

    source = vision.datasets.CIFAR10
    for name, md5 in (*source.train_list, *source.test_list, (source.meta["filename"], source.meta["md5"])):
        if not vision.datasets.utils.check_integrity(folder / CIFAR / name, md5):
            wrong = f"{folder / CIFAR / name} is not the original (md5 differs)"
            raise DataError(f"{wrong}: move it elsewhere and {FETCH['cifar10']} again.")
    sources = source(folder, train=True), source(folder, train=False)
    train, test = (torch.from_numpy(source.data).permute(0, 3, 1, 2).flatten(1) for source in sources)
    return NaturalImages("cifar10", SHAPES["cifar10"], train[:-HELD_OUT], train[-HELD_OUT:], test)


def lsun(folder: Path) -> NaturalImages:
    """LSUN's training classrooms, 96x96 (shorter side scaled to 96, middle cut out): the last 5,000 are the test, the
    5,000 before them held out, all others train.

    The first call decodes them into a file of bytes in folder (4.6 GB of 168,103 images), which is mapped into memory
    then and later. Raises DataError if a file is damaged or the cache cannot be written. Data: Yu et al. 2015.
    """
    cache = folder / CACHE
    if not cache.is_file():
        try:
            with files.locked(folder / f".{CACHE}.lock", f"another process decodes {folder / LSUN}; waiting for it"):
                if not cache.is_file():
                    decode(folder, cache)
        except files.RecordError as error:
            raise DataError(f"LSUN is decoded once into its data folder, but {error}") from error
    again = f"delete it, and it is made again from {LSUN}."
    try:
        # Private pages: nothing writes to them, but torch requires writable memory.
        pixels = np.load(cache, mmap_mode="c")
    except (ValueError, EOFError) as error:
        raise DataError(f"{cache} is damaged ({error}): {again}") from error
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (np.prod(SHAPES["lsun"]),) or len(pixels) <= 2 * HELD_OUT:
        raise DataError(f"{cache} is damaged (it holds {pixels.dtype} {list(pixels.shape)}): {again}")
    sizes = [len(pixels) - 2 * HELD_OUT, HELD_OUT, HELD_OUT]
    return NaturalImages("lsun", SHAPES["lsun"], *torch.from_numpy(pixels).split(sizes))


def decode(folder: Path, path: Path):
    """Writes all classrooms to path as one .npy file of bytes [n, 3 h w], whole or not at all; errors as in lsun."""
    import lmdb

    from fgan.targets import vision

    source, wrong = folder / LSUN, f"{folder / LSUN} is damaged (%s): move it elsewhere and {FETCH['lsun']} again."
    try:
        with lmdb.open(str(source), readonly=True, lock=False) as database, database.begin() as reading:
            # Reading beyond the end of a mapped file would kill this process by a signal, without a message.
            size = database.stat()["psize"] * (database.info()["last_pgno"] + 1)
            if size > (source / "data.mdb").stat().st_size:
                raise DataError(wrong % "data.mdb is cut off")
            for _ in reading.cursor().iternext(values=False):
                pass
    except lmdb.Error as error:
        raise DataError(wrong % error) from error
    with vision.classrooms(folder.resolve(), SHAPES["lsun"][1]) as images, files.whole(path) as partial:
        print(f"decoding {len(images):,} classrooms into {path}, once: about ten minutes", file=sys.stderr, flush=True)
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), int(np.prod(SHAPES["lsun"])))}
        # Written and not mapped, because on a full disk a mapped file would kill the process as well.
        with open(partial, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for i in range(len(images)):
                try:
                    pixels = np.asarray(images[i][0])
                except (OSError, SyntaxError, ValueError, lmdb.Error) as error:
                    raise DataError(wrong % f"image {i}: {error}") from error
                file.write(pixels.transpose(2, 0, 1).tobytes())
