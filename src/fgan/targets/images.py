"""Image sets as the target P: scikit-learn's 8x8 digits and MNIST, read from local files only."""

import contextlib
import errno
import gzip
import hashlib
import http.client
import importlib.util
import math
import os
import struct
import tempfile
import urllib.request
import zlib
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import torch

from fgan import files
from fgan.files import DataError

# md5 of the unpacked idx files, so that a repacked .gz is as good as the original one.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = "https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"
PATIENCE = 5  # seconds that a silent server is waited for
# Mean pixels of sets that come in files of MNIST's names: training images differ by far less than NEAR from the rest.
RELATIVES, NEAR = {"FashionMNIST": 0.286, "KMNIST": 0.193, "EMNIST": 0.173}, 0.006
OTHERS = ("*mnist*.npz", "*mnist*.csv", "*.parquet", "*mnist*.zip", "*mnist*.pkl*", "*mnist*.mat")  # formats not read
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
        absent = [file for file in MNIST_MD5 if find_idx(file, folder) is None]
    except DataError as error:
        return str(error)
    return _absent(absent[0], folder) if absent else None


def blank(name: str) -> Images:
    """An image set's shapes without its images, for counting the cost of a step: one empty image in each part."""
    shape = SHAPES[name]
    return Images(name, shape, *torch.zeros(3, 1, math.prod(shape)))


def digits() -> Images:
    """scikit-learn's digits, 8x8, pixel / 16: 1,197 train, 300 held out, 300 test, one fixed permutation.

    Data: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI repository. Raises DataError without them.
    """
    # A file of the package is read, because to import the package takes longer than a smoke training.
    package = importlib.util.find_spec("sklearn")
    if package is None:
        raise DataError("the 8x8 digits are a file of scikit-learn, which is missing: pip install scikit-learn")
    path = Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    order = torch.randperm(sum(DIGITS_SPLIT), generator=torch.Generator().manual_seed(DIGITS_SEED))
    pixels = torch.from_numpy(table[:, :-1]).to(torch.float32).div_(16)
    labels = torch.from_numpy(table[:, -1]).to(torch.int64)
    return Images("digits", SHAPES["digits"], *pixels[order].split(DIGITS_SPLIT), labels[order].split(DIGITS_SPLIT))


def mnist(folder=None) -> Images:
    """MNIST, 28x28, pixel / 255: 50,000 train, 10,000 held out (the end of the training file), 10,000 test.

    Reads idx files (plain or .gz, "-idx" or ".idx" in their names) in folder, folder/raw or folder/MNIST/raw; folder is
    the argument, else the environment variable FGAN_DATA, else data/. It never downloads. Raises DataError for a
    missing file and for one that is not the original. Data: LeCun, Cortes and Burges.
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
    raw = Path(folder, "MNIST", "raw")
    with files.writing(raw):
        raw.mkdir(parents=True, exist_ok=True)
        # Files are moved into place whole and checked, so a killed download leaves nothing that looks like data.
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=raw) as scratch:
            for name in MNIST_MD5:
                if name not in present:
                    _download(name, scratch)
                    os.replace(Path(scratch, f"{name}.gz"), raw / f"{name}.gz")
    return folder


def _download(name: str, folder):
    """Writes the packed file of the first mirror that has it; raises DataError with the last one's answer."""
    for mirror in MIRRORS:
        answer = f"{mirror.split('/')[2]} sent another file"
        try:
            with urllib.request.urlopen(f"{mirror}/{name}.gz", timeout=PATIENCE) as source:
                content = source.read()
        except (OSError, http.client.HTTPException) as error:
            answer = f"{mirror.split('/')[2]}: {getattr(error, 'reason', None) or error}"
            continue
        Path(folder, f"{name}.gz").write_bytes(content)
        with contextlib.suppress(DataError):
            read_idx(name, folder)
            return
    raise DataError(
        f"MNIST's {name} could not be downloaded ({answer}): try again with a network, or set FGAN_DATA (or data=) to "
        "a folder with its four idx files."
    )


def read_idx(name: str, folder=None) -> np.ndarray:
    """One MNIST file as a uint8 array, images [n, h, w] or labels [n]; folder and errors as in mnist."""
    folder = _folder(folder)
    path = find_idx(name, folder)
    if path is None:
        raise DataError(_absent(name, folder))
    wrong = f"{path} is not MNIST's {name} (%s): move it elsewhere and run `python -m fgan fetch mnist`, or set "
    wrong += "FGAN_DATA (or data=) to a folder with MNIST's own files."
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise DataError(wrong % f"it cannot be unpacked: {error}") from error
    except OSError as error:
        raise _closed(path, error) from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MNIST_MD5[name]:
        raise DataError(wrong % f"its md5 differs{_relative(content)}")
    # idx: two zero bytes, 8 for uint8, the number of dimensions, each as big-endian uint32, the values.
    dims = 3 if "idx3" in name else 1
    shape = np.frombuffer(content[4 : 4 + 4 * dims], ">u4").astype(int)
    if content[:4] != bytes([0, 0, 8, dims]) or len(content) != 4 + 4 * dims + shape.prod():
        raise DataError(wrong % "its header does not fit its content")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape).copy()


def _relative(content: bytes) -> str:
    """Words on the set that an idx file of images seems to hold, by its mean pixel; none for another file."""
    pixels = np.frombuffer(content, np.uint8, offset=min(16, len(content)))
    if content[:4] != bytes([0, 0, 8, 3]) or not len(pixels):
        return ""
    mean = pixels.mean() / 255
    return next((f"; it seems to be {name}'s" for name, own in RELATIVES.items() if abs(mean - own) < NEAR), "")


def _absent(name: str, folder: Path) -> str:
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    other = next((found for found in names if any(fnmatch(found.lower(), end) for end in OTHERS)), None)
    there = f" ({other} is, in another format: wanted are the four idx files, plain or .gz)" if other else ""
    return (
        f"MNIST's {name} is not in {folder}{there}: set FGAN_DATA (or data=) to the folder with the idx files or run "
        "`python -m fgan fetch mnist`."
    )


def find_idx(name: str, folder: Path) -> Path | None:
    """The file of that name in folder, folder/raw or folder/MNIST/raw, plain before gzipped; None without one.

    Its name may have a dot before "idx". Raises DataError for a folder that cannot be read.
    """
    names = [spelt + end for spelt in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    return next((path for sub in ("", "raw", "MNIST/raw") for n in names if is_file(path := folder / sub / n)), None)


def is_file(path: Path) -> bool:
    """Whether a file is there; raises DataError for one in a folder that cannot be read."""
    try:
        return path.is_file()
    except OSError as error:
        raise _closed(path, error) from error


def _closed(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be read ({error.strerror or error}): change its permissions, or set FGAN_DATA (or data=) to a "
        "folder that can."
    )


def _folder(folder) -> Path:
    given = folder or os.environ.get("FGAN_DATA")
    path = Path(given or "data")
    try:
        path = path.expanduser()
        there = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # a closed parent, no such user, a null byte
        raise DataError(f"the data folder {str(path)!r} cannot be read ({error}): name another one.") from error
    if given and not there:
        wrong = "is a file" if path.exists() else "does not exist"
        raise DataError(f"the data folder {path} {wrong}: set FGAN_DATA (or data=) to a folder that is there.")
    if there and not os.access(path, os.R_OK | os.X_OK):
        raise _closed(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return path
