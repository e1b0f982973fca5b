"""Optimisers over a flat stack [runs, parameters], with a rate for each run so that a frozen run stands still."""

from itertools import groupby

import torch

from fgan.engine.machines import kind


class SGD:
    """p <- p - rate * gradient."""

    def __init__(self, parameters, rate):
        self.parameters, self.rate = parameters, rate

    def step(self, gradient, alive):
        self.parameters.addcmul_(gradient, (self.rate * alive)[:, None], value=-1)

    def state(self):
        return {}


class Adam:
    """Adam (Kingma and Ba 2015)."""

    def __init__(self, parameters, rate, beta1=0.9, beta2=0.999):
        self.parameters, self.rate, self.betas = parameters, rate, (beta1, beta2)
        self.mean, self.square = torch.zeros_like(parameters), torch.zeros_like(parameters)
        fused = kind(parameters) == "cuda"
        # The count is a tensor on the device, because a captured step would repeat a Python number for ever. The fused
        # kernel reads it in single precision, which is exact for 16 million steps.
        self.steps = torch.zeros((), dtype=torch.float32 if fused else torch.float64, device=parameters.device)
        self.step = self.fused if fused else self.plain
        # Rows of one rate next to each other: [(rate, their number)]. A meta tensor has no rates.
        known = [0.0] * len(rate) if rate.device.type == "meta" else rate.tolist()
        self.spans = [(value, len(list(rows))) for value, rows in groupby(known)]

    def plain(self, gradient, alive):
        beta1, beta2 = self.betas
        self.steps.add_(1)
        self.mean.lerp_(gradient, 1 - beta1)
        self.square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        root = (1 - beta2**self.steps).sqrt()
        scale = root / (1 - beta1**self.steps)
        update = self.mean / self.square.sqrt().add_(1e-8 * root)
        self.parameters.addcmul_(update, (self.rate * alive * -scale)[:, None])

    def fused(self, gradient, alive):
        """The same step in one pass over the memory, by torch's own kernel, which has one rate and leaves out no run.

        A run that is not alive has zero gradients, so it stands still as soon as its mean is zero too.
        """
        beta1, beta2 = self.betas
        self.steps.add_(1)
        self.mean.mul_(alive[:, None])
        own, sizes = (self.parameters, gradient, self.mean, self.square), [rows for _, rows in self.spans]
        for (rate, _), *rows in zip(self.spans, *(stack.split(sizes) for stack in own), strict=True):
            torch._fused_adam_(
                *([row] for row in rows), [], [self.steps], lr=rate, beta1=beta1, beta2=beta2, weight_decay=0.0,
                eps=1e-8, amsgrad=False, maximize=False,
            )  # fmt: skip

    def state(self):
        return {"mean": self.mean, "square": self.square, "steps": self.steps}


OPTIMISERS = {"sgd": SGD, "adam": Adam}
