"""What the tests of designs share: the ring's experiment, edited."""

import shutil

import pytest
from small import EXPERIMENTS

from fgan import design


@pytest.fixture
def ring(tmp_path):
    """Loads a copy of the ring's experiment after replacing some of its text: ring((old, new), ..., scale=, seeds=)."""

    def load(*edits, scale="quick", **options):
        target = tmp_path / "experiments" / "ring"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXPERIMENTS / "ring" / "schema.yaml", target)
        text = (EXPERIMENTS / "ring" / "experiment.yaml").read_text()
        for old, new in edits:
            assert old in text
            text = text.replace(old, new, 1)
        (target / "experiment.yaml").write_text(text)
        return design.load("ring", scale, tmp_path / "experiments", **options)

    return load


@pytest.fixture
def toy(tmp_path):
    """Loads an experiment of its own text and, where it has one, schema."""

    def load(text, schema="", **options):
        target = tmp_path / "experiments" / "toy"
        target.mkdir(parents=True, exist_ok=True)
        (target / "experiment.yaml").write_text(text)
        (target / "schema.yaml").write_text(schema or "{}")
        return design.load("toy", "quick", tmp_path / "experiments", **options)

    return load
