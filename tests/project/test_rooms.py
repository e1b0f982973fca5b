"""The rooms of the library: dependencies point one way, nothing that decides a measurement knows of the report."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/fgan"
# From the ground up: a room may import from those before it, and within itself.
ROOMS = (
    "files", "divergences", "design", "check", "targets", "engine", "metrics", "models", "remedies", "record", "jobs",
    "report", "stages", "__main__",
)  # fmt: skip
REPORT = {"report", "jobs", "stages", "__main__"}
FILES = sorted(SOURCE.rglob("*.py"))
EXPERIMENTS = sorted(path.parent for path in ROOT.glob("experiments/*/run.py"))


def room(path):
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imports(path):
    """Dotted names of all that a file imports anywhere in it; `from . import x` as .x."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {f"{module}.{alias.name}".replace("...", ".").replace("..", ".") for alias in node.names}
    return names


def rooms(path):
    """The rooms of the library that a file imports from."""
    words = [name.split(".") for name in imports(path) if name.split(".")[0] == "fgan"]
    return {name[1] for name in words if len(name) > 1}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_dependencies_point_one_way(path):
    assert not [name for name in imports(path) if name.startswith(".")], "the library writes its imports out"
    if path != SOURCE / "__init__.py":  # it forwards two names
        below = ROOMS[: ROOMS.index(room(path)) + 1]
        assert rooms(path) <= set(below), f"a room may import from {below}"


def test_there_is_no_circle_among_files():
    """Files of one room may import each other, but never in a circle; `import` inside a function counts as well."""
    modules = {".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in FILES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}

    def reached(name):
        targets = {n if n in modules else n.rpartition(".")[0] for n in imports(modules[name])}
        return {target for target in targets if target in modules and target != name}

    done, walking = set(), []

    def walk(name):
        assert name not in walking, f"a circle: {[*walking[walking.index(name) :], name]}"
        if name not in done:
            walking.append(name)
            for target in reached(name):
                walk(target)
            walking.pop()
            done.add(name)

    for name in modules:
        walk(name)
    assert len(done) == len(FILES)


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
def test_what_trains_knows_nothing_of_the_report_and_figures_nothing_of_what_trains(folder):
    """A run.py and the modules that it imports on one side, a figures.py and those that it imports on the other."""

    def closure(stem):
        files, waiting = set(), [folder / f"{stem}.py"]
        while waiting:
            path = waiting.pop()
            if path not in files:
                files.add(path)
                names = [name.lstrip(".").split(".")[0] for name in imports(path) if name.startswith(".")]
                waiting += [folder / f"{name}.py" for name in names]
        return files

    trained, shown = closure("run"), closure("figures")
    assert not trained & shown
    assert not {room for path in trained for room in rooms(path)} & REPORT
    assert {room for path in shown for room in rooms(path)} <= {"report", "record", "design"}
    assert not {name for path in shown for name in imports(path) if name.split(".")[0] == "torch"}


def test_every_file_of_an_experiment_is_reached():
    for folder in EXPERIMENTS:
        names = {
            name.lstrip(".").split(".")[0] for path in folder.glob("*.py") for name in imports(path) if name[0] == "."
        }
        assert {path.stem for path in folder.glob("*.py")} - {"run", "figures"} <= names, folder
