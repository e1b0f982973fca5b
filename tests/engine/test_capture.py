"""A step can be captured and replayed: it keeps all of its state in tensors and never waits for a value.

CUDA is not needed to see that: a tape records every operation of one step with the tensors it read and wrote, and
plays them again on the same memory, as a CUDA graph does.
"""

import contextlib

import pytest
import torch
from small import driven, nothing, published, run
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fgan.divergences import DIVERGENCES
from fgan.engine.training import recorded, rounds, step, train

# What brings a value from the host, which a step that is captured may not do; drawing, outside of it, may.
FROM_HOST = {"lift_fresh", "_to_copy"}
# What reads a value on the host, or has a shape that depends on one.
WAITING = {"_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique"}
ADAM = {"kind": "adam", "generator": 3e-4, "variational": 1e-3, "beta1": 0.5}
CASES = pytest.mark.parametrize(
    "changes",
    [{"optimiser": ADAM}, {"optimiser": ADAM | {"clip": 0.1}}, {"method": {"kind": "k_step", "k": 2}},
     {"optimiser": {"kind": "sgd", "generator": 0.05, "variational": 0.05}}],
    ids=["adam", "clipped", "k_step", "sgd"])  # fmt: skip


class Tape(TorchDispatchMode):
    """Records the operations executed under it."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        self.calls.append((function, args, kwargs or {}, made))
        return made

    @property
    def names(self):
        return {function.overloadpacket.__name__ for function, *_ in self.calls}

    def replay(self):
        for function, args, kwargs, made in self.calls:
            again = function(*args, **kwargs)
            for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def population(**changes):
    return driven([run("kl"), run("pearson", seed=1), run("gan", "alternative")], **changes)


def record(p):
    """(tape, inputs, entry) of the population's next step, which is taken."""
    data, noise = p.draws(0, max(rounds(p), 1), rounds(p) + 1)
    inputs = [data[:, 0].clone(), noise[:, 0].clone()]
    with torch.no_grad(), Tape() as tape, torch.enable_grad():
        entry = step(p, *inputs)
    return tape, inputs, entry


@CASES
def test_a_replayed_step_is_a_step(changes):
    played, plain = population(**changes), population(**changes)
    data, noise = plain.draws(0, max(rounds(plain), 1), rounds(plain) + 1)
    tape, inputs, entry = record(played)
    step(plain, data[:, 0], noise[:, 0])
    # A run freezes in the middle: nothing of its state may have been captured as a constant.
    for i in range(1, 12):
        for p in (played, plain):
            p.omega[1, 0] = torch.nan if i == 5 else 0.1
        for mine, fresh in zip(inputs, (data[:, i], noise[:, i]), strict=True):
            mine.copy_(fresh)
        with torch.no_grad():
            tape.replay()
        wanted = step(plain, data[:, i], noise[:, i])
        for name in wanted:
            torch.testing.assert_close(entry[name], wanted[name], rtol=0, atol=0, equal_nan=True)
    for name, value in plain.state().items():
        torch.testing.assert_close(played.state()[name], value, rtol=0, atol=0, equal_nan=True)
    assert plain.diverged_at.nan_to_num(-1).tolist() == [-1, 6, -1]


@pytest.mark.parametrize("experiment", ["ring", "digits", "univariate"])
def test_nothing_waits_for_the_device_between_two_entries_of_the_history(experiment):
    every = [run(name, objective) for name in DIVERGENCES for objective in ("saddle", "alternative")]
    p = published(experiment, every, 20)
    with Tape() as tape:
        p.draws(0, 1, 1)
    own = record(p)[0]
    assert {"bmm", "baddbmm"} & own.names and not (WAITING | FROM_HOST) & own.names
    assert tape.names and not WAITING & tape.names


def test_the_tape_sees_what_waits():
    with Tape() as tape:
        float(torch.ones(3).sum())
        torch.ones(3)[torch.tensor([True, False, True])]
        torch.ones(3).to(torch.float64) + torch.tensor(1.0)
    assert {"_local_scalar_dense", "lift_fresh", "_to_copy"} <= tape.names


class Cuda:
    """In the place of torch.cuda: notes on which stream a function runs and what is recorded there."""

    def __init__(self):
        self.log, self.now = [], "current"

    def Stream(self):
        return type("Side", (), {"wait_stream": lambda _, other: self.log.append(("side waits for", other))})()

    def current_stream(self):
        return type("Current", (), {"wait_stream": lambda *_: self.log.append("current waits")})()

    @contextlib.contextmanager
    def stream(self, side):
        before, self.now = self.now, side
        yield
        self.now = before

    def CUDAGraph(self):
        return "graph"

    @contextlib.contextmanager
    def graph(self, recorded, stream):
        self.log.append("recording")
        with self.stream(stream):
            yield


def test_a_function_is_executed_on_the_stream_that_then_records_it(monkeypatch):
    cuda = Cuda()
    monkeypatch.setattr(torch, "cuda", cuda)
    ran = []
    graph, result = recorded(lambda: ran.append((cuda.now, "recording" in cuda.log)) or len(ran))
    streams = {stream for stream, _ in ran}
    assert graph == "graph" and result == len(ran) >= 2 and len(streams) == 1 and "current" not in streams
    assert [late for _, late in ran] == [False] * (len(ran) - 1) + [True]
    assert cuda.log[0][0] == "side waits for" and cuda.log[-1] == "current waits"


def test_a_state_is_loaded_in_place():
    p, other = population(), population()
    train(other, nothing)
    places = {name: value.data_ptr() for name, value in p.state().items()}
    p.load(other.state())
    for name, value in p.state().items():
        assert value.data_ptr() == places[name]
        assert torch.equal(value, other.state()[name]) or name == "diverged_at"
