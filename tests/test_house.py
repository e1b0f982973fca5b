"""The house: metadata agree with each other, the README is true, and nothing that must not be there is there."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

from fgan import audit, claims, design, publish
from fgan.divergences import DIVERGENCES
from fgan.records import Part
from fgan.tex import divergence_table

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name(requirement):
    return re.split(r"[\[<>=!~ ]", requirement)[0].lower().replace("_", "-")


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


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


def test_the_readme_shows_the_table_of_divergences_of_the_code():
    readme = (ROOT / "README.md").read_text()
    for row in divergence_table()[1].itertuples(index=False):
        text = "| " + " | ".join(row) + " |"
        assert text in readme, f"README.md: paste the rows of `python -m fgan divergences`, for example {text}"


def test_the_readme_names_targets_and_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z]+)", readme):
        assert re.search(rf"^(.* )?{target}\b.*:", makefile, re.M), target
    named = {kind: set(re.findall(rf"\b{kind}_([a-z_]+)\b", readme)) for kind in ("figure", "table")}
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


def test_no_data_or_weights_are_committed():
    assert not [f for f in tracked() if re.search(r"ubyte|\.(pt|pth|ckpt|safetensors)$", f)]


def test_labels_are_unique_because_figures_and_tables_show_them():
    labels = [d.label for d in DIVERGENCES.values()]
    assert len(set(labels)) == len(labels)


def test_the_readme_shows_the_verdicts_of_the_published_record():
    parts = [Part(path.parent) for path in (ROOT / "results/reference").glob("*/card.json")]
    readme = (ROOT / "README.md").read_text()
    for claim in claims.verdicts(parts, ROOT / "experiments").itertuples():
        text = f"| {claim.statement} | {claim.verdict} |"
        assert text in readme, f"README.md: paste {text}"


def test_the_published_record_is_whole_and_small(monkeypatch):
    monkeypatch.chdir(ROOT)
    wrong = audit.check(ROOT / "results/reference")
    assert [line for line in wrong if "stale" not in line and "claims changed" not in line] == []
    sizes = [path.stat().st_size for path in (ROOT / "results/reference").glob("*/*.*")]
    assert sum(sizes) < publish.RECORD_LIMIT
