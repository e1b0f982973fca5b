"""Image sets as the target P: scikit-learn's 8x8 digits and MNIST, read from local files only."""

import gzip
import hashlib
import math
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from fgan.files import DataError

# md5 of the unpacked idx files, so that a repacked .gz is as good as the original one.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
SHAPES = {"digits": (8, 8), "mnist": (28, 28)}
MNIST_HELD_OUT = 10_000
DIGITS_SPLIT = (1197, 300, 300)
DIGITS_SEED = 1606


@dataclass(frozen=True)
class Images:
    """An image set: train, held_out and test images, float32 [n, d] in [0, 1], and the labels of each part, int64 [n].

    shape is (h, w) or (channels, h, w), and d its product; labels are empty for a set without them.
    """

    name: str
    shape: tuple[int, ...]
    train: torch.Tensor
    held_out: torch.Tensor
    test: torch.Tensor
    labels: tuple[torch.Tensor, ...] = ()

    @property
    def dimension(self) -> int:
        """Values per image, d."""
        return math.prod(self.shape)

    @property
    def all_train(self):
        """Training and held-out images together, in the order of the source (a copy)."""
        return torch.cat([self.train, self.held_out])

    def draw(self, shape, generator: torch.Generator):
        """Indices [*shape] of training images, uniform with replacement, on the images' device."""
        return torch.randint(len(self.train), shape, generator=generator, device=self.train.device)

    def __call__(self, indices):
        """The training images [..., d] at the indices [...]."""
        return self.train[indices]

    def to(self, device) -> "Images":
        """The same images on another device."""
        parts = {part: getattr(self, part).to(device) for part in ("train", "held_out", "test")}
        return replace(self, **parts, labels=tuple(part.to(device) for part in self.labels))


def load(name: str, folder=None) -> Images:
    """The image set 'digits' or 'mnist'; folder as in mnist. Raises ValueError for another name."""
    if name in SHAPES:
        return digits() if name == "digits" else mnist(folder)
    raise ValueError(f"There is no image set '{name}': the names are digits and mnist.")


def missing(name: str, folder=None) -> str | None:
    """One sentence on the first file that the image set lacks here; None if it is complete. Folder as in mnist."""
    if name == "digits":
        return None
    try:
        folder = _folder(folder)
    except DataError as error:
        return str(error)
    absent = [file for file in MNIST_MD5 if find_idx(file, folder) is None]
    return _absent(absent[0], folder) if absent else None


def blank(name: str) -> Images:
    """An image set's shapes without its images, for counting the cost of a step: one empty image in each part."""
    shape = SHAPES[name]
    return Images(name, shape, *torch.zeros(3, 1, math.prod(shape)))


def digits() -> Images:
    """scikit-learn's digits, 8x8, pixel / 16: 1,197 train, 300 held out, 300 test, one fixed permutation."""
    from sklearn.datasets import load_digits

    order = torch.randperm(sum(DIGITS_SPLIT), generator=torch.Generator().manual_seed(DIGITS_SEED))
    source = load_digits()
    pixels = torch.from_numpy(source.data).to(torch.float32).div_(16)
    labels = torch.from_numpy(source.target).to(torch.int64)
    return Images("digits", SHAPES["digits"], *pixels[order].split(DIGITS_SPLIT), labels[order].split(DIGITS_SPLIT))


def mnist(folder=None) -> Images:
    """MNIST, 28x28, pixel / 255: 50,000 train, 10,000 held out (the end of the training file), 10,000 test.

    Reads idx files (plain or .gz) in folder, folder/raw or folder/MNIST/raw; folder is the argument, else the
    environment variable FGAN_DATA, else data/. It never downloads. Raises DataError for a missing file
    and for one that is not the original. Data: LeCun, Cortes and Burges.
    """
    pixels = [read_idx(f"{part}-images-idx3-ubyte", folder) for part in ("train", "t10k")]
    classes = [read_idx(f"{part}-labels-idx1-ubyte", folder) for part in ("train", "t10k")]
    train, test = (torch.from_numpy(part).flatten(1).to(torch.float32).div_(255) for part in pixels)
    of_train, of_test = (torch.from_numpy(part).to(torch.int64) for part in classes)
    cut = -MNIST_HELD_OUT
    labels = of_train[:cut], of_train[cut:], of_test
    return Images("mnist", pixels[0].shape[1:], train[:cut], train[cut:], test, labels)


def fetch_mnist(folder=None) -> Path:
    """Downloads the four MNIST files into folder/MNIST/raw unless folder holds them; returns the folder.

    folder as in mnist. Raises DataError if the download fails or a file differs from the original.
    """
    folder = _folder(folder)
    # A wrong file that is present is never overwritten: read_idx reports it, and the user decides.
    present = [name for name in MNIST_MD5 if find_idx(name, folder)]
    for name in present:
        read_idx(name, folder)
    if len(present) == len(MNIST_MD5):
        return folder
    from fgan.targets import vision

    raw = Path(folder, "MNIST", "raw")
    raw.mkdir(parents=True, exist_ok=True)
    # Files are moved into place whole and checked, so a killed download leaves nothing that looks like data.
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder) as scratch:
        try:
            vision.datasets.MNIST(scratch, download=True)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"MNIST could not be downloaded ({error}): set FGAN_DATA to a folder with its four idx files."
            ) from error
        for name in MNIST_MD5:
            read_idx(name, scratch)
            os.replace(Path(scratch, "MNIST", "raw", name), raw / name)
    for name in MNIST_MD5:
        read_idx(name, folder)
    return folder


def read_idx(name: str, folder=None) -> np.ndarray:
    """One MNIST file as a uint8 array, images [n, h, w] or labels [n]; folder and errors as in mnist."""
    folder = _folder(folder)
    path = find_idx(name, folder)
    if path is None:
        raise DataError(_absent(name, folder))
    wrong = f"{path} is not MNIST's {name} (%s): delete it and run `python -m fgan fetch mnist`."
    content = path.read_bytes()
    try:
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise DataError(wrong % f"it cannot be unpacked: {error}") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MNIST_MD5[name]:
        raise DataError(wrong % "its md5 differs")
    # idx: two zero bytes, 8 for uint8, the number of dimensions, each as big-endian uint32, the values.
    dims = 3 if "idx3" in name else 1
    shape = np.frombuffer(content[4 : 4 + 4 * dims], ">u4").astype(int)
    if content[:4] != bytes([0, 0, 8, dims]) or len(content) != 4 + 4 * dims + shape.prod():
        raise DataError(wrong % "its header does not fit its content")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape).copy()


def _absent(name: str, folder: Path) -> str:
    return (
        f"MNIST's {name} is not in {folder}: set FGAN_DATA to the folder with the idx files or run "
        "`python -m fgan fetch mnist`."
    )


def find_idx(name: str, folder: Path) -> Path | None:
    """The file of that name in folder, folder/raw or folder/MNIST/raw, plain before gzipped; None without one."""
    places = [folder / sub / (name + end) for sub in ("", "raw", "MNIST/raw") for end in ("", ".gz")]
    return next((place for place in places if place.is_file()), None)


def _folder(folder) -> Path:
    given = folder or os.environ.get("FGAN_DATA")
    path = Path(given or "data").expanduser()
    if given and not path.is_dir():
        raise DataError(f"the data folder {path} does not exist: set FGAN_DATA (or data=) to a folder that does.")
    return path
