"""Provenance: which code, settings, versions and commit a measurement comes from."""

import ast
import contextlib
import functools
import hashlib
import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fgan.targets import SETS
from fgan.validation import read_yaml

VERSIONS = ("torch", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "matplotlib", "seaborn", "snakemake")
# What shows, plans, moves or notes down what was measured: an edit here never changes a measurement. Of what validation
# reads, the settings that come out have a hash of their own.
SHOWING = "statistics figures tables claims criteria tex show audit publish".split()
SHOWING += "plan progress packs budget validation provenance __main__".split()


@functools.lru_cache
def imported(source, root="."):
    """The library's files that Python source imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    places = [Path(root, "src", *name.split(".")) for name in sorted(names) if name.partition(".")[0] == "fgan"]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [str(file) for file in files if file.is_file()]


def science_files(experiment, root="."):
    """The files whose content decides an experiment's measurements: all that training it reaches, but what shows."""
    folder = Path(root, "experiments", experiment)
    design = read_yaml(folder / "experiment.yaml") if (folder / "experiment.yaml").exists() else {}
    found, waiting = set(), [str(folder / "run.py"), str(Path(root, "src/fgan/parts.py"))]
    waiting += [str(Path(root, "src/fgan/targets", f"{SETS[kind]}.py")) for kind in words(design) if kind in SETS]
    while waiting:
        path = waiting.pop()
        if path not in found and Path(path).stem not in SHOWING:
            found.add(path)
            waiting += imported(Path(path).read_text(), root)
    return sorted(found)


def words(value):
    """All texts in a design, at any depth."""
    if isinstance(value, (dict, list)):
        return {word for part in (value.values() if isinstance(value, dict) else value) for word in words(part)}
    return {value} if isinstance(value, str) else set()


def threads(root="."):
    """Threads by device: the one entry of the table of machines that can change a byte; no run depends on the cut."""
    return {device: row["threads"] for device, row in read_yaml(Path(root, "src/fgan/machines.yaml")).items()}


def code_hash(experiment, root="."):
    """SHA-256 over the experiment's science files and the number of threads."""
    found = hashlib.sha256(json.dumps(threads(root), sort_keys=True).encode())
    for path in science_files(experiment, root):
        found.update(Path(path).read_bytes())
    return found.hexdigest()


def file_hash(path):
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def commit():
    """The commit of the working tree, marked where the science differs from it; 'unknown' outside git."""
    try:
        call = dict(capture_output=True, text=True, check=True)
        head = subprocess.run(["git", "rev-parse", "HEAD"], **call).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "--", "src", "experiments"], **call).stdout.strip()
        return head + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions():
    """Versions of Python and of the packages that can change a byte of a record."""
    found = {"python": platform.python_version()}
    for package in VERSIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def run_card(shard, device):
    """Settings, seeds, versions, device, commit and hashes of a population, fixed when it trains."""
    claims = Path("experiments", shard.experiment, "claims.yaml")
    return {
        "experiment": shard.experiment, "shard": shard.name,
        "seeds": [shard.first, shard.last], "runs": len(shard.runs),
        "settings": shard.settings, "settings_hash": shard.hash, "code_hash": code_hash(shard.experiment),
        "claims_hash": file_hash(claims) if claims.exists() else None,
        "device": device, "versions": versions(), "commit": commit(),
    }  # fmt: skip
