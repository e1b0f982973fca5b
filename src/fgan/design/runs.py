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
    origin: str = ""  # name of its random streams, if not that of the experiment

    @property
    def stream(self):
        """Name of the random stream: shared by all divergences and objectives, so that runs of a seed are paired."""
        return f"{self.origin or self.experiment}/{self.arm}/{self.seed}"


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
            Run(self.experiment, self.arm, divergence, objective, seed, self.settings.get("stream", ""))
            for divergence in self.settings["divergences"]
            for objective in self.settings["objectives"]
            for seed in range(self.first, self.last + 1)
        ]

    @property
    def hash(self):
        """SHA-256 of everything in the design that decides this shard's results."""
        return digest(asdict(self))
