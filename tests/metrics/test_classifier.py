"""The classifier: how good it is, that it repeats bit for bit, and what it says of stacks and of broken images."""

import math
import os
from dataclasses import replace

import pytest
import torch

from fgan.metrics import classifier as module
from fgan.metrics.classifier import classifier
from fgan.targets import images


@pytest.fixture(scope="module")
def digits():
    return images.digits()


@pytest.fixture
def short(monkeypatch):
    """Short trainings, none of them remembered."""
    monkeypatch.setattr(module, "STEPS", 20)
    monkeypatch.setattr(module, "_trained", {})


def test_the_digits_are_recognised(digits):
    found = classifier(digits)
    assert found.accuracy >= 0.97
    assert found.accuracy == (found.classes(digits.test) == digits.labels[2]).double().mean().item()
    assert (found.classes(digits.held_out) == digits.labels[1]).double().mean() > 0.96
    assert found.features(digits.test).shape == (300, 64) and found.features(digits.test).dtype == torch.float32
    assert not found.features(digits.test).requires_grad


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FGAN_DATA"), reason="FGAN_DATA names no folder with MNIST")
def test_mnist_is_recognised():
    assert classifier(images.mnist()).accuracy > 0.985


def test_a_training_repeats_whatever_the_seed_and_the_threads(short, digits):
    first = classifier(digits)
    module._trained.clear()
    torch.manual_seed(7)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.no_grad():
            again = classifier(digits)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert again is not first and again.hash == first.hash and len(again.hash) == 64
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_set_of_equal_content_gets_the_same_classifier(short, digits):
    found = classifier(digits)
    assert classifier(images.digits()) is found and classifier(replace(digits, name="copy")) is found
    other = classifier(replace(digits, labels=tuple(9 - part for part in digits.labels)))
    assert other.hash != found.hash
    assert classifier(replace(digits, train=digits.train.flip(0))).hash != found.hash


def test_a_set_without_labels_is_named():
    with pytest.raises(ValueError, match="'digits' has no labels"):
        classifier(images.blank("digits"))


def test_colour_images(short):
    random = torch.Generator().manual_seed(0)
    parts = torch.rand(3, 50, 3 * 6 * 5, generator=random)
    labels = tuple(torch.arange(50) % 4 for _ in range(3))
    found = classifier(images.Images("colours", (3, 6, 5), *parts, labels))
    assert found.features(parts[2]).shape == (50, 64) and set(found.classes(parts[2]).tolist()) <= set(range(4))


def test_a_run_does_not_depend_on_its_neighbours(short, digits, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 40)  # no divisor of the 99 images of a run
    found, stack = classifier(digits), digits.train[:495].view(5, 99, 64)
    for judge in (found.features, found.classes):
        alone = torch.stack([judge(run.clone()) for run in stack])
        assert torch.equal(judge(stack), alone) and torch.equal(judge(stack[1:3]), alone[1:3])
        assert torch.equal(judge(stack.transpose(0, 1).contiguous().transpose(0, 1)), alone)
    assert found.classes(stack).shape == (5, 99) and found.features(stack).shape == (5, 99, 64)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_an_image_that_is_not_finite_shows(short, digits, wrong):
    ill = digits.test[:20].clone()
    ill[3, 0] = wrong
    found, well = classifier(digits), torch.arange(20) != 3
    assert found.features(ill)[3].isnan().all() and found.classes(ill)[3] == -1
    assert torch.equal(found.features(ill)[well], found.features(digits.test[:20])[well])


def test_a_damaged_file_is_made_again(short, digits, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_folder", tmp_path)
    first = module.read(digits, "key")
    path = tmp_path / "key.pt"
    content = path.read_bytes()
    assert module.trained(path) is not None
    for at in range(0, len(content), len(content) // 20):
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        kept = module.trained(path)
        assert kept is None or torch.equal(kept["weights"], first.weights)
    path.write_bytes(b"")
    assert torch.equal(module.read(digits, "key").weights, first.weights) and module.trained(path) is not None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_images_on_a_gpu_are_judged_there(short, digits):
    found = classifier(digits)
    assert classifier(digits.to("cuda")) is found
    x = digits.test.view(3, 100, 64)
    judged = found.features(x.to("cuda"))
    assert judged.device.type == "cuda"
    torch.testing.assert_close(judged.cpu(), found.features(x), rtol=1e-2, atol=1e-2)
