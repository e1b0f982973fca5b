"""Runs and shards: the trainings of an arm, whose streams and order decide numbers (the code hash covers this file)."""

from dataclasses import asdict, dataclass

from fgan.design.validation import digest


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
        """Name of the random streams: shared by all runs of an experiment with this seed, so that they are paired.

        What a run draws is this stream in the shapes of its target, noise, networks and batch: arms that share one of
        them share its numbers, and arms that differ in rates, objective or unrolling share all of them.
        """
        return f"{self.experiment}/{self.seed}"


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
