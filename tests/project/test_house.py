"""The house: metadata agree with each other, the README is true, and nothing that must not be there is there."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import mutants
import pytest
import yaml
from small import listed

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.record import audit, publish
from fgan.report import draw, pages

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name(requirement):
    return re.split(r"[\[<>=!~ ]", requirement)[0].lower().replace("_", "-")


def test_environment_agrees_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert sorted(conda) == sorted(PROJECT["dependencies"])
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_the_lock_pins_every_dependency_within_its_range():
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pins = {k.lower().replace("_", "-"): v for k, v in pins.items()}
    for wanted in map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]):
        assert wanted.specifier.contains(pins[name(str(wanted))]), wanted


@pytest.fixture
def root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_the_generated_pages_are_current(root):
    """README's findings, the verdicts of the committed record, the data dictionary, the table of divergences."""
    stale = [str(path) for path, text in pages.pages(Path("results/reference")).items() if path.read_text() != text]
    assert not stale, f"run `python -m fgan pages`; it writes {stale}"


@pytest.mark.slow
def test_a_page_that_is_edited_by_hand_is_noticed(root):
    text, frame = Path("README.md").read_text(), pages.verdicts(draw.parts(Path("results/reference")))
    assert pages.readme(text.replace("| KL (saddle) covers", "| KL (saddle) never covers"), frame) == text
    with pytest.raises(design.DesignError, match="README.md has no place for the findings"):
        pages.readme(text.replace("<!-- findings: ", "<!-- "), frame)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 160


def test_every_metric_of_the_committed_record_is_described(root):
    for part in draw.parts(Path("results/reference")):
        metrics = {*part.measurements.metric.unique(), *part.untrained.metric.unique()}
        assert metrics <= set(pages.described(part.name)), part.name


def test_the_readme_names_targets_and_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z]+)", readme):
        assert re.search(rf"^(.* )?{target}\b.*:", makefile, re.M), target
    named = {kind: set(re.findall(rf"snakemake {kind}_([a-z_]+)\b", readme)) for kind in ("figure", "table")}
    assert named["figure"]
    for kind, names in named.items():
        assert names <= set(design.captions(kind, ROOT / "experiments")), names
    for file in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / file).exists(), file


def test_the_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60


def test_every_figure_and_table_has_its_function_and_every_function_its_caption():
    for kind in ("figure", "table"):
        captions = design.captions(kind, ROOT / "experiments")
        for experiment in design.find(ROOT / "experiments"):
            source = (ROOT / "experiments" / experiment / "figures.py").read_text()
            written = set(re.findall(rf"^def {kind}_(\w+)\(", source, re.M))
            assert written == {short for owner, short, _ in captions.values() if owner == experiment}


@pytest.mark.parametrize("old", [False, True])
def test_an_older_python_is_named_and_leaves_no_environment(tmp_path, old):
    """`make setup` with a Python before 3.11, also where an earlier try left its .venv, and then with a newer one."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "requirements.hashes", "pyproject.toml"):
        (tmp_path / name).touch()
    python = tmp_path / "python3.10"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    if old:
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/bin/python").symlink_to(python)
    call = ["make", "setup", f"PYTHON={python}"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and f"Python 3.11 or newer is needed, and {python} is not" in done.stdout
    assert (tmp_path / ".venv").exists() == old, "what is there is replaced by a newer Python alone"
    made = tmp_path / "python3.11"  # makes an environment whose pip does nothing
    site = tmp_path / ".venv/lib/python3.11/site-packages"
    made.write_text(f"""#!/bin/sh
if [ "$2" = venv ]; then
  mkdir -p .venv/bin '{site}' && cp "$0" .venv/bin/python && echo '{tmp_path}/src' >'{site}/__editable__.fgan.pth'
fi
""")
    made.chmod(0o755)
    assert subprocess.run([*call[:2], f"PYTHON={made}"], cwd=tmp_path, capture_output=True).returncode == 0
    assert (tmp_path / ".venv/installed").exists() and not (tmp_path / ".venv/bin/python").is_symlink()
    line = (site / "__editable__.fgan.pth").read_text().strip()  # names this folder wherever it is moved or copied to
    assert not Path(line).is_absolute() and (site / line).resolve() == (tmp_path / "src").resolve()


def test_no_data_or_weights_are_committed():
    assert not [f for f in listed() if re.search(r"ubyte|\.(pt|pth|ckpt|safetensors)$", f)]


@pytest.mark.parametrize("file, old, new, tests", mutants.MUTANTS)
def test_every_mutant_changes_what_is_there_and_names_tests(file, old, new, tests):
    text = (ROOT / "src/fgan" / file).read_text()
    assert mutants.changed(text, old, new) != text and (ROOT / "tests" / tests).exists()


def test_labels_are_unique_because_figures_and_tables_show_them():
    labels = [d.label for d in DIVERGENCES.values()]
    assert len(set(labels)) == len(labels)


def test_the_published_record_is_whole_and_small(monkeypatch):
    monkeypatch.chdir(ROOT)
    wrong = audit.check(ROOT / "results/reference")
    # What a new experiment or an edit changes until there is a new record.
    allowed = ("stale", "claims changed", "today's design", "not run")
    assert [line for line in wrong if not any(words in line for words in allowed)] == []
    parts = [card.parent for card in (ROOT / "results/reference").glob("*/card.json")]  # drawings are not committed
    sizes = [path.stat().st_size for part in parts for path in part.glob("*.*")]
    assert sum(sizes) < publish.RECORD_LIMIT
