"""Provenance: the code, settings, versions and commit that a measurement comes from."""

import contextlib
import functools
import hashlib
import json
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fgan
from fgan.design import criteria_hash, read_yaml
from fgan.files import RecordError, write_text
from fgan.record import meaning
from fgan.targets import MODULES

VERSIONS = ("torch", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "matplotlib", "seaborn", "snakemake")
# Every part depends on these, even if its run.py does not import them: streams, rounding, the loop, the target's data,
# the summary of histories, and the form in which values are written.
COMMON = (
    "design/runs.py", "engine/machines.py", "engine/training.py", "metrics/convergence.py", "metrics/history.py",
    "record/write.py", "targets/__init__.py",
)  # fmt: skip


def entries(experiment, root="."):
    """The files from which an experiment's science is reached: its run.py, the loop and the modules of its targets."""
    root = Path(root).resolve()
    package, path = Path(root, "src/fgan"), Path(root, "experiments", experiment, "experiment.yaml")
    kinds = sorted(named(read_yaml(path)) & set(MODULES)) if path.exists() else []
    makers = {f"targets/{MODULES[kind]}.py" for kind in kinds}
    return [path.with_name("run.py"), *(package / name for name in (*COMMON, *sorted(makers)))]


def science_files(experiment, root="."):
    """The files whose meaning decides an experiment's measurements."""
    return sorted({str(file) for entry in entries(experiment, root) for file in meaning.reached(entry)})


@functools.cache
def code_hash(experiment, root="."):
    """SHA-256 of the science code and the machines' ways of computing, which with the settings decide measurements.

    To parse the code takes every job a third of a second, so the hash is kept in a file named by the code's bytes.
    """
    kept = Path(root, "results/.data/code", f"{experiment}-{content(root)[:32]}")
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if re.fullmatch("[0-9a-f]{64}", known := kept.read_text()):  # a damaged file is made again
            return known
    parts = [ways(root), *sorted(meaning.digest(entry) for entry in entries(experiment, root))]
    found = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    with contextlib.suppress(RecordError):  # a folder that cannot be written costs time alone
        write_text(kept, found)
    return found


def content(root):
    """SHA-256 of the bytes of all source, designs and tables, by their paths, and of Python's version."""
    known = hashlib.sha256(platform.python_version().encode())
    for folder in ("src/fgan", "experiments"):
        for path in sorted(Path(root, folder).rglob("*")):
            if path.suffix in (".py", ".yaml"):
                known.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return known.hexdigest()


def named(value):
    """All kinds (of targets, noise, ...) that a design names, at any depth."""
    if isinstance(value, list):
        return {kind for part in value for kind in named(part)}
    if not isinstance(value, dict):
        return set()
    own = {kind for key, kind in value.items() if key == "kind" and isinstance(kind, str)}
    return own | {kind for part in value.values() for kind in named(part)}


def ways(root="."):
    """The entries by device of the table of machines that can change a byte: all others decide only the cut."""
    machines = read_yaml(Path(root, "src/fgan/engine/machines.yaml"))
    deciding = ("threads", "convolutions", "precision")
    return {device: {name: row[name] for name in deciding if name in row} for device, row in machines.items()}


def commit():
    """The commit of the working tree, marked if the science differs from it; 'unknown' outside of its own git."""
    try:
        call = dict(capture_output=True, text=True, check=True)
        if subprocess.run(["git", "rev-parse", "--show-prefix"], **call).stdout.strip():
            return "unknown"  # unpacked inside of another repository, whose commit says nothing
        head = subprocess.run(["git", "rev-parse", "HEAD"], **call).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "--", "src", "experiments"], **call).stdout.strip()
        return head + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions():
    """Versions of Python and of the packages that can change a byte of a record."""
    known = {"python": platform.python_version()}
    for package in VERSIONS:
        with contextlib.suppress(PackageNotFoundError):
            known[package] = version(package)
    return known


def fingerprint(device):
    """What decides bits beside code, settings and versions: CPU, vector level and BLAS; of a GPU also its libraries.

    Equal fingerprints promise equal bytes on a CPU. On a GPU they promise nothing, and say what to look at first.
    """
    import torch

    built = torch.__config__.show()
    maths = re.search(r"Math Kernel Library Version (\S+)", built) or re.search(r"BLAS_INFO=(\w+)", built)
    known = {"cpu": cpu(), "vector": torch.backends.cpu.get_cpu_capability(), "blas": maths[0] if maths else "unknown"}
    if device == "cuda":
        gpu = torch.cuda.get_device_properties(0)
        # A slice of a GPU has its name but fewer multiprocessors, and random draws depend on their number.
        known["gpu"] = f"{gpu.name}, {gpu.multi_processor_count} multiprocessors"
        known |= {"driver": driver(), "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return {name: str(value) for name, value in known.items()}


def cpu(path="/proc/cpuinfo"):
    """Model of the CPU with its family and numbers, because a virtual machine's model may be no more than a brand."""
    with contextlib.suppress(OSError):
        lines = (line.partition(":") for line in Path(path).read_text().split("\n\n")[0].splitlines())
        entries = {name.strip(): value.strip() for name, _, value in lines}
        if "model name" in entries:
            numbers = (f"{name} {entries[name]}" for name in ("cpu family", "model", "stepping") if name in entries)
            return ", ".join([entries["model name"], *numbers])
    return platform.processor() or platform.machine() or "unknown"


def driver(path="/proc/driver/nvidia/version"):
    """Version of the GPU's driver."""
    with contextlib.suppress(OSError):
        found = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", Path(path).read_text())
        return found[1] if found else "unknown"
    return "unknown"


def differs(file, here, running):
    """Whether a file of the tree `here` has other bytes in the tree `running`, or is not there."""
    twin = running / file.relative_to(here) if file.is_relative_to(here) else file
    return not twin.is_file() or twin.read_bytes() != file.read_bytes()


def run_card(shard, device):
    """Settings, seeds, versions, device, fingerprint, commit and hashes of a population, fixed when it trains.

    Raises RecordError if the code that runs is not the code here, whose meaning would be hashed.
    """
    running, here = Path(fgan.__file__).resolve().parent, Path("src/fgan").resolve()
    if running != here and any(differs(Path(file), here, running) for file in science_files(shard.experiment)):
        raise RecordError(f"the code of {running} runs, but {here} would be hashed; set PYTHONPATH={here.parent}")
    claims = Path("experiments", shard.experiment, "claims.yaml")
    return {
        "experiment": shard.experiment, "shard": shard.name,
        "seeds": [shard.first, shard.last], "runs": len(shard.runs),
        "settings": shard.settings, "settings_hash": shard.hash, "code_hash": code_hash(shard.experiment),
        "claims_hash": criteria_hash(claims) if claims.exists() else None,
        "device": device, "fingerprint": fingerprint(device), "versions": versions(), "commit": commit(),
    }  # fmt: skip
