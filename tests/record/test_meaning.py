"""The code hash covers what decides an experiment's numbers and nothing else, wherever it lies and however it looks."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fgan import design
from fgan.files import RecordError
from fgan.record import meaning, provenance

ROOT = Path(__file__).parents[2]
EXPERIMENTS = design.find(ROOT / "experiments")


@pytest.fixture
def tree(tmp_path):
    """A copy of the sources in which a test edits files."""
    for name in ("src", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def code(root, experiment="ring"):
    for cached in (meaning.digest, meaning.tree, provenance.code_hash):
        cached.cache_clear()
    return provenance.code_hash(experiment, root)


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def spaced(text):
    """The same code with other white space, quotes and a comment on every line that can have one."""
    lines = [
        line + "  # edited" if line.endswith((":", ")")) and '"' not in line else line for line in text.split("\n")
    ]
    return "# first\n\n" + "\n".join(lines).replace("\n\n\n", "\n\n\n\n\n")


@pytest.mark.parametrize(
    "name", ["src/fgan/engine/training.py", "src/fgan/metrics/modes.py", "experiments/ring/run.py"]
)
def test_comments_docstrings_and_formatting_change_no_hash(tree, name):
    before, path = code(tree), tree / name
    path.write_text(spaced(path.read_text()))
    assert code(tree) == before
    path.write_text(re.sub(r'"""[A-Z].*?"""', '"""Edited."""', path.read_text(), flags=re.S))
    assert "Edited." in path.read_text() and code(tree) == before


def test_the_order_of_imports_changes_no_hash(tree):
    before, path = code(tree), tree / "src/fgan/engine/training.py"
    edit(path, "import math\nfrom functools import partial\n", "from functools import partial\nimport math\n")
    assert code(tree) == before


EDITS = {
    "a constant": ("src/fgan/engine/training.py", "BELOW_CONSTANT = 1.0", "BELOW_CONSTANT = 1.5"),
    "an operator": ("src/fgan/engine/training.py", '["gradient_V"] < VANISHED', '["gradient_V"] <= VANISHED'),
    "a default": ("src/fgan/engine/optimisers.py", "beta2=0.999", "beta2=0.99"),
    "a rule of counting": ("src/fgan/metrics/modes.py", "Rule(0.1, sd=3.0)", "Rule(0.2, sd=3.0)"),
    "a conjugate": ("src/fgan/divergences.py", "_activation=lambda v: v - 1", "_activation=lambda v: v"),
    "the run itself": ("experiments/ring/run.py", 'sample(population.settings["measure"]["samples"]', "sample(7"),
    "the summary of histories": ("src/fgan/metrics/history.py", "KEPT = 5", "KEPT = 6"),
    "a random stream": ("src/fgan/design/runs.py", "{self.seed}", "{self.seed + 1}"),
    "rounding": ("src/fgan/engine/machines.py", "set_flush_denormal(True)", "set_flush_denormal(False)"),
    "what is written": ("src/fgan/record/write.py", "np.asarray(v, float)", "2 * np.asarray(v, float)"),
    "the threads": ("src/fgan/engine/machines.yaml", "threads: 1 ", "threads: 2 "),
    "the way of a convolution": ("src/fgan/engine/machines.yaml", "convolutions: looped", "convolutions: grouped"),
    "the precision": ("src/fgan/engine/machines.yaml", "precision: float32", "precision: tf32"),
}  # fmt: skip


@pytest.mark.parametrize("edited", EDITS)
def test_what_decides_a_number_changes_the_hash(tree, edited):
    name, old, new = EDITS[edited]
    before = code(tree)
    edit(tree / name, old, new)
    assert code(tree) != before


OTHERS = {
    "a figure": ("experiments/ring/figures.py", 'ARM = "tanh"', 'ARM = "relu"'),
    "a table": ("src/fgan/report/printed.py", "digits=3", "digits=4"),
    "a statistic": ("src/fgan/report/statistics.py", "confidence=0.95", "confidence=0.9"),
    "a plan": ("src/fgan/jobs/plan.py", "seconds=0.2", "seconds=0.3"),
    "an archive": ("src/fgan/record/archive.py", "LIMIT = 16e6", "LIMIT = 15e6"),
    "another experiment": ("experiments/univariate/run.py", "import", "import os\nimport"),
    "another metric": ("src/fgan/metrics/kde.py", "NEGLIGIBLE = -700.0", "NEGLIGIBLE = -600.0"),
    "another target": ("src/fgan/targets/images.py", "MNIST_HELD_OUT = 10_000", "MNIST_HELD_OUT = 9_000"),
    "the cut": ("src/fgan/engine/machines.yaml", "seconds: 180", "seconds: 90"),
}  # fmt: skip


@pytest.mark.parametrize("edited", OTHERS)
def test_what_decides_nothing_here_changes_no_hash(tree, edited):
    name, old, new = OTHERS[edited]
    before = code(tree)
    edit(tree / name, old, new)
    assert code(tree) == before


def test_a_moved_file_changes_no_hash(tree):
    """With all who import it, whichever way they do."""
    before = code(tree)
    (tree / "src/fgan/metrics/saturation.py").rename(tree / "src/fgan/engine/saturation.py")
    edit(tree / "experiments/ring/run.py", "metrics import modes, saturation", "metrics import modes")
    edit(tree / "experiments/ring/run.py", "from fgan.metrics", "from fgan.engine import saturation\nfrom fgan.metrics")
    (tree / "src/fgan/engine/optimisers.py").rename(tree / "src/fgan/metrics/optimisers.py")
    edit(tree / "src/fgan/engine/population.py", "fgan.engine.optimisers", "fgan.metrics.optimisers")
    assert code(tree) == before


def test_a_new_file_on_the_way_is_covered_whatever_it_is_called(tree):
    before = code(tree)
    (tree / "src/fgan/metrics/tables.py").write_text("LEAST = 1\n")
    assert code(tree) == before, "nobody imports it"
    edit(tree / "experiments/ring/run.py", "import math\n", "import math\nfrom fgan.metrics import tables\n")
    with_table = code(tree)
    edit(tree / "src/fgan/metrics/tables.py", "1", "2")
    assert len({before, with_table, code(tree)}) == 3
    (tree / "experiments/ring/beside.py").write_text("A = 1\n")
    edit(tree / "experiments/ring/run.py", "import math\n", "import math\nfrom . import beside\n")
    beside = code(tree)
    edit(tree / "experiments/ring/beside.py", "1", "2")
    assert code(tree) != beside


def test_an_experiment_has_the_readers_of_its_own_image_sets(tree):
    before = {name: code(tree, name) for name in ("ring", "digits", "natural")}
    edit(tree / "src/fgan/targets/natural.py", "HELD_OUT = 5_000", "HELD_OUT = 4_000")
    assert {name for name, hash in before.items() if code(tree, name) != hash} == {"natural"}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_no_file_of_the_report_is_reached_and_the_engine_is(experiment):
    files = {str(Path(file).relative_to(ROOT)) for file in provenance.science_files(experiment, ROOT)}
    assert f"experiments/{experiment}/run.py" in files and f"experiments/{experiment}/figures.py" not in files
    assert {f"src/fgan/{name}" for name in (*provenance.COMMON, "engine/population.py", "divergences.py")} <= files
    library = {file for file in files if file.startswith("src/")} - {f"src/fgan/{name}" for name in provenance.COMMON}
    assert {file.split("/")[2] for file in library} <= {
        "divergences.py", "engine", "models", "remedies", "targets", "metrics",
    }  # fmt: skip


def test_what_runs_is_what_the_hash_sees():
    """The hash follows import statements; code that runs by other ways would be open to unseen edits."""
    files = {Path(file) for name in EXPERIMENTS for file in provenance.science_files(name, ROOT)}
    used = {
        (file.name, node.id if isinstance(node, ast.Name) else node.attr)
        for file in files - {ROOT / "src/fgan/targets/__init__.py"}  # it imports only what MODULES names, see entries()
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert not {(name, word) for name, word in used if word in ("import_module", "__import__", "exec", "eval")}
    # Python runs the __init__ of every package that is imported from, though no statement may name it.
    for file in {ROOT / "src/fgan" / path.relative_to(ROOT / "src/fgan").parts[0] / "__init__.py" for path in files
                 if path.is_relative_to(ROOT / "src/fgan")}:  # fmt: skip
        body = ast.parse(file.read_bytes()).body if file.exists() else []
        assert file in files or file.parent.name == "design" or all(isinstance(s, ast.Expr) for s in body), file


WAYS = {
    "a module of a package": ("metrics/new.py", "from fgan.metrics import new"),
    "a dotted module": ("metrics/new.py", "import fgan.metrics.new"),
    "another name": ("metrics/new.py", "import fgan.metrics.new as n"),
    "a name within": ("metrics/new.py", "from fgan.metrics.new import A"),
    "all names": ("metrics/new.py", "from fgan.metrics.new import *"),
    "inside a function": ("metrics/new.py", "def late():\n    from fgan.metrics.new import A"),
    "one level up": ("metrics/new.py", "from ..metrics.new import A"),
    "a file beside it": ("engine/new.py", "from . import new"),
    "a name beside it": ("engine/new.py", "from .new import A"),
    "a new package": ("quality/__init__.py", "from fgan.quality import A"),
    "a new room": ("quality.py", "from fgan import quality"),
    "the report": ("report/new.py", "from fgan.report.new import A"),
    "a module with the name of its function": ("metrics/A.py", "from fgan.metrics.A import A"),
}


@pytest.mark.parametrize("way", WAYS)
def test_whichever_way_a_file_is_imported_it_is_covered(tree, way):
    name, statement = WAYS[way]
    added, path = tree / "src/fgan" / name, tree / "src/fgan/engine/objectives.py"
    added.parent.mkdir(exist_ok=True)
    added.write_text("A = 1\n")
    path.write_text(path.read_text() + f"\n\n{statement}\n")
    before = code(tree)
    added.write_text("A = 2\n")
    assert code(tree) != before


def test_a_module_of_another_experiment_is_covered(tree):
    edit(tree / "experiments/ring/run.py", "import math\n", "import math\nfrom experiments.bound import estimates\n")
    (tree / "experiments/bound/estimates.py").write_text("A = 1\n")
    before = code(tree)
    (tree / "experiments/bound/estimates.py").write_text("A = 2\n")
    assert code(tree) != before


def test_the_place_of_the_repository_changes_no_hash(tree):
    assert code(tree) == code(ROOT)


def test_a_name_that_the_package_forwards_is_covered(tree):
    """fgan/__init__.py imports it only when it is asked for."""
    beside = tree / "experiments/ring/beside.py"
    beside.write_text("from fgan import DIVERGENCES\n")
    edit(tree / "experiments/ring/run.py", "import math\n", "import math\nfrom . import beside\n")
    code(tree)
    before = meaning.digest(beside)
    edit(tree / "src/fgan/divergences.py", "_activation=lambda v: v - 1", "_activation=lambda v: v")
    code(tree)
    assert meaning.digest(beside) != before


def test_an_import_without_a_file_is_refused(tree):
    edit(tree / "experiments/ring/run.py", "import math\n", "import math\nfrom fgan.nowhere import A\n")
    with pytest.raises(RecordError, match="fgan.nowhere"):
        code(tree)


def test_a_circle_of_imports_is_named(tree):
    (tree / "experiments/bound/one.py").write_text("def late():\n    from . import two\n")
    (tree / "experiments/bound/two.py").write_text("from . import one\n")
    edit(tree / "experiments/bound/run.py", "import torch\n", "import torch\nfrom . import one\n")
    with pytest.raises(RecordError, match=r"(one|two)\.py is in a circle of imports"):
        code(tree, "bound")


def test_a_function_is_not_the_module_of_its_name(tree):
    new, run = tree / "src/fgan/metrics/new.py", tree / "experiments/ring/run.py"
    new.write_text("def new():\n    return 1\n")
    edit(run, "import math\n", "import math\nfrom fgan.metrics import new\n")
    module = code(tree)
    edit(run, "from fgan.metrics import new\n", "from fgan.metrics.new import new\n")
    function = code(tree)
    assert function != module
    new.rename(new.with_name("other.py"))
    edit(run, "from fgan.metrics.new import new\n", "from fgan.metrics.other import new\n")
    assert code(tree) == function, "the file only has another name"


def test_a_title_that_is_the_name_of_a_target_changes_no_hash(tree):
    before, path = code(tree), tree / "experiments/ring/experiment.yaml"
    path.write_text(re.sub("^title: .*$", "title: digits", path.read_text(), flags=re.M))
    assert "title: digits" in path.read_text() and code(tree) == before


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"# coding: latin-1\n"])
def test_a_file_is_read_as_python_reads_it(tree, head):
    before, path = code(tree), tree / "src/fgan/engine/optimisers.py"
    path.write_bytes(head + path.read_text().encode("ascii"))
    assert code(tree) == before


def test_the_hash_is_the_same_under_every_python(tmp_path):
    """One fixed text, with a character that older Unicode tables do not know and an integer of many digits."""
    path = tmp_path / "a.py"
    path.write_text(f'x = "\U0001fae8" + f"{{y!r:>{{3}}}} a" \'b\'\nn = 0x{"f" * 5000}\n', encoding="utf-8")
    assert meaning.digest(path) == "03de42b3b8db85c8d6a20e3769fb6d7af40ba920dea6bfc7af34b8f2e5af379a"


SCRIPT = """import sys
sys.path.insert(0, "src")
from fgan.record import meaning
for file in sys.argv[1:]:
    print(meaning.digest(file))
"""


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_every_supported_python_finds_the_same_hash(name):
    if subprocess.run(f"{name} -c pass", shell=True, capture_output=True).returncode:
        pytest.skip(f"{name} is not installed here")
    files = [str(ROOT / "experiments" / experiment / "run.py") for experiment in EXPERIMENTS]
    call = dict(cwd=ROOT, capture_output=True, text=True, check=True)
    there, here = (subprocess.run([python, "-c", SCRIPT, *files], **call).stdout for python in (name, sys.executable))
    assert there == here and len(here.split()) == len(files)
