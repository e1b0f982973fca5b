"""The cut of a design into shards, by the table of machines and the counted cost of a step."""

from fgan.design import Shard
from fgan.engine import cost
from fgan.engine.machines import MACHINES


def shards(design, device="cpu"):
    """All shards of a design, cut for a device; all divergences and objectives of a seed share a shard."""
    cut = []
    for arm, settings in design.arms.items():
        size = seeds_per_shard(device, cost.of(design, Shard(design.name, arm, 0, 0, settings)), settings["steps"])
        for first, last, own in design.spans(arm):
            firsts = range(first, last + 1, size)
            cut += [Shard(design.name, arm, seed, min(seed + size - 1, last), own) for seed in firsts]
    return cut


def seeds_per_shard(device, count, steps):
    """Seeds that a device trains in the seconds of its table; each but the first adds its marginal cost."""
    machine = MACHINES[device]
    rates = [machine[name] for name in ("rate", "bandwidth", "launch")]
    one, two = (count.seconds(*rates, copies=copies) * steps for copies in (1, 2))
    return max(1, 1 + int((machine["seconds"] - one) / (two - one)))
