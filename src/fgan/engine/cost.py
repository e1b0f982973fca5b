"""The cost of one training step, counted from its shapes: the step runs once on the meta device, without data."""

import weakref
from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry

from fgan import targets
from fgan.design import digest
from fgan.engine.machines import as_on
from fgan.engine.training import rounds, step

# What a CPU core takes longer for, as it was timed. Each operation of a convolution takes as long as 1 + SLOWER of a
# product, and its start as long as that of CALL kernels; a byte of a function as long as 1 + FUNCTIONS of a sum.
SLOWER, CALL = 3, 20
FUNCTIONS = {
    "tanh": 12, "exp": 3, "sigmoid": 1, "log": 5, "log1p": 3, "expm1": 5, "softplus": 6, "elu": 6, "xlogy": 8,
    "log_sigmoid_forward": 6, "sqrt": 1, "where": 6, "max": 15, "native_batch_norm": 1, "native_batch_norm_backward": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Cost of one step of a whole stack: operations of products, bytes read and written, kernels, peak bytes, runs.

    On a CPU `convolved` of the operations belong to convolutions, in `convolutions` calls, and functions like tanh
    take as long as `functions` more bytes.
    """

    operations: float
    traffic: float
    kernels: int
    peak: float
    runs: int
    convolved: float = 0.0
    convolutions: int = 0
    functions: float = 0.0

    def seconds(self, rate, bandwidth, launch, copies=1):
        """Seconds of a step of `copies` such stacks side by side, at rates of products [operations/s], of memory
        [bytes/s] and a time for each kernel [s]."""
        operations = self.operations + SLOWER * self.convolved
        calls = CALL * launch * self.convolutions  # one for each run
        traffic = self.traffic + self.functions
        return copies * (operations / rate + traffic / bandwidth + calls) + self.kernels * launch


def convolution_backward(gradient, x, weight, *settings, out_val=None):
    """Operations of a convolution's gradients: as many as in the forward pass for each of inputs and weights requested.

    torch's own formula combines every output channel with the input channels of all groups.
    """
    transposed, mask = settings[4], settings[7]
    return conv_flop_count(x.shape, weight.shape, gradient.shape, transposed) * sum(mask[:2])


CONVOLUTIONS = (torch.ops.aten.convolution, torch.ops.aten.convolution_backward)
OPERATIONS = flop_registry | {torch.ops.aten.convolution_backward: convolution_backward}


class Counter(TorchDispatchMode):
    """Counts the operations executed under it, and the peak bytes of the tensors made under it."""

    def __init__(self):
        super().__init__()
        self.operations, self.traffic, self.kernels, self.alive, self.peak = 0, 0, 0, 0, 0
        self.convolved, self.convolutions, self.functions = 0, 0, 0
        self.seen = weakref.WeakSet()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        made = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        count = OPERATIONS.get(function._overloadpacket)
        if count:
            operations = count(*args, **(kwargs or {}), out_val=result)
            self.operations += operations
            if function._overloadpacket in CONVOLUTIONS:
                self.convolved, self.convolutions = self.convolved + operations, self.convolutions + 1
        if not function.is_view:
            self.kernels += 1
            traffic = sum(t.numel() * t.element_size() for t in given + made)
            self.traffic += traffic
            self.functions += FUNCTIONS.get(function._overloadpacket.__name__, 0) * traffic
        known = {t.untyped_storage()._cdata for t in given}
        for tensor in made:
            storage = tensor.untyped_storage()
            if storage._cdata not in known and storage not in self.seen:
                self.seen.add(storage)
                self.alive += storage.nbytes()
                self.peak = max(self.peak, self.alive)
                weakref.finalize(storage, self._freed, storage.nbytes())
        return result

    def _freed(self, size):
        self.alive -= size


def of(design, shard, device="cpu"):
    """Cost of a step of the stack that trains the runs of one seed of the shard, side by side, on a kind of device."""
    runs, data = [run for run in shard.runs if run.seed == shard.first], targets.blank(shard.settings)
    return counted(lambda: design.run.population(shard.settings, runs, "meta", data), device)


def key(settings):
    """A name for all settings that cost the same: arms that differ in rates share it."""
    return digest(shape(settings))


def shape(settings):
    """Settings without the values that decide no shape: of rates and other fractions remains whether they are 0."""
    if isinstance(settings, dict):
        return {name: shape(value) for name, value in settings.items()}
    if isinstance(settings, list):
        return [shape(value) for value in settings]
    return settings != 0 if isinstance(settings, float) else settings


def counted(make, device="cpu"):
    """Cost of a step on a kind of device of the population that `make()` returns, which must be on the meta device."""
    with as_on(device), Counter() as counter:
        population = make()
        batch, k, streams = population.settings["batch"], rounds(population), len(population.streams)
        drawn = population.target.draw((streams, max(k, 1), batch), None)
        noise = population.noise((streams, k + 1, batch), None)
        counter.operations, counter.traffic, counter.kernels, counter.peak = 0, 0, 0, counter.alive
        counter.functions = 0
        step(population, drawn, noise)
    slow = (counter.convolved, counter.convolutions, counter.functions) if device == "cpu" else ()
    return Cost(counter.operations, counter.traffic, counter.kernels, counter.peak, len(population.runs), *slow)
