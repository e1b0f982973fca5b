"""Machines: threads, precision and size of a stack by device, from the table that the benchmark writes."""

import contextlib
import contextvars
import ctypes
import os
from pathlib import Path

import torch

from fgan.design import DesignError, read_yaml

MACHINES = read_yaml(Path(__file__).with_name("machines.yaml"))
PRECISIONS = ("float32", "tf32")
AS_ON = contextvars.ContextVar("as_on", default=None)

# Options of glibc's mallopt.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4


def kind(tensor):
    """The kind of device, 'cpu' or 'cuda', whose ways of computing a tensor takes: its own, or that of `as_on`."""
    return AS_ON.get() or {"meta": "cpu"}.get(tensor.device.type, tensor.device.type)


@contextlib.contextmanager
def as_on(device):
    """All tensors take this device's ways of computing: those on the meta device to be counted, others to be tested."""
    before = AS_ON.set(device)
    try:
        yield
    finally:
        AS_ON.reset(before)


def prepare(device):
    """Sets this process up to train on a device; raises DesignError for an unknown precision in the table."""
    torch.set_num_threads(MACHINES[device]["threads"])
    # cuDNN's own default is TF32, and both libraries may add up in another order at every call unless told otherwise.
    precision = MACHINES[device].get("precision", "float32")
    if precision not in PRECISIONS:
        raise DesignError(f"machines.yaml: {device}.precision is '{precision}'; write {' or '.join(PRECISIONS)}")
    for library in (torch.backends.cuda.matmul, torch.backends.cudnn):
        library.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.deterministic = True
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # read when cuBLAS starts
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
