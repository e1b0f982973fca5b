"""Packages: an experiment's files import each other, from any folder, and never what they were before."""

import os

import pytest

from fgan import design
from fgan.design import DesignError


def experiment(root, factor=2):
    """A toy experiment in root/toy: run.py and figures.py, with a module that both share."""
    folder = root / "toy"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.py").write_text("from . import games\nfrom .games import double\n\nVALUE = double(games.ONE)\n")
    (folder / "games.py").write_text(f"ONE = 1\n\n\ndef double(x):\n    return {factor} * x\n")
    (folder / "figures.py").write_text("def lazy():\n    from . import games\n\n    return games.ONE\n")
    return root


def test_a_module_imports_its_siblings_from_any_folder(tmp_path, monkeypatch):
    first, second = experiment(tmp_path / "a", 2), experiment(tmp_path / "b", 3)
    assert [design.module(root, "toy", "run").VALUE for root in (first, second, first)] == [2, 3, 2]
    monkeypatch.chdir(first)
    assert design.module(".", "toy", "run").VALUE == 2
    assert design.module(second, "toy", "figures").lazy() == 1


def test_an_edit_is_seen_even_with_the_time_and_size_of_before(tmp_path):
    root = experiment(tmp_path)
    file = root / "toy" / "games.py"
    before = file.stat()
    assert design.module(root, "toy", "run").VALUE == 2
    file.write_text(file.read_text().replace("return 2", "return 5"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert design.module(root, "toy", "run").VALUE == 5
    assert not (root / "toy" / "__pycache__").exists()


def test_figures_do_not_execute_what_trains(tmp_path):
    root = experiment(tmp_path)
    (root / "toy" / "run.py").write_text("raise RuntimeError\n")
    assert design.module(root, "toy", "figures").lazy() == 1


def test_a_missing_file_and_a_missing_sibling_are_named(tmp_path):
    root = experiment(tmp_path)
    with pytest.raises(DesignError, match=r"toy/runs.py is missing"):
        design.module(root, "toy", "runs")
    (root / "toy" / "games.py").unlink()
    with pytest.raises(ImportError, match="games"):
        design.module(root, "toy", "run")
