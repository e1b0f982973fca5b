"""Designs: reads and resolves experiment.yaml, and cuts a design into shards."""

import hashlib
import importlib.util
import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from fgan.validation import DesignError, nearest, read_yaml, validate

SCALES = ("smoke", "quick", "full", "extended")
RECORDS = (*SCALES, "reference")
# What belongs to the showing of an experiment: it never decides a training result.
SHOWN = ("title", "order", "optional", "question", "figures", "tables", "deviations")


@dataclass(frozen=True)
class Run:
    """One training: (experiment, arm, divergence, objective, seed)."""

    experiment: str
    arm: str
    divergence: str
    objective: str
    seed: int

    @property
    def stream(self):
        """Name of the random stream: shared by all divergences and objectives, so that runs of a seed are paired."""
        return f"{self.experiment}/{self.arm}/{self.seed}"


@dataclass(frozen=True)
class Shard:
    """A piece of a population that one job trains: the seeds first..last of one arm."""

    experiment: str
    arm: str
    first: int
    last: int
    settings: dict

    @property
    def name(self):
        return f"{self.arm}-seed{self.first}" + (f"-{self.last}" if self.last > self.first else "")

    @property
    def runs(self):
        """Runs in the order of the stack: by divergence, then objective, then seed."""
        return [
            Run(self.experiment, self.arm, divergence, objective, seed)
            for divergence in self.settings["divergences"]
            for objective in self.settings["objectives"]
            for seed in range(self.first, self.last + 1)
        ]

    @property
    def hash(self):
        """SHA-256 of everything in the design that decides this shard's results."""
        return digest(asdict(self))


@dataclass(frozen=True)
class Design:
    """An experiment at one scale: every per-scale value resolved, every arm merged with the common settings."""

    name: str
    scale: str
    folder: Path
    common: dict
    arms: dict  # settings by arm; none where nothing is trained
    seeds: dict  # number of seeds by arm
    changed: dict  # settings of the command line: seeds, max_steps

    @property
    def command(self):
        """The command that makes this part again."""
        changes = "".join(f" {key}={value}" for key, value in self.changed.items())
        return f"snakemake --cores all {self.name} --config record={self.scale}{changes}"

    def shards(self, device="cpu"):
        """All shards, cut for a device; all divergences and objectives of a seed share a shard."""
        from fgan import cost, machines

        found = []
        for arm, settings in self.arms.items():
            seeds = self.seeds[arm]
            one = Shard(self.name, arm, 0, 0, settings)
            size = machines.seeds_per_shard(device, lambda one=one: cost.of(self, one), settings["steps"])
            found += [
                Shard(self.name, arm, first, min(first + size, seeds) - 1, settings) for first in range(0, seeds, size)
            ]
        return found

    def shard(self, name):
        """The shard of a name like tanh-seed0 or tanh-seed0-24; its seeds need not be among the design's."""
        arm, seeds = name.rpartition("-seed")[0], seeds_of(name)
        if arm not in self.arms or not seeds:
            raise DesignError(f"{self.folder}: no shard '{name}'; {nearest(name, [s.name for s in self.shards()])}")
        return Shard(self.name, arm, seeds[0], seeds[-1], self.arms[arm])

    @property
    def run(self):
        """The experiment's run.py as a module."""
        return module(self.folder.parent, self.name, "run")


def seeds_of(shard):
    """The seeds of a shard by its name (tanh-seed0, tanh-seed0-4), a range; empty for another word."""
    found = re.fullmatch(r".+-seed(\d+)(?:-(\d+))?", shard)
    return range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)


def digest(value):
    """SHA-256 of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def find(root="experiments"):
    """Names of all experiments (the folders with an experiment.yaml), in the order of the paper."""
    found = {}
    if not Path(root).is_dir():
        raise DesignError(f"there is no folder '{root}' here; run this in the root of the repository")
    for path in Path(root).glob("*/experiment.yaml"):
        found[path.parent.name] = order = read_yaml(path).get("order", math.inf)
        if not isinstance(order, int | float):
            raise DesignError(f"{path}: 'order' (place of the experiment in the paper) must be a number, not '{order}'")
    return sorted(found, key=lambda name: (found[name], name))


def load(name, scale, root="experiments", seeds=None, max_steps=None):
    """Design of one experiment at one scale, validated; `seeds` and `max_steps` change the scale's own values.

    Raises DesignError with one sentence for an unreadable file, an unknown key, a wrong type or an impossible value.
    """
    folder = Path(root) / name
    if name not in find(root):
        raise DesignError(f"no experiment '{name}' in {root}/: {nearest(name, find(root))}")
    if scale not in SCALES:
        raise DesignError(f"no scale '{scale}': {nearest(scale, SCALES)}")
    for key, value in (("seeds", seeds), ("max_steps", max_steps)):
        if value is not None and value < 1:
            raise DesignError(f"{key}={value}: must be at least 1")
    path = folder / "experiment.yaml"
    raw = read_yaml(path)
    common = resolve({k: v for k, v in raw.items() if k != "arms"}, scale, path)
    arms = resolve(raw.get("arms", {}), scale, path)
    if not isinstance(arms, dict):
        raise DesignError(f"{path}: 'arms' must be a mapping from names to settings")
    if not {"arms", "divergences"} & set(raw):  # nothing is trained
        validate(common, path, folder)
        return Design(name, scale, folder, common, {}, {}, {})
    if seeds is not None:
        common["seeds"] = seeds
    merged, numbers = {}, {}
    for arm, changes in arms.items():
        if not isinstance(changes or {}, dict):
            raise DesignError(f"{path}: the arm '{arm}' must be a mapping of the settings it changes, not '{changes}'")
        for key in set(changes or {}) & set(SHOWN):
            raise DesignError(f"{path}: the arm '{arm}' cannot change '{key}', which belongs to the whole experiment")
        settings = merge(common, changes or {})
        validate(settings | {"arms": {arm: {}}}, path, folder)
        if max_steps is not None:
            settings["steps"] = min(settings["steps"], max_steps)
        settings["divergences"] = expand(settings["divergences"], path)
        number = settings["seeds"]
        if number:  # an arm may be left out at a scale
            merged[arm] = {k: v for k, v in settings.items() if k not in (*SHOWN, "seeds")}
            numbers[arm] = number if seeds is None else seeds
    if arms and not merged:
        raise DesignError(f"{path}: 'seeds' is 0 for every arm at scale {scale}; give one arm at least 1")
    if not merged:
        raise DesignError(f"{path}: 'arms' is empty; write at least one, for example 'main: {{}}'")
    changed = {key: value for key, value in (("seeds", seeds), ("max_steps", max_steps)) if value is not None}
    return Design(name, scale, folder, common, merged, numbers, changed)


def missing(design, folder=None):
    """Why an experiment that is optional is left out, in one sentence: its data are not there. None for all others."""
    from fgan import targets

    if not design.common.get("optional"):
        return None
    kinds = sorted({settings["target"]["kind"] for settings in design.arms.values()})
    return next(filter(None, (targets.reader(kind).missing(kind, folder) for kind in kinds)), None)


def left_out(name, root="experiments"):
    """Why a record that is whole lacks an experiment, in a phrase for the paper."""
    optional = read_yaml(Path(root, name, "experiment.yaml")).get("optional")
    return "not run: no data" if optional else "not part of this record"


def captions(kind, root="experiments"):
    """All figures (or tables): {<experiment>_<short name>: (experiment, short name, caption)}."""
    return {
        f"{experiment}_{short}": (experiment, short, " ".join(caption.split()))
        for experiment in find(root)
        for short, caption in read_yaml(Path(root, experiment, "experiment.yaml")).get(f"{kind}s", {}).items()
    }


def module(root, experiment, stem):
    """An experiment's run.py or figures.py as a module."""
    spec = importlib.util.spec_from_file_location(
        f"experiments.{experiment}.{stem}", Path(root, experiment, f"{stem}.py")
    )
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def resolve(value, scale, path, key=""):
    """Replaces every {smoke: ..., quick: ..., full: ...} by its value at the scale; extended falls back to full."""
    if isinstance(value, dict):
        if value and set(value) <= set(SCALES):
            for candidate in (scale, "full" if scale == "extended" else scale):
                if candidate in value:
                    return resolve(value[candidate], scale, path, key)
            raise DesignError(f"{path}: '{key}' has no value for scale '{scale}'")
        return {k: resolve(v, scale, path, f"{key}.{k}".strip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [resolve(v, scale, path, key) for v in value]
    return value


def merge(common, changes):
    """The common settings with an arm's changes laid over them, mappings key by key."""
    merged = dict(common)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(common.get(key), dict)
        merged[key] = merge(common[key], value) if both else value
    return merged


def expand(names, path):
    """Names of divergences in the table's order; the word `all` stands for the whole table."""
    from fgan.divergences import DIVERGENCES

    for name in names:
        if name != "all" and name not in DIVERGENCES:
            raise DesignError(f"{path}: unknown divergence '{name}'; {nearest(name, DIVERGENCES)}")
    return [name for name in DIVERGENCES if "all" in names or name in names]
