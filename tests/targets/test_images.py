"""Image sets: splits, the local MNIST reader and its errors, and the guarded import of torchvision."""

import gzip
import hashlib
import http.client
import io
import os
import struct
import subprocess
import sys
import urllib.error

import numpy as np
import pytest
import torch

from fgan.files import DataError
from fgan.targets import images, natural

TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"


def idx(array, magic=0x800):
    return struct.pack(f">{1 + array.ndim}I", magic + array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small(monkeypatch):
    """Small idx files with their md5 in the table: name -> bytes; 20 + 10 training, 12 test images of 3x2."""
    random = np.random.default_rng(0)
    files = {}
    for part, n in (("train", 30), ("t10k", 12)):
        files[f"{part}-images-idx3-ubyte"] = idx(random.integers(0, 256, (n, 3, 2), np.uint8))
        files[f"{part}-labels-idx1-ubyte"] = idx(random.integers(0, 10, n, np.uint8))
    table = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(images, "MNIST_MD5", table)
    monkeypatch.setattr(images, "MNIST_HELD_OUT", 10)
    monkeypatch.delenv("FGAN_DATA", raising=False)
    return files


def put(files, folder, packed=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)


def test_digits_are_split_completely_without_overlap():
    from sklearn.datasets import load_digits

    digits = images.load("digits")
    parts = digits.train, digits.held_out, digits.test
    assert [tuple(part.shape) for part in parts] == [(1197, 64), (300, 64), (300, 64)]
    assert digits.dimension == 64 and digits.shape == (8, 8) and digits.name == "digits"
    together = torch.cat(parts)
    assert together.dtype == torch.float32 and together.min() == 0 and together.max() == 1
    # All digits are different images, so equal sorted rows mean a permutation: complete and disjoint.
    whole = np.unique(load_digits().data, axis=0)
    assert len(whole) == 1797
    np.testing.assert_array_equal(np.unique(together.numpy() * 16, axis=0), whole)


def test_digits_keep_their_labels():
    from sklearn.datasets import load_digits

    source, digits = load_digits(), images.digits()
    classes = {image.tobytes(): label for image, label in zip(source.data.astype(np.uint8), source.target, strict=True)}
    for part, labels in zip((digits.train, digits.held_out, digits.test), digits.labels, strict=True):
        assert labels.dtype == torch.int64
        whole = (part * 16).to(torch.uint8).numpy()
        assert labels.tolist() == [classes[image.tobytes()] for image in whole]


def test_images_move_with_their_labels():
    digits = images.digits().to("meta")
    parts = digits.train, digits.held_out, digits.test, *digits.labels
    assert {part.device.type for part in parts} == {"meta"} and len(parts) == 6


def test_an_image_set_can_do_without_labels():
    for without in (images.blank("digits"), images.Images("colours", (3, 4, 5), *torch.zeros(3, 2, 60))):
        assert without.labels == () and without.to("cpu").labels == ()
        assert without.dimension == without.train.shape[1]


def test_digits_do_not_depend_on_global_seeds():
    torch.manual_seed(1)
    first = images.digits()
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first.test, images.digits().test)
    torch.manual_seed(1)
    images.digits()
    assert torch.equal(state, torch.random.get_rng_state())


def test_draw_and_gather():
    digits = images.digits()
    indices = digits.draw((50, 100), torch.Generator().manual_seed(0))
    assert torch.equal(indices, digits.draw((50, 100), torch.Generator().manual_seed(0)))
    assert indices.shape == (50, 100) and indices.min() >= 0 and indices.max() < 1197
    assert len(indices.unique()) > 1100
    assert torch.equal(digits(indices)[1, 3], digits.train[indices[1, 3]])
    assert digits(indices).shape == (50, 100, 64)


def test_to_moves_every_part():
    moved = images.digits().to("meta")
    assert {part.device.type for part in (moved.train, moved.held_out, moved.test)} == {"meta"}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "raw", "MNIST/raw"])
def test_mnist_files_are_read(small, tmp_path, packed, below):
    put(small, tmp_path / below, packed)
    mnist = images.load("mnist", tmp_path)
    pixels = np.frombuffer(small[TRAIN][16:], np.uint8).reshape(30, 6) / 255
    np.testing.assert_allclose(mnist.all_train.numpy(), pixels, rtol=1e-6)
    np.testing.assert_allclose(mnist.train.numpy(), pixels[:20], rtol=1e-6)
    np.testing.assert_allclose(mnist.held_out.numpy(), pixels[20:], rtol=1e-6)
    assert mnist.test.shape == (12, 6) and mnist.shape == (3, 2) and mnist.dimension == 6
    assert mnist.train.dtype == torch.float32
    labels = [list(small[name][8:]) for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte")]
    assert [part.tolist() for part in mnist.labels] == [labels[0][:20], labels[0][20:], labels[1]]
    assert {part.dtype for part in mnist.labels} == {torch.int64}
    assert images.read_idx("t10k-labels-idx1-ubyte", tmp_path).shape == (12,)


def test_the_folder_is_the_argument_then_the_environment_then_data(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("data", "environment", "argument"):
        with pytest.raises(DataError):
            images.mnist("argument" if folder == "argument" else None)
        put(small, tmp_path / folder)
        images.mnist("argument" if folder == "argument" else None)
        if folder == "data":
            monkeypatch.setenv("FGAN_DATA", str(tmp_path / "environment"))


def test_missing_files_say_what_to_do(small, tmp_path):
    with pytest.raises(DataError, match="set FGAN_DATA .* or run `python -m fgan fetch mnist`"):
        images.mnist(tmp_path)


def damage(content, how):
    return {"flipped": content[:-1] + bytes([content[-1] ^ 1]), "short": content[:-3], "empty": b""}[how]


@pytest.mark.parametrize("how", ["flipped", "short", "empty"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_named(small, tmp_path, how, packed):
    put(small, tmp_path, packed)
    path = tmp_path / (TEST + ".gz" * packed)
    path.write_bytes(damage(path.read_bytes(), how))
    with pytest.raises(DataError, match=f"{path} is not MNIST's {TEST} .*: move it elsewhere and run"):
        images.mnist(tmp_path)


@pytest.mark.parametrize("cut", [1, 5, 12, 60])
def test_a_truncated_or_garbled_gz_is_named(small, tmp_path, cut):
    put(small, tmp_path, packed=True)
    path = tmp_path / (TRAIN + ".gz")
    whole = path.read_bytes()
    for content in (whole[:cut], whole[:cut] + b"\xff" * (len(whole) - cut)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="move it elsewhere and run"):
            images.mnist(tmp_path)


@pytest.mark.parametrize("magic, rows", [(0x900, 30), (0x800, 29)])
def test_a_header_that_does_not_fit_is_named(small, tmp_path, monkeypatch, magic, rows):
    body = idx(np.zeros((30, 3, 2), np.uint8), magic)
    small[TRAIN] = body[:4] + struct.pack(">I", rows) + body[8:]
    monkeypatch.setitem(images.MNIST_MD5, TRAIN, hashlib.md5(small[TRAIN]).hexdigest())
    put(small, tmp_path)
    with pytest.raises(DataError, match="header does not fit"):
        images.mnist(tmp_path)


def test_an_unknown_set_names_the_known_ones():
    with pytest.raises(ValueError, match="'mnits'.*digits and mnist"):
        images.load("mnits")


@pytest.fixture
def web(monkeypatch):
    """What each mirror answers in the place of the web, {host: {name: bytes} or an exception}, and the URLs asked."""
    answers, asked = {}, []

    def urlopen(url, timeout):
        asked.append(url)
        host, name = url.split("/")[2], url.split("/")[-1]
        answer = answers.get(host, urllib.error.URLError(OSError(-2, "Name or service not known")))
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(gzip.compress(answer[name.removesuffix(".gz")]))

    monkeypatch.setattr(images.urllib.request, "urlopen", urlopen)
    return answers, asked


FIRST, SECOND = (mirror.split("/")[2] for mirror in images.MIRRORS)


def test_fetch_downloads_once_and_whole(small, tmp_path, web, capfd):
    answers, asked = web
    with pytest.raises(DataError, match="could not be downloaded .*Name or service not known.* set FGAN_DATA"):
        images.fetch_mnist(tmp_path)
    assert len(asked) == 2 and capfd.readouterr() == ("", ""), "each mirror once, and nothing but the sentence"
    answers[FIRST] = dict.fromkeys(small, b"a page that asks to log in")
    with pytest.raises(DataError, match="could not be downloaded"):
        images.fetch_mnist(tmp_path)
    answers[SECOND] = small
    put({TRAIN: b"damaged"}, tmp_path / "MNIST" / "raw")
    with pytest.raises(DataError, match="its md5 differs"):
        images.fetch_mnist(tmp_path)
    (tmp_path / "MNIST" / "raw" / TRAIN).unlink()
    assert images.fetch_mnist(tmp_path) == tmp_path
    assert images.mnist(tmp_path).train.shape == (20, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["MNIST"]
    assert len(list((tmp_path / "MNIST/raw").iterdir())) == 4
    asked.clear()
    images.fetch_mnist(tmp_path)
    assert not asked


def test_fetch_takes_only_what_is_not_there(small, tmp_path, web):
    web[0][FIRST] = small
    put({TEST: small[TEST]}, tmp_path)
    images.fetch_mnist(tmp_path)
    assert len(web[1]) == 3 and images.mnist(tmp_path).test.shape == (12, 6)


@pytest.mark.parametrize("error", [TimeoutError("timed out"), http.client.RemoteDisconnected("closed")])
def test_a_download_that_fails_is_one_sentence(small, tmp_path, web, error):
    web[0].update({FIRST: error, SECOND: error})
    with pytest.raises(DataError, match=f"{SECOND}: {error}"):
        images.fetch_mnist(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_names_with_a_dot_are_read(small, tmp_path, packed):
    put({name.replace("-idx", ".idx"): content for name, content in small.items()}, tmp_path, packed)
    assert images.missing("mnist", tmp_path) is None and images.mnist(tmp_path).train.shape == (20, 6)


@pytest.mark.parametrize("other", ["mnist.npz", "mnist_train.csv", "train-00000-of-00001.parquet", "MNIST.zip"])
def test_another_format_is_named_with_what_is_wanted(small, tmp_path, other):
    (tmp_path / other).write_bytes(b"")
    with pytest.raises(DataError, match=f"{other} is, in another format: wanted are the four idx files"):
        images.mnist(tmp_path)
    assert other in images.missing("mnist", tmp_path)


@pytest.mark.parametrize("mean, name", [(73, "FashionMNIST"), (49, "KMNIST"), (44, "EMNIST"), (120, None)])
def test_another_set_under_the_names_of_mnist_is_named(small, tmp_path, mean, name):
    put(small | {TRAIN: idx(np.full((30, 3, 2), mean, np.uint8))}, tmp_path)
    with pytest.raises(DataError) as caught:
        images.mnist(tmp_path)
    assert (f"seems to be {name}'s" in str(caught.value)) == (name is not None)
    assert str(tmp_path / TRAIN) in str(caught.value) and "delete" not in str(caught.value)


def closed(error):
    def fails(*_):
        raise error

    return fails


@pytest.mark.parametrize("method", ["is_file", "read_bytes"])
def test_a_closed_folder_or_file_is_one_sentence(small, tmp_path, monkeypatch, method):
    put(small, tmp_path)
    monkeypatch.setattr(images.Path, method, closed(PermissionError(13, "Permission denied")))
    for call in (images.mnist, images.fetch_mnist):
        with pytest.raises(DataError, match="cannot be read .Permission denied.: change its permissions"):
            call(tmp_path)
    if method == "is_file":
        assert "cannot be read" in images.missing("mnist", tmp_path) and "cannot" in natural.missing("lsun", tmp_path)


def test_a_folder_that_nobody_may_list_is_one_sentence(small, tmp_path, monkeypatch):
    monkeypatch.setattr(images.os, "access", lambda *_: False)
    with pytest.raises(DataError, match="cannot be read .Permission denied"):
        images.mnist(tmp_path)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/data", "a" * 300])
def test_a_folder_that_cannot_be_is_one_sentence(small, name):
    with pytest.raises(DataError, match="name another one"):
        images.mnist(name)


def test_a_file_in_the_place_of_the_folder(small, tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"")
    with pytest.raises(DataError, match="mnist.npz is a file"):
        images.mnist(tmp_path / "mnist.npz")


def test_a_folder_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    monkeypatch.setenv("FGAN_DATA", str(tmp_path / "misspelt"))
    with pytest.raises(DataError, match="misspelt does not exist"):
        images.fetch_mnist()
    assert not (tmp_path / "misspelt").exists()


@pytest.mark.skipif(not os.environ.get("FGAN_DATA"), reason="FGAN_DATA names no folder with MNIST")
def test_the_real_mnist():
    mnist = images.mnist()
    assert [len(part) for part in (mnist.train, mnist.held_out, mnist.test)] == [50_000, 10_000, 10_000]
    assert mnist.shape == (28, 28) and mnist.dimension == 784 and mnist.all_train.shape == (60_000, 784)
    assert mnist.all_train.mean().item() == pytest.approx(0.1307, abs=1e-4)
    assert mnist.train.min() == 0 and mnist.train.max() == 1
    assert mnist.labels[0][:5].tolist() == [5, 0, 4, 1, 9]
    assert [part.shape for part in mnist.labels] == [(50_000,), (10_000,), (10_000,)]


def test_torchvision_is_imported_by_its_guard_without_warnings():
    code = "from fgan.targets.vision import datasets; from torchvision.utils import make_grid; import torch;"
    code += "datasets.MNIST; print(tuple(make_grid(torch.zeros(6, 1, 8, 8), nrow=3, padding=2).shape))"
    shape = subprocess.check_output([sys.executable, "-W", "error", "-c", code], text=True)
    assert shape.strip() == "(3, 22, 32)"


def test_images_do_not_need_torchvision():
    code = "import sys, fgan.targets.images; assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
