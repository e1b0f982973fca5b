"""Before a training: remedies that exist, functions that run.py and figures.py must have."""

import shutil

import pytest
from small import EXPERIMENTS

from fgan import design
from fgan.design import DesignError
from fgan.jobs.validate import validate


@pytest.mark.parametrize("name", design.find(EXPERIMENTS))
def test_every_experiment_is_complete(name):
    for scale in design.SCALES:
        validate(design.load(name, scale, EXPERIMENTS), EXPERIMENTS)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("experiment.yaml", "kind: packing", "kind: paking", "unknown remedy 'paking'; did you mean 'packing'?"),
        ("experiment.yaml", "points: 2", "pionts: 2", "the remedy 'packing'"),
        ("run.py", "def observe(", "def observed(", "run.py lacks the function 'observe'"),
        ("run.py", "def baselines(", "def baseline(", "run.py lacks the function 'baselines'"),
        ("figures.py", "def figure_modes(", "def figure_mode(", "figures.py lacks the function 'figure_modes'"),
    ],
)
def test_what_is_missing_gets_one_sentence(tmp_path, file, old, new, words):
    folder = shutil.copytree(EXPERIMENTS / "remedies", tmp_path / "remedies")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(DesignError, match=words.replace("?", "[?]")):
        validate(design.load("remedies", "full", tmp_path), tmp_path)


@pytest.mark.parametrize("means", ["[[0.0, 0.0], [1.0]]", "[a, b]", "[{x: 1}, 2.0]"])
def test_a_target_that_cannot_be_made_gets_one_sentence(tmp_path, means):
    folder = shutil.copytree(EXPERIMENTS / "ring", tmp_path / "ring")
    text, ring = (folder / "experiment.yaml").read_text(), "{kind: ring, modes: 8, radius: 2.0, sd: 0.02}"
    assert ring in text
    mixture = f"{{kind: mixture, weights: [0.5, 0.5], means: {means}, variances: [1.0, 1.0]}}"
    (folder / "experiment.yaml").write_text(text.replace(ring, mixture))
    with pytest.raises(DesignError, match="ring/experiment.yaml, arm 'tanh': "):
        validate(design.load("ring", "smoke", tmp_path), tmp_path)
