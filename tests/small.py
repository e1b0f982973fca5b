"""Small populations and designs that several tests share."""

import shutil
import subprocess
from pathlib import Path

from fgan import design
from fgan.design import Run, merge
from fgan.engine import machines
from fgan.engine.networks import mlp
from fgan.engine.population import Population
from fgan.engine.training import train
from fgan.record import meaning, provenance
from fgan.targets import images
from fgan.targets.mixtures import ring

ROOT = Path(__file__).parents[1]
EXPERIMENTS = ROOT / "experiments"
HASHES = (meaning.digest, meaning.tree, provenance.code_hash)
RING = (EXPERIMENTS / "ring" / "experiment.yaml").read_text()

SETTINGS = {
    "noise": {"kind": "normal", "dimension": 2},
    "generator": {"hidden": [16, 16], "activation": "tanh"},
    "variational": {"hidden": [16, 16], "activation": "tanh"},
    "optimiser": {"kind": "adam", "generator": 3e-4, "variational": 1e-3, "beta1": 0.5},
    "method": {"kind": "single_step"}, "batch": 32, "steps": 20, "history": 1,
}  # fmt: skip


def run(divergence="gan", objective="saddle", seed=0, arm="main"):
    return Run("ring", arm, divergence, objective, seed)


def settings(**changes):
    """SETTINGS with changes laid over them, mappings key by key."""
    return merge(SETTINGS, changes)


def population(runs, device="cpu", **changes):
    """Small tanh networks on a wide ring of eight modes."""
    chosen = settings(**changes)
    generator = mlp(chosen["noise"]["dimension"], 2, **chosen["generator"])
    return Population(runs, ring(8, 2.0, 0.1, device), generator, mlp(2, 1, **chosen["variational"]), chosen, device)


def driven(runs, **changes):
    """A small population with whole settings replaced, not merged (SGD knows no decays)."""
    p = population(runs)
    return Population(p.runs, p.target, p.generator, p.variational, p.settings | changes)


def published(experiment, runs, steps):
    """A population of an experiment as it is at the scale `quick`, cut to a number of steps."""
    chosen = design.load(experiment, "quick", EXPERIMENTS, max_steps=steps)
    arm = next(iter(chosen.arms.values()))
    data = images.digits() if experiment == "digits" else None
    return chosen.run.population(arm | {"history": 10}, runs, data=data)


def nothing(population):
    """Observes no further metric."""
    return {}


def trained(population, **options):
    """(history, step of divergence) of a population after its training; the population itself is changed."""
    _, history, diverged = train(population, nothing, **options)
    return history, diverged


def edited(old, new, text=RING):
    """The text of a file (of the ring's design, if no other) with one place changed."""
    assert old in text
    return text.replace(old, new, 1)


def written(folder, text, scale="quick", **options):
    """The design of a copy of the ring's folder with another experiment.yaml."""
    target = folder / "experiments" / "ring"
    target.mkdir(parents=True, exist_ok=True)
    for file in (EXPERIMENTS / "ring" / "schema.yaml", *(EXPERIMENTS / "ring").glob("*.py")):
        shutil.copy(file, target)
    (target / "experiment.yaml").write_text(text)
    return design.load("ring", scale, folder / "experiments", **options)


def full_disk(folder, name):
    """Makes the partial file of `name` a link to the device that is always full."""
    folder.mkdir(exist_ok=True)
    (folder / f".{name}.partial").symlink_to("/dev/full")


def room(monkeypatch, size, device="cpu"):
    """Gives a device so many bytes for a stack."""
    settle(monkeypatch, device, stack=size)


def settle(monkeypatch, device="cpu", **settings):
    """Changes a device's entry in the table of machines."""
    monkeypatch.setitem(machines.MACHINES, device, machines.MACHINES[device] | settings)


def listed():
    """Paths of the files of the working tree that git tracks or would, without git all that are not made."""
    if (ROOT / ".git").exists():
        call = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(call, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        return [name for name in names if name and (ROOT / name).exists()]
    made = (".venv", ".snakemake", ".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "data")
    paths = [path.relative_to(ROOT) for path in sorted(ROOT.rglob("*")) if path.is_file()]
    shown = [p for p in paths if p.parts[0] != "results" or p.parts[:2] == ("results", "reference")]
    return [str(path) for path in shown if not {*made} & {*path.parts}]


def forget():
    """Empties what a process keeps of the code that it has hashed."""
    for function in HASHES:
        function.cache_clear()
