"""Settings of `--config`: defaults, what is accepted, and one sentence for each that is not."""

import re

import pytest
from small import ROOT, listed

from fgan import design
from fgan.design import DesignError
from fgan.design.options import VARIABLES

SCHEMA = ROOT / "rules/config.schema.yaml"
WRONG = [
    ({"record": "quik"}, "'record' (the record to make) cannot be 'quik'; did you mean 'quick'?"),
    ({"record": True}, "'record' (the record to make) cannot be 'True'"),
    ({"record": None}, "'record' (the record to make) cannot be 'None'"),
    ({"record": ["quick"]}, "'record' (the record to make) cannot be '['quick']'"),
    ({"recrd": "quick"}, "unknown key 'recrd' in the configuration; did you mean 'record'?"),
    ({"cores": 2}, "unknown key 'cores' in the configuration"),
    ({"max-steps": 2}, "unknown key 'max-steps' in the configuration; did you mean 'max_steps'?"),
    ({"seeds": 0}, "cannot be 0: it must be at least 1"),
    ({"seeds": -7}, "cannot be -7: it must be at least 1"),
    ({"seeds": 7.0}, "must be an integer, not '7.0'"),
    ({"seeds": 1.5}, "must be an integer, not '1.5'"),
    ({"seeds": True}, "must be an integer, not 'True'"),
    ({"seeds": "many"}, "must be an integer, not 'many'"),
    ({"seeds": "1e3"}, "must be an integer, not '1e3'"),
    ({"seeds": ""}, "must be an integer, not ''"),
    ({"seeds": float("nan")}, "'seeds' must be a finite number, not nan or inf"),
    ({"seeds": float("inf")}, "'seeds' must be a finite number, not nan or inf"),
    ({"seeds": [1, 2]}, "must be an integer, not '[1, 2]'"),
    ({"max_steps": 0}, "'max_steps' (cut every training to this many steps) cannot be 0: it must be at least 1"),
    ({"max_steps": -1}, "it must be at least 1"),
    ({"max_steps": 2.5}, "must be an integer"),
    ({"max_steps": "2k"}, "must be an integer, not '2k'"),
    ({"device": "gpu"}, "cannot be 'gpu'; a GPU is 'cuda'"),
    ({"device": "GPU"}, "cannot be 'GPU'; a GPU is 'cuda'"),
    ({"device": "gpu0"}, "cannot be 'gpu0'; valid names: auto, cpu, cuda"),
    ({"device": "cuda:1"}, "cannot be 'cuda:1'; did you mean 'cuda'?"),
    ({"device": 0}, "cannot be '0'; valid names: auto, cpu, cuda"),
    ({"data": 2024}, "data=2024 is no folder that is there"),
    ({"data": "nowhere"}, "data=nowhere is no folder that is there"),
    ({"data": "~no-such-user/data"}, "is no folder that is there"),
    ({"data": "a\0b"}, "is no folder that is there"),
    ({"data": True}, "'data' (folder with the image sets) must be text, not 'True'; put it in quotes"),
    ({"data": 1.5}, "'data' (folder with the image sets) must be text, not '1.5'; put it in quotes"),
    ({"data": ["a"]}, "'data' (folder with the image sets) must be text"),
    ({"record": "reference", "seeds": 7}, "'reference' is only shown, so 'seeds' changes nothing: omit it"),
    ({"record": "reference", "max_steps": 7}, "'reference' is only shown, so 'max_steps' changes nothing: omit it"),
]


@pytest.mark.parametrize("given, words", WRONG, ids=[str(given) for given, _ in WRONG])
def test_a_wrong_setting_gets_one_sentence(given, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DesignError) as caught:
        design.configuration(given, SCHEMA)
    sentence = str(caught.value)
    assert sentence.startswith("--config: ") and words in sentence and "\n" not in sentence


def test_what_is_right_is_taken_with_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2024").mkdir()
    assert design.configuration({}, SCHEMA) == {"record": "full", "device": "auto"}
    given = {"record": "quick", "device": "cuda", "seeds": 7, "max_steps": 50, "data": 2024}
    assert design.configuration(given, SCHEMA) == given | {"data": "2024"}
    assert design.configuration({"record": "reference"}, SCHEMA)["record"] == "reference"


def test_variables_that_are_right_are_taken():
    design.variables({"FGAN_DATA": "x", "FGAN_CHECKPOINT_SECONDS": "0", "FGAN_WARM": "y", "HOME": "z", "FGANX": "w"})


def test_every_variable_that_is_named_anywhere_is_taken():
    """Those of the tests too, because a command that a test starts inherits them; but for two that are misspelt."""
    texts = [(ROOT / n).read_text(encoding="utf-8") for n in listed() if n.endswith((".md", ".py", ".smk", "Makefile"))]
    named = {name for text in texts for name in re.findall(r"\bFGAN_[A-Z_]*[A-Z]\b", text)}
    assert named - set(VARIABLES) == {"FGAN_" + "DTA", "FGAN_" + "CHECKPOINTS_SECONDS"}
