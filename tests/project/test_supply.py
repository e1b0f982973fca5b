"""What comes from outside: the lock with its hashes and licences, files that might be hostile, and the network."""

import ast
import os
import pickle
import re
import socket
import tomllib
from pathlib import Path

import numpy as np
import pytest
import shown
import torch
import yaml
from small import ROOT, listed

from fgan import design
from fgan.files import RecordError
from fgan.jobs.train import Checkpoint
from fgan.metrics import classifier
from fgan.report import draw, licences
from fgan.report.part import read_arrays

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = licences.pins(ROOT / "requirements.lock")
MANY_BUILDS = {"torch", "torchvision"}
UNPICKLE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
NETWORK = {"socket", "urllib", "http", "ssl", "ftplib", "requests", "urllib3", "aiohttp"}
PYTHON = [name for name in listed() if re.match(r"(src|experiments|benchmarks)/.*\.py$", name)]
FIGURE = '"""Nothing is drawn."""', "import matplotlib.pyplot as plt\n\n    return plt.figure()"


def canonical(name):
    return re.sub("[-_.]+", "-", name.lower())


def test_every_pin_of_one_build_has_its_hashes():
    text = (ROOT / "requirements.hashes").read_text()
    blocks = re.findall(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text, re.M)
    hashed = {name: version for name, version, _ in blocks}
    assert hashed == {canonical(name): version for name, version in PINS.items() if name not in MANY_BUILDS}
    assert text.count("--hash") == sum(hashes.count("--hash") for *_, hashes in blocks)


def test_every_pin_has_its_licence():
    rows = re.findall(r"^\| (\S+) \| (\d\S*) \| (.+) \|$", (ROOT / "docs/licences.md").read_text(), re.M)
    assert {name: version for name, version, _ in rows} == PINS
    assert all(licence.strip() for *_, licence in rows)


def test_the_forge_runs_what_must_pass_on_each_python_that_is_supported():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert "bash .ci/run" in [step.get("run") for step in job["steps"]]
    supported = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if "Python :: 3." in text]
    assert job["strategy"]["matrix"]["python"] == supported
    assert PROJECT["requires-python"] == f">={supported[0]}"
    readme = (ROOT / "README.md").read_text()
    assert f"Python {supported[0]} to {supported[-1]}" in readme


def calls(tree):
    """(dotted name, {keyword: value}) of every call in a syntax tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


@pytest.mark.parametrize("name", PYTHON)
def test_no_code_is_read_from_a_file_and_only_two_files_know_a_network(name):
    """What unpickles or evaluates; MNIST's download, and the Unix socket of the workflow's helper."""
    tree = ast.parse((ROOT / name).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported = {module.partition(".")[0] for module in imported}
    assert not imported & UNPICKLE
    assert not imported & NETWORK or name in ("src/fgan/targets/images.py", "src/fgan/jobs/warm.py")
    for function, words in calls(tree):
        assert function not in ("eval", "exec", "pd.read_pickle", "yaml.unsafe_load", "yaml.full_load")
        assert function != "torch.load" or words.get("weights_only") == "True"
        assert function != "np.load" or words.get("allow_pickle", "False") == "False"
        assert function != "yaml.load" or name == "src/fgan/design/validation.py"  # with a subclass of the safe loader


class Hostile:
    """Makes a folder `executed` where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_hostile_files_execute_nothing(away, capsys):
    """A checkpoint, a classifier, samples and a design that would run code where they are read with trust."""
    pickle.loads(pickle.dumps(Hostile()))
    os.rmdir("executed")  # so it does what it says
    torch.save({"step": 1, "state": Hostile()}, "hostile.pt")
    assert Checkpoint("hostile.pt", "cpu").load() is None and "not loaded" in capsys.readouterr().err
    assert classifier.trained("hostile.pt") is None
    np.savez("samples.npz", real=np.array([Hostile()], dtype=object))
    with pytest.raises((RecordError, ValueError)):
        read_arrays("samples.npz")
    Path("design.yaml").write_text("title: !!python/object/apply:os.mkdir [executed]\n")
    with pytest.raises(design.DesignError, match="design.yaml"):
        design.read_yaml("design.yaml")
    assert not Path("executed").exists()


def test_training_gathering_judging_and_drawing_open_no_socket(away, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo", "socketpair"):
        monkeypatch.setattr(socket, name, refused)
    with pytest.raises(AssertionError):
        socket.create_connection(("localhost", 9))
    monkeypatch.setattr(shown, "FIGURES", shown.FIGURES.replace(*FIGURE))
    shown.experiment(away)
    record = shown.record()
    draw.draw(record, "toy")
    made = ("toy/measurements.parquet", "tables/claims.csv", "numbers.tex", "figures/toy_modes.pdf")
    assert all((record / name).stat().st_size for name in made)
