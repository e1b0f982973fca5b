"""The cut of a design into shards, by the table of machines and the counted cost of a step."""

from fgan.design import Shard
from fgan.engine import cost, machines


def shards(design, device="cpu"):
    """All shards of a design, cut for a device; all divergences and objectives of a seed share a shard."""
    cut = []
    for arm in design.arms:
        for first, last, settings in design.spans(arm):
            one = Shard(design.name, arm, first, first, settings)
            size = machines.seeds_per_shard(device, lambda one=one: cost.of(design, one), settings["steps"])
            size = max(size, 3 - len(one.runs))  # a lone run would be padded to two, and cost as much
            firsts = range(first, last + 1, size)
            cut += [Shard(design.name, arm, seed, min(seed + size - 1, last), settings) for seed in firsts]
    return cut
