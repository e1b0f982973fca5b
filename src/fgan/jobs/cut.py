"""The cut of a design into shards, by the table of machines and the counted cost of a step."""

from fgan.design import Shard
from fgan.engine import cost, machines


def shards(design, device="cpu"):
    """All shards of a design, cut for a device; all divergences and objectives of a seed share a shard."""
    cut = []
    for arm, settings in design.arms.items():
        seeds = design.seeds[arm]
        one = Shard(design.name, arm, 0, 0, settings)
        size = machines.seeds_per_shard(device, lambda one=one: cost.of(design, one, device), settings["steps"])
        spans = [(first, min(first + size, seeds) - 1) for first in range(0, seeds, size)]
        cut += [Shard(design.name, arm, first, last, settings) for first, last in spans]
    return cut
