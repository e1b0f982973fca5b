"""The showing floor: numbers and text as LaTeX, and the two floors that know nothing of each other."""

import ast
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from fgan import provenance, tables, tex

SOURCE = Path(tables.__file__).parent
EXPERIMENTS = sorted(path.parent for path in (SOURCE.parents[1] / "experiments").glob("*/run.py"))
UNDER_BOTH = {"fgan.design", "fgan.provenance", "fgan.records"}
SHOWING = {"statistics", "figures", "tables", "claims", "tex", "show", "audit", "plan"}

NUMBERS = {
    math.nan: "--", math.inf: r"$\infty$", -math.inf: r"$-\infty$", 0.0: "0",
    1.0: "1.00", 12.3456: "12.3", 123.456: "123", 99_999.0: "99999", 0.123456: "0.123", 0.00123: "0.0012",
    -1.5: "$-$1.50", -1234.5: "$-$1234",
    1e-5: r"$1.0\cdot 10^{-5}$", -2.5e-7: r"$-2.5\cdot 10^{-7}$", 1e16: r"$1.0\cdot 10^{16}$",
    -3.21e5: r"$-3.2\cdot 10^{5}$",
    5e-324: r"$4.9\cdot 10^{-324}$", 1.7e308: r"$1.7\cdot 10^{308}$",
}  # fmt: skip


@pytest.mark.parametrize("value", NUMBERS, ids=str)
def test_a_number_as_text(value):
    assert tables.number(value) == NUMBERS[value]


def test_a_number_that_is_missing_is_a_dash():
    assert tables.number(None) == "--"


def test_a_number_has_the_digits_asked_for():
    assert [tables.number(math.pi, digits) for digits in (1, 2, 4)] == ["3", "3.1", "3.142"]
    assert tables.number(0.5, 2) == "0.50" and tables.number(8, 2) == "8.0"


def test_a_mean_has_its_half_width_unless_that_is_infinite():
    assert tables.plus_minus(2.0, 1.5, 2.5) == r"2.00 $\pm$ 0.50"
    assert tables.plus_minus(2.0, -math.inf, math.inf) == tables.plus_minus(2.0, math.nan, math.nan) == "2.00"


def test_a_mean_over_seeds_says_how_many_runs_have_no_value():
    assert tables.over_seeds([1.0, 3.0]) == tables.plus_minus(2.0, 2 - 12.7062, 2 + 12.7062)
    assert tables.over_seeds([1.0, math.nan, 3.0]) == tables.over_seeds([1.0, 3.0]) + " (2 of 3)"
    assert tables.over_seeds([math.nan, math.inf]) == tables.over_seeds([]) == "undefined"


def test_plain_text_is_escaped_and_latex_is_left():
    assert tables.escape("50 % of a_b & #1") == r"50 \% of a\_b \& \#1"
    assert tables.escape(r"$\mu$ paper") == r"$\mu$ paper" and tables.escape(3) == "3"


@pytest.mark.parametrize("text", ["a^b", "a~b", "{a}", "a}"])
def test_every_special_character_is_escaped(text):
    assert tables.escape(text) not in ("a^b", "a~b", "{a}", "a}")


def test_a_frame_is_a_booktabs_table_with_its_rules():
    frame = pd.DataFrame({"name": ["KL", "one_two"], "$x$": ["1", "2"]})
    assert tables.latex(frame, rules_after=(0,)).splitlines() == [
        r"\begin{tabular}{lr}", r"\toprule", r"name & \head{$x$} \\", r"\midrule", r"KL & 1 \\", r"\midrule",
        r"one\_two & 2 \\", r"\bottomrule", r"\end{tabular}"]  # fmt: skip


def test_every_number_of_the_paper_is_a_macro():
    rows = [("ring.tanh.kl.saddle.modes", "8.00", 8.0, "somewhere"), ("record.name", "quick", None, "a setting")]
    frame = pd.DataFrame(rows, columns=["key", "text", "value", "source"])
    assert tex.macros(frame) == "\\fganset{ring.tanh.kl.saddle.modes}{8.00}\n\\fganset{record.name}{quick}\n"


@pytest.mark.parametrize(("low", "high", "text"), [(0.25, 0.75, "0.500 [0.250, 0.750]"), (math.nan, math.nan, "0.500")])
def test_what_a_claim_measured_has_its_interval_where_there_is_one(low, high, text):
    assert tex.measured(SimpleNamespace(estimate=0.5, low=low, high=high)) == text


def test_the_table_of_divergences_has_a_row_for_each():
    from fgan.divergences import DIVERGENCES

    text, frame = tex.divergence_table()
    assert list(frame.iloc[:, 0]) == [d.label for d in DIVERGENCES.values()]
    assert text.count(r"\\") == len(DIVERGENCES) + 1 and text.startswith(r"\begin{tabular}{lllllll}")


def test_showing_does_not_import_torch():
    """torch takes seconds to import; a figure or a table does not need it."""
    modules = ", ".join(
        f"fgan.{name}"
        for name in [*sorted({*SHOWING} - {"plan", "budget"}), "design", "provenance", "records", "__main__"]
    )
    code = f"import sys, {modules}; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SOURCE.parent)
    assert done.stdout == "False True\n", done.stderr


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
def test_the_figures_of_an_experiment_import_nothing_of_the_science(folder):
    found = imports(folder / "figures.py")
    assert not {name for name in found if name in science() or name.split(".")[0] == "torch"}


def module(path):
    """Name of a file of the library below fgan: training, metrics.modes ..."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def science():
    """Modules of the science floor; design, provenance and records stand under both."""
    names = {module(path) for path in SOURCE.rglob("*.py") if path.stem not in provenance.SHOWING}
    return {f"fgan.{name}" for name in names if not name.endswith("__init__")} - UNDER_BOTH


def imports(path):
    """Full names of all modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports would escape this test"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("name", sorted(science() | UNDER_BOTH))
def test_science_imports_nothing_of_showing(name):
    path = SOURCE.parent / (name.replace(".", "/") + ".py")
    heavy = {"matplotlib", "seaborn"}
    assert not {n for n in imports(path) if n.removeprefix("fgan.") in SHOWING or n.split(".")[0] in heavy}


def test_both_floors_are_seen():
    assert {"fgan.training", "fgan.population", "fgan.metrics.modes", "fgan.targets.images"} <= science()
    assert not {f"fgan.{name}" for name in SHOWING} & science()
    assert all((SOURCE / f"{name}.py").exists() for name in SHOWING)


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
def test_what_decides_an_experiment_is_its_own_run_and_science(folder):
    files = set(provenance.science_files(folder.name, SOURCE.parents[1]))
    own = str(folder / "run.py")
    reached = {f"fgan.{module(Path(file))}" for file in files - {own} if not file.endswith("__init__.py")}
    assert own in files and reached <= science() | UNDER_BOTH
    for name in ("training", "population", "objectives", "divergences", "parts"):
        assert str(SOURCE / f"{name}.py") in files


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
def test_a_run_imports_nothing_of_showing(folder):
    assert not {name for name in imports(folder / "run.py") if name.removeprefix("fgan.") in SHOWING}
