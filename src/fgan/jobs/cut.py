"""The cut of a design into shards, by the table of machines and the counted cost of a step."""

from fgan.design import Shard
from fgan.engine import cost, machines


def shards(design, device="cpu"):
    """All shards of a design, cut for a device; all divergences and objectives of a seed share a shard."""
    cut = []
    for arm, settings in design.arms.items():
        one = Shard(design.name, arm, 0, 0, settings)
        size = machines.seeds_per_shard(device, lambda one=one: cost.of(design, one), settings["steps"])
        for first, last, own in design.spans(arm):
            firsts = range(first, last + 1, size)
            cut += [Shard(design.name, arm, seed, min(seed + size - 1, last), own) for seed in firsts]
    return cut
