"""The one factory of targets: what a design's settings make, and which image sets they need."""

from types import SimpleNamespace

import pytest
import torch

from fgan import targets
from fgan.targets import images, natural
from fgan.targets.mixtures import Mixture
from fgan.targets.stacked import Stacked

RING = {"target": {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}}
DIGITS = {"target": {"kind": "digits"}}
STACKED = {"target": {"kind": "digits", "stack": 3}}


def test_a_mixture_is_made_on_its_device():
    made = targets.of(RING, "meta")
    assert isinstance(made, Mixture) and made.means.device.type == "meta" and made.means.shape == (8, 2)


def test_an_image_set_is_the_data_that_were_read():
    data = images.digits()
    assert torch.equal(targets.of(DIGITS, data=data).train, data.train)
    assert targets.of(DIGITS, "meta", data).train.device.type == "meta"


def test_a_stack_takes_its_images_as_channels():
    made = targets.of(STACKED, "meta", images.digits())
    assert isinstance(made, Stacked) and made.count == 3 and made.images.train.device.type == "meta"


def test_only_image_sets_are_read():
    assert targets.load(RING) is None and targets.blank(RING) is None
    assert torch.equal(targets.load(DIGITS).test, images.digits().test)
    assert targets.blank(STACKED).train.shape == (1, 64) and targets.blank({"target": {"kind": "mnist"}}).shape == (
        28,
        28,
    )
    assert targets.reader({"target": {"kind": "lsun"}}) == ("lsun", natural)


def test_an_experiment_may_make_a_target_of_its_own():
    own = {"target": {"kind": "known"}}
    assert targets.module(own) == ("known", None) and targets.load(own) is None and targets.blank(own) is None


@pytest.mark.parametrize("optional", [False, True])
def test_only_an_optional_experiment_is_left_out_for_want_of_data(optional, tmp_path):
    arms = {name: {"target": {"kind": "cifar10"}} for name in ("one", "other")}
    design = SimpleNamespace(common={"optional": True} if optional else {}, arms=arms)
    said = targets.missing(design, tmp_path)
    assert ("set FGAN_DATA" in said) if optional else said is None


def test_an_image_set_without_its_data_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="'digits' is an image set: load it"):
        targets.of({"target": {"kind": "digits"}})


def test_every_reader_says_what_is_missing(tmp_path):
    """An optional experiment may stand on any image set, and on a mixture, which lacks nothing."""

    class Design:
        common, arms = {"optional": True}, {"a": {"target": {"kind": "mnist"}}, "b": {"target": {"kind": "ring"}}}

    assert "train-images-idx3-ubyte is not in" in targets.missing(Design, tmp_path)
    assert "does not exist" in targets.missing(Design, tmp_path / "none")
    Design.arms = {"a": {"target": {"kind": "digits"}}, "b": {"target": {"kind": "ring"}}}
    assert targets.missing(Design, tmp_path) is None
