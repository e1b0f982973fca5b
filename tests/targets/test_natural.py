"""Natural images: CIFAR-10 and LSUN from small files made here, and the sentences on wrong ones."""

import hashlib
import importlib.util
import io
import math
import pickle

import lmdb
import numpy as np
import pytest
import torch
from PIL import Image

from fgan.files import DataError
from fgan.targets import blank, natural, vision

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (90, 90, 90)}


@pytest.fixture(autouse=True)
def split(monkeypatch):
    monkeypatch.setattr(natural, "HELD_OUT", 6)
    monkeypatch.delenv("FGAN_DATA", raising=False)


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A folder with CIFAR-10 of 5 x 8 training and 10 test images, its md5 in torchvision's lists; and its pixels."""
    random, folder = np.random.default_rng(0), tmp_path / natural.CIFAR
    folder.mkdir()
    md5, pixels = {}, {}
    for name in natural.CIFAR_FILES[:-1]:
        pixels[name] = random.integers(0, 256, (10 if name == "test_batch" else 8, 3072), np.uint8)
        content = pickle.dumps({"data": pixels[name], "labels": [0] * len(pixels[name])})
        (folder / name).write_bytes(content)
        md5[name] = hashlib.md5(content).hexdigest()
    content = pickle.dumps({"label_names": ["aeroplane"]})
    (folder / "batches.meta").write_bytes(content)
    source = vision.datasets.CIFAR10
    monkeypatch.setattr(source, "train_list", [[n, md5[n]] for n in md5 if n != "test_batch"])
    monkeypatch.setattr(source, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(source, "meta", source.meta | {"md5": hashlib.md5(content).hexdigest()})
    return tmp_path, pixels


def encoded(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def classroom(place, images):
    """A database of images by their number, as LSUN's."""
    with lmdb.open(str(place / natural.LSUN), map_size=2**24) as database, database.begin(write=True) as writing:
        for i, content in enumerate(images):
            writing.put(f"{i:04}".encode(), content)
    return place


@pytest.fixture
def lsun(tmp_path):
    """14 wide images of one colour between white margins that the cropping removes, then a tall and a small one."""
    made = []
    for colour in list(COLOURS.values()) * 3 + [COLOURS["red"]] * 2:
        pixels = np.full((192, 320, 3), 255, np.uint8)
        pixels[:, 60:-60] = colour
        made.append(encoded(pixels))
    half = np.zeros((400, 200, 3), np.uint8)
    half[200:] = COLOURS["blue"]
    made += [encoded(half, "JPEG"), encoded(np.full((30, 40), 7, np.uint8))]
    return classroom(tmp_path, made)


def test_cifar_is_read_channels_first_and_split(cifar):
    folder, pixels = cifar
    images = natural.load("cifar10", folder)
    assert isinstance(images, natural.Images) and (images.name, images.shape) == ("cifar10", (3, 32, 32))
    assert images.dimension == 3072
    assert [len(part) for part in (images.train, images.held_out, images.test)] == [34, 6, 10]
    assert {part.dtype for part in (images.train, images.held_out, images.test)} == {torch.uint8}
    # The files hold red, green and blue one after the other, as convolutions want them.
    train = np.concatenate([pixels[f"data_batch_{i}"] for i in range(1, 6)])
    np.testing.assert_array_equal(images.all_train, train)
    np.testing.assert_array_equal(images.test, pixels["test_batch"])


def test_what_is_drawn_is_in_minus_one_to_one(cifar):
    images = natural.load("cifar10", cifar[0])
    indices = images.draw((5, 7), torch.Generator().manual_seed(0))
    drawn = images(indices)
    assert drawn.shape == (5, 7, 3072) and drawn.dtype == torch.float32
    assert drawn.min() == -1 and drawn.max() == 1
    torch.testing.assert_close(drawn[1, 3], images.train[indices[1, 3]] / 127.5 - 1)
    assert images.to("meta")(indices.to("meta")).shape == (5, 7, 3072)


@pytest.mark.parametrize("kind", natural.SHAPES)
def test_blank_has_the_shapes_alone(kind):
    images = blank({"target": {"kind": kind}})
    assert images(torch.zeros(2, 4, dtype=int)).shape == (2, 4, math.prod(natural.SHAPES[kind]))
    assert images.dimension == images.test.shape[1] and images.to("meta").train.device.type == "meta"


def test_lsun_is_scaled_and_its_middle_cut_out(lsun):
    images = natural.load("lsun", lsun)
    assert images.shape == (3, 96, 96) and images.dimension == 27648
    assert [len(part) for part in (images.train, images.held_out, images.test)] == [4, 6, 6]
    for image, colour in zip(images.train, COLOURS.values(), strict=True):
        channels = image.view(3, -1)
        assert [int(channel.unique()) for channel in channels] == list(colour)
    tall, small = images.test[-2].view(3, 96, 96).int(), images.test[-1]
    # The middle of the tall image: black above, blue below.
    assert tall[:, :46].max() < 20 and tall[:2, 50:].max() < 20 and tall[2, 50:].min() > 235
    assert (small == 7).all()
    assert images(torch.tensor([0]))[0, :9216].eq(1).all() and images(torch.tensor([0]))[0, 9216:].eq(-1).all()


def test_lsun_is_decoded_once_and_nothing_else_is_left(lsun, monkeypatch, capsys, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    first = natural.load("lsun", lsun)
    assert "16 classrooms" in capsys.readouterr().err
    assert {path.name for path in lsun.iterdir() if path.name[0] != "."} == {natural.LSUN, natural.CACHE}
    assert not list(natural.Path.cwd().iterdir()) and not list(lsun.glob("*.partial"))
    monkeypatch.setattr(natural, "decode", None)
    again = natural.load("lsun", lsun)
    assert torch.equal(first.all_train, again.all_train) and torch.equal(first.test, again.test)
    # The cache alone is enough, without the database or its package.
    (lsun / natural.LSUN / "data.mdb").unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert natural.missing("lsun", lsun) is None and torch.equal(natural.load("lsun", lsun).test, first.test)


def test_writing_to_the_mapped_images_leaves_the_cache_as_it_was(lsun):
    natural.load("lsun", lsun).train.zero_()
    assert natural.load("lsun", lsun).train.any()


def test_what_is_missing_gets_one_sentence(tmp_path, cifar, lsun, monkeypatch):
    assert natural.missing("cifar10", tmp_path) is None and natural.missing("lsun", tmp_path) is None
    empty = tmp_path / "empty"
    empty.mkdir()
    for kind, words in {"cifar10": "data_batch_1 is not in", "lsun": "classroom_train_lmdb.* are not in"}.items():
        for folder, wanted in ((empty, words), (tmp_path / "misspelt", "misspelt does not exist")):
            sentence = natural.missing(kind, folder)
            with pytest.raises(DataError, match=wanted) as caught:
                natural.load(kind, folder)
            assert str(caught.value) == sentence and "FGAN_DATA" in sentence and "\n" not in sentence
    monkeypatch.setenv("FGAN_DATA", str(tmp_path))
    assert natural.missing("cifar10") is None
    (tmp_path / natural.CIFAR / "test_batch").unlink()
    assert "test_batch" in natural.missing("cifar10")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "run `pip install lmdb`" in natural.missing("lsun")


@pytest.mark.parametrize("function", [natural.missing, natural.load])
def test_an_unknown_kind_names_the_known_ones(function):
    with pytest.raises(ValueError, match="'cifar'.*cifar10 and lsun"):
        function("cifar")


@pytest.mark.parametrize("name", natural.CIFAR_FILES)
def test_a_damaged_file_of_cifar_is_named(cifar, name):
    path = cifar[0] / natural.CIFAR / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{path} is not the original .*: move it elsewhere and unpack"):
        natural.load("cifar10", cifar[0])


@pytest.mark.parametrize("cut", [0, 100, 0.5])
def test_a_cut_database_is_named(lsun, cut):
    path = lsun / natural.LSUN / "data.mdb"
    content = path.read_bytes()
    path.write_bytes(content[: cut if cut != 0.5 else len(content) // 2])
    with pytest.raises(DataError, match=f"{natural.LSUN} is damaged .*: move it elsewhere and fetch"):
        natural.load("lsun", lsun)
    assert not (lsun / natural.CACHE).exists()


def test_a_database_with_a_garbled_page_is_named(lsun):
    path = lsun / natural.LSUN / "data.mdb"
    content = bytearray(path.read_bytes())
    with lmdb.open(str(path.parent), readonly=True, lock=False) as database:
        page = database.stat()["psize"]
    # The first two pages describe the database; with all others zero its keys cannot be walked.
    path.write_bytes(content[: 2 * page] + bytes(len(content) - 2 * page))
    with pytest.raises(DataError, match=f"{natural.LSUN} is damaged"):
        natural.load("lsun", lsun)


def test_a_damaged_image_is_named_and_leaves_no_cache(tmp_path):
    good = encoded(np.zeros((100, 100, 3), np.uint8), "JPEG")
    classroom(tmp_path, [good, good, good[:400]])
    with pytest.raises(DataError, match="is damaged .image 2: "):
        natural.load("lsun", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {natural.LSUN, f".{natural.CACHE}.lock"}


@pytest.mark.parametrize("how", ["empty", "cut", "words", "shape", "few"])
def test_a_damaged_cache_is_named(lsun, how):
    path = lsun / natural.CACHE
    natural.load("lsun", lsun)
    content = path.read_bytes()
    if how in ("shape", "few"):
        np.save(path, np.zeros((20, 5) if how == "shape" else (12, 27648), np.uint8))
    else:
        path.write_bytes({"empty": b"", "cut": content[:-1], "words": b"no array"}[how])
    with pytest.raises(DataError, match=f"{path} is damaged .*: delete it, and it is made again"):
        natural.load("lsun", lsun)


def test_a_folder_that_cannot_be_written_gets_one_sentence(lsun, monkeypatch):
    (lsun / f".{natural.CACHE}.partial").mkdir()
    with pytest.raises(DataError, match="decoded once into its data folder, but cannot write .*permissions"):
        natural.load("lsun", lsun)
