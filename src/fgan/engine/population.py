"""A population: many runs of one architecture, trained together as one stacked tensor program.

Parameters, gradients and optimiser states are flat stacks [runs, parameters]. Random streams belong to
(experiment, seed), so every divergence, and every arm with the same target, noise, networks and batch, sees the same
data, noise and initial weights for the same seed.
"""

import hashlib

import torch

from fgan.design import DesignError
from fgan.divergences import DIVERGENCES
from fgan.engine import objectives
from fgan.engine.optimisers import OPTIMISERS

# Steps whose noise and data are drawn at once; a chunk is seeded by its number, so a resumed run needs no state.
CHUNK = 20


def seeded(device, *words):
    """A generator for the stream that the words name, for example (run.stream, 'noise', 3)."""
    number = int.from_bytes(hashlib.sha256("/".join(map(str, words)).encode()).digest()[:8], "big") >> 1
    return torch.Generator(device).manual_seed(number)


def per_run(value, tensor):
    """A value per run [runs], shaped to multiply a stack [runs, ...]."""
    return value.view(-1, *(1 for _ in tensor.shape[1:]))


class Population:
    """Generators and variational networks of `runs`, with their optimisers and random streams.

    `target` is the data distribution, `generator` and `variational` are networks, `settings` the resolved design.
    A lone run is padded to two by its own copy, because a stack of one takes another product kernel.

    Raises DesignError for remedies or noise that this class would ignore.
    """

    remedies = None  # fgan.remedies.Remedied has its own
    noises = ("normal", "uniform")

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        if settings.get("remedies") and self.remedies is None:
            raise DesignError("remedies: this experiment's run.py builds no population that takes them (Remedied)")
        if (kind := settings["noise"]["kind"]) not in self.noises:
            raise DesignError(f"noise.kind: this experiment's population draws {' or '.join(self.noises)}, not {kind}")
        self.n_runs = len(runs)
        self.runs = runs = list(runs) * (2 if len(runs) == 1 else 1)
        self.target, self.settings, self.device = target, settings, torch.device(device)
        self.generator, self.variational = generator, variational
        self.slices = objectives.slices_of(runs)
        self.streams = list(dict.fromkeys(run.stream for run in runs))
        self.stream_of = torch.tensor([self.streams.index(run.stream) for run in runs], device=self.device)
        self.theta = self._start(generator, "generator")
        self.omega = self._start(variational, "variational")
        biases = variational.views(self.omega)[-1]
        biases += per_run(self.output_bias(), biases)
        self.theta_views = [view.requires_grad_() for view in generator.views(self.theta)]
        self.omega_views = [view.requires_grad_() for view in variational.views(self.omega)]
        rates = dict(settings["optimiser"])
        optimiser = OPTIMISERS[rates.pop("kind")]
        theta_rate, omega_rate, self.clip = rates.pop("generator"), rates.pop("variational"), rates.pop("clip", None)
        self.fixed = theta_rate == 0  # G stands still, only V is trained
        ones = torch.ones(len(runs), device=self.device)
        self.theta_optimiser = optimiser(self.theta, theta_rate * ones, **rates)
        self.omega_optimiser = optimiser(self.omega, omega_rate * ones, **rates)
        self.alive = torch.ones(len(runs), dtype=torch.bool, device=self.device)
        self.diverged_at = torch.full((len(runs),), torch.nan, device=self.device)
        self.steps = torch.zeros((), device=self.device)

    def _start(self, network, name):
        if self.device.type == "meta":  # shapes alone, for fgan.engine.cost
            return torch.empty(len(self.runs), network.size, device="meta")
        rows = {s: network.start(seeded("cpu", s, "weights", name)) for s in self.streams}
        return torch.stack([rows[run.stream] for run in self.runs]).to(self.device)

    def output_bias(self):
        """Shift of V's output bias at the start [runs]: g^-1(f'(1)), optimal while P and Q look alike."""
        return torch.tensor([DIVERGENCES[run.divergence].threshold_v for run in self.runs], device=self.device)

    @property
    def f_at_one(self):
        """f(1), the value of F that a constant V reaches [runs]: far below it a run is dead."""
        values = [float(DIVERGENCES[run.divergence].f(torch.ones(()))) for run in self.runs[: self.n_runs]]
        return torch.tensor(values, device=self.device)

    def spread(self, by_stream):
        """Values per stream [streams, ...] for every run [runs, ...]; no copy where all runs share one stream."""
        if len(self.streams) == 1:
            return by_stream.expand(len(self.runs), *by_stream.shape[1:])
        return by_stream[self.stream_of]

    def noise(self, shape, generator):
        """Noise z of the latent distribution: normal, or uniform on (-1, 1)."""
        shape = (*shape, self.settings["noise"]["dimension"])
        if self.settings["noise"]["kind"] == "normal":
            return torch.randn(shape, generator=generator, device=self.device)
        return torch.rand(shape, generator=generator, device=self.device) * 2 - 1

    def draws(self, chunk, data_per_step, noise_per_step):
        """Data [streams, CHUNK, draws, batch, ...] and noise [streams, CHUNK, draws, batch, z] of a chunk.

        With the setting `fresh: false` every step uses the draw of the first one, a fixed sample of `batch` points.
        """
        batch, fresh = self.settings["batch"], self.settings.get("fresh", True)
        chunk = chunk if fresh or not isinstance(chunk, int) else 0
        data, noise = [], []
        for stream in self.streams:
            shape = (CHUNK, data_per_step, batch)
            data.append(self.target.draw(shape, seeded(self.device, stream, "data", chunk)))
            noise.append(self.noise((CHUNK, noise_per_step, batch), seeded(self.device, stream, "noise", chunk)))
        data, noise = torch.stack(data), torch.stack(noise)
        return (data, noise) if fresh else (data[:, :1].expand_as(data), noise[:, :1].expand_as(noise))

    def generate(self, z):
        """Samples of Q [runs, batch, x] for noise [runs, batch, z]."""
        return self.generator(self.theta_views, z)

    def judge(self, x):
        """V's raw output [runs, batch, 1] for points [runs, batch, x]."""
        return self.variational(self.omega_views, x)

    def losses(self, x, z, inner=False):
        """The objective that V ascends (F) and the loss that G descends, each [runs], on data x and noise z.

        `inner` marks the steps of V alone, whose samples carry no gradient to G.
        """
        with torch.set_grad_enabled(not inner):
            fake = self.generate(z)
        return objectives.value_and_loss(self.slices, self.judge(x), self.judge(fake))

    def sample(self, count, purpose):
        """`count` samples of every run [runs, count, x], made in batches of the training size, as batch norm needs."""
        batch = self.settings["batch"]
        with torch.no_grad():
            generators = [seeded(self.device, stream, purpose) for stream in self.streams]
            parts = [
                self.generate(self.spread(torch.stack([self.noise((batch,), g) for g in generators])))
                for _ in range(-(-count // batch))
            ]
        return torch.cat(parts, dim=1)[: self.n_runs, :count]

    def state(self):
        """The tensors that a step changes, by name; from them a later process continues bit for bit."""
        own = {name: getattr(self, name) for name in ("theta", "omega", "alive", "diverged_at", "steps")}
        optimisers = {"theta": self.theta_optimiser, "omega": self.omega_optimiser}
        return own | {f"{name}.{key}": value for name, o in optimisers.items() for key, value in o.state().items()}

    def load(self, state):
        """Copies a state into this population in place, so that a captured step continues from it."""
        with torch.no_grad():
            for name, value in self.state().items():
                value.copy_(state[name])
