"""Machines: threads, size of a shard and of a stack by device, from the table that the benchmark writes."""

import contextlib
import ctypes
from pathlib import Path

import torch

from fgan.validation import read_yaml

MACHINES = read_yaml(Path(__file__).with_name("machines.yaml"))

# Options of glibc's mallopt.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4


def prepare(device):
    """Sets this process up to train on a device."""
    torch.set_num_threads(MACHINES[device]["threads"])
    # float32 is the reference: no convolution on a GPU may round to TF32, as cuDNN's does when it is not told.
    torch.backends.cudnn.allow_tf32 = False
    # Vanished gradients become denormal numbers, which would cost the CPU a hundred times as much.
    torch.set_flush_denormal(True)
    # glibc hands each large tensor back to the kernel and asks for it again at the next step, page by page, every
    # page zeroed: half the time of the MNIST networks. Kept in the heap, the memory of one step serves the next.
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 64 * 2**20)):
            mallopt(option, value)


def pieces(runs, cost, device):
    """The runs of a shard cut into the fewest equal stacks that have room, by the counted peak of a step.

    A stack has at least two runs: one alone would be padded to two.
    """
    room = MACHINES[device]["stack"]
    if device == "cuda":
        torch.cuda.empty_cache()  # what an earlier shard of this process left behind is free as well
        room = min(room, 0.8 * torch.cuda.mem_get_info()[0])
    most = max(2, int(room * cost.runs / cost.peak))
    size = -(-len(runs) // -(-len(runs) // most))
    return [runs[first : first + size] for first in range(0, len(runs), size)]


def seeds_per_shard(device, cost, steps):
    """Seeds that a device trains in one shard: the table's number, or as many as take the table's seconds."""
    machine = MACHINES[device]
    if "seeds" in machine:
        return machine["seeds"]
    rates = [machine[name] for name in ("rate", "bandwidth", "launch")]
    one, two = (cost().seconds(*rates, copies=copies) * steps for copies in (1, 2))
    return max(1, 1 + int((machine["seconds"] - one) / (two - one)))
