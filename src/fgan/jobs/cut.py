"""The cut of a design into shards, by the table of machines and the counted cost of a step."""

import contextlib
import functools
import json
from dataclasses import asdict
from pathlib import Path

from fgan.design import Shard, digest
from fgan.engine import cost
from fgan.engine.machines import MACHINES
from fgan.files import RecordError, file_hash, write_json
from fgan.record.provenance import code_hash


def shards(design, device="cpu"):
    """All shards of a design, cut for a device; all divergences and objectives of a seed share a shard."""
    cut = []
    for arm in design.arms:
        for first, last, settings in design.spans(arm):
            one = Shard(design.name, arm, first, first, settings)
            size = seeds_per_shard(device, count(design, one, device), settings["steps"])
            size = max(size, 3 - len(one.runs))  # a lone run is padded to two and costs as much
            firsts = range(first, last + 1, size)
            cut += [Shard(design.name, arm, seed, min(seed + size - 1, last), settings) for seed in firsts]
    return cut


def seeds_per_shard(device, count, steps):
    """Seeds that a device trains in the seconds of its table; each but the first adds its marginal cost."""
    machine = MACHINES[device]
    rates = [machine[name] for name in ("rate", "bandwidth", "launch")]
    one, two = (count.seconds(*rates, copies=copies) * steps for copies in (1, 2))
    return max(1, 1 + int((machine["seconds"] - one) / (two - one)))


def count(design, shard, device="cpu"):
    """Cost on a kind of device of a step of the stack of one seed (`engine.cost`), kept in a file once it was counted.

    To count it takes a tenth of a second, and what torch imports for that takes more than a second.
    """
    counted = digest([code_hash(design.name), file_hash(cost.__file__)])  # what a step does, and how it is counted
    path = Path("results/.data/costs", f"{design.name}-{counted[:16]}.json")
    key, known = f"{device} {cost.key(shard.settings)}", counts(path)
    if key not in known:
        known[key] = cost.of(design, shard, device)
        with contextlib.suppress(RecordError):  # a folder that cannot be written costs time alone
            write_json(path, {name: asdict(value) for name, value in known.items()})
    return known[key]


@functools.cache
def counts(path):
    """The costs that a file keeps."""
    return {name: cost.Cost(**value) for name, value in json.loads(path.read_text()).items()} if path.exists() else {}
