"""Designs: the experiment at one scale, with its shards by name."""

import itertools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from fgan.design.packages import module
from fgan.design.runs import Shard
from fgan.design.validation import DesignError, nearest

SCALES = ("smoke", "quick", "overnight", "full", "extended")
RECORDS = (*SCALES, "reference")
# The keys that never decide a training result: `value` orders the trainings, the others are the report's.
SHOWN = ("title", "order", "value", "optional", "question", "figures", "tables", "deviations")


@dataclass(frozen=True)
class Design:
    """An experiment at one scale: its values resolved, every arm merged with the common settings."""

    name: str
    scale: str
    folder: Path
    common: dict
    arms: dict = field(default_factory=dict)  # settings by arm; empty if nothing is trained
    seeds: dict = field(default_factory=dict)  # number of seeds by arm, the most of any divergence
    fewer: dict = field(default_factory=dict)  # {arm: {divergence: number of seeds}} of divergences that have fewer
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

    def divergences(self, arm, seed):
        """The divergences that an arm trains on a seed."""
        fewer = self.fewer.get(arm, {})
        return [name for name in self.arms[arm]["divergences"] if seed < fewer.get(name, math.inf)]

    def spans(self, arm):
        """(first seed, last seed, settings) of the seeds that train the same divergences; the first train all."""
        ends = sorted({0, *self.fewer.get(arm, {}).values(), self.seeds[arm]})
        return [
            (first, end - 1, self.arms[arm] | {"divergences": self.divergences(arm, first)})
            for first, end in itertools.pairwise(ends)
        ]

    def runs(self, arm):
        """All runs of an arm in the order of a stack."""
        every = Shard(self.name, arm, 0, self.seeds[arm] - 1, self.arms[arm]).runs
        return [run for run in every if run.divergence in self.divergences(arm, run.seed)]

    def shard(self, name):
        """The shard of a name like tanh-seed0 or tanh-seed0-24, also with seeds beyond the design's.

        Raises DesignError for another name.
        """
        arm, seeds = name.rpartition("-seed")[0] or name, seeds_of(name)
        if arm not in self.arms:
            raise DesignError(f"{self.folder}: no arm '{arm}' for the shard '{name}'; {nearest(arm, self.arms)}")
        if not seeds:
            raise DesignError(f"{self.folder}: no shard '{name}'; write its seeds as in {arm}-seed0 or {arm}-seed0-4")
        settings = self.arms[arm] | {"divergences": self.divergences(arm, seeds[0])}
        return Shard(self.name, arm, seeds[0], seeds[-1], settings)


def seeds_of(shard):
    """The range of seeds in a shard's name (tanh-seed0, tanh-seed0-4); empty for any other word."""
    numbers = re.fullmatch(r".+-seed(\d+)(?:-(\d+))?", shard)
    return range(int(numbers[1]), int(numbers[2] or numbers[1]) + 1) if numbers else range(0)
