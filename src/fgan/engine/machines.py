"""Machines: threads and size of a stack by device, from the table that the benchmark writes."""

import contextlib
import ctypes
from pathlib import Path

import torch

from fgan.design import read_yaml

MACHINES = read_yaml(Path(__file__).with_name("machines.yaml"))

# Options of glibc's mallopt.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4


def prepare(device):
    """Sets this process up to train on a device."""
    torch.set_num_threads(MACHINES[device]["threads"])
    # float32 is the reference, so a GPU's convolutions must not round to TF32, which is cuDNN's default.
    torch.backends.cudnn.allow_tf32 = False
    # Vanished gradients become denormal numbers, on which a CPU is a hundred times slower.
    torch.set_flush_denormal(True)
    # glibc returns each large tensor to the kernel and requests it again at the next step, page by page and zeroed,
    # which takes half the time of the MNIST networks. If the memory stays in the heap, the next step reuses it.
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 64 * 2**20)):
            mallopt(option, value)


def pieces(runs, cost, device):
    """The runs of a shard cut into the fewest equal stacks that fit in memory, by the counted peak of a step.

    A stack has at least two runs: a single one would be padded to two.
    """
    room = MACHINES[device]["stack"]
    if device == "cuda":
        torch.cuda.empty_cache()  # frees the memory that torch still caches from an earlier shard
        room = min(room, 0.8 * torch.cuda.mem_get_info()[0])
    most = max(2, int(room * cost.runs / cost.peak))
    size = -(-len(runs) // -(-len(runs) // most))
    return [runs[first : first + size] for first in range(0, len(runs), size)]
