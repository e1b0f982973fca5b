"""The container's recipe agrees with the Makefile and pyproject.toml; it is parsed here and not built."""

import fnmatch
import re
import tomllib

import pytest
from packaging.specifiers import SpecifierSet
from small import ROOT

RECIPE = (ROOT / "Containerfile").read_text()


@pytest.fixture
def steps():
    """[(instruction, arguments)] without comments."""
    return [tuple(line.split(maxsplit=1)) for line in RECIPE.splitlines() if line and not line.startswith("#")]


def copied(steps, before):
    """The patterns of files that are in the image when a step begins."""
    end = steps.index(before)
    return [name for kind, words in steps[:end] if kind == "COPY" for name in words.split()[:-1]]


def test_the_python_of_the_image_is_that_of_the_lock(steps):
    version = re.fullmatch(r"python:(\d+\.\d+)-slim", dict(steps)["FROM"])[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(version)
    assert f"Python {version}" in (ROOT / "requirements.lock").read_text()


def test_the_image_holds_what_make_needs_when_it_is_called(steps):
    """`make tex` and `make setup` are the only lists of packages; the files that they read were copied before."""
    makefile = (ROOT / "Makefile").read_text()
    needed = re.search(r"^\.venv/installed: (.+)$", makefile, re.M)[1].split()
    needed += [tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["readme"], "Makefile", "src"]
    there = copied(steps, ("RUN", "make setup"))
    assert [name for name in needed if not any(fnmatch.fnmatch(name, pattern) for pattern in there)] == []
    tex = next(step for step in steps if step[1].startswith("make tex"))
    assert "Makefile" in copied(steps, tex) and "latexmk -version" in tex[1], "a failed installation ends the build"
    commands = [word for kind, text in steps if kind == "RUN" for word in re.findall(r"make (\w+)", text)]
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in [*commands, "quick"]) and commands


def test_no_environment_or_record_of_the_host_is_copied():
    ignored = (ROOT / ".containerignore").read_text().split()
    assert {".venv", ".snakemake", "results", "data"} <= set(ignored) and "!results/reference" in ignored
