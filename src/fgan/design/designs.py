"""Designs: the experiment at one scale, with its shards by name."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from fgan.design.packages import module
from fgan.design.runs import Shard
from fgan.design.validation import DesignError, nearest

SCALES = ("smoke", "quick", "full", "extended")
RECORDS = (*SCALES, "reference")
# The keys that only the report uses; they never decide a training result.
SHOWN = ("title", "order", "priority", "optional", "question", "figures", "tables", "deviations")


@dataclass(frozen=True)
class Design:
    """An experiment at one scale: its values resolved, every arm merged with the common settings."""

    name: str
    scale: str
    folder: Path
    common: dict
    arms: dict = field(default_factory=dict)  # settings by arm; empty if nothing is trained
    seeds: dict = field(default_factory=dict)  # number of seeds by arm
    changed: dict = field(default_factory=dict)  # settings of the command line: seeds, max_steps
    factors: dict = field(default_factory=dict)  # factors and their levels by arm; they are shown and decide no result

    @property
    def command(self):
        """The command that makes this part again."""
        changes = "".join(f" {key}={value}" for key, value in self.changed.items())
        return f"snakemake --cores all {self.name} --config record={self.scale}{changes}"

    @property
    def run(self):
        """The experiment's run.py as a module."""
        return module(self.folder.parent, self.name, "run")

    def shard(self, name):
        """The shard of a name like tanh-seed0 or tanh-seed0-24, also with seeds beyond the design's.

        Raises DesignError for another name.
        """
        arm, seeds = name.rpartition("-seed")[0] or name, seeds_of(name)
        if arm not in self.arms:
            raise DesignError(f"{self.folder}: no arm '{arm}' for the shard '{name}'; {nearest(arm, self.arms)}")
        if not seeds:
            raise DesignError(f"{self.folder}: no shard '{name}'; write its seeds as in {arm}-seed0 or {arm}-seed0-4")
        return Shard(self.name, arm, seeds[0], seeds[-1], self.arms[arm])


def seeds_of(shard):
    """The range of seeds in a shard's name (tanh-seed0, tanh-seed0-4); empty for any other word."""
    numbers = re.fullmatch(r".+-seed(\d+)(?:-(\d+))?", shard)
    return range(int(numbers[1]), int(numbers[2] or numbers[1]) + 1) if numbers else range(0)
