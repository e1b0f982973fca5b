"""Optimisers over a flat stack [runs, parameters], with a rate for each run so that a frozen run stands still."""

import torch


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
        # The count is a tensor on the device, because a captured step would repeat a Python number for ever.
        self.steps = torch.zeros((), dtype=torch.float64, device=parameters.device)

    def step(self, gradient, alive):
        beta1, beta2 = self.betas
        self.steps.add_(1)
        self.mean.lerp_(gradient, 1 - beta1)
        self.square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        root = (1 - beta2**self.steps).sqrt()
        scale = root / (1 - beta1**self.steps)
        update = self.mean / self.square.sqrt().add_(1e-8 * root)
        self.parameters.addcmul_(update, (self.rate * alive * -scale)[:, None])

    def state(self):
        return {"mean": self.mean, "square": self.square, "steps": self.steps}


OPTIMISERS = {"sgd": SGD, "adam": Adam}
