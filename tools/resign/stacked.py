import numpy as np
from common import bracket


def metric(old):
    return ("covered", "10, confidence 0.9") if old == "covered [strictest]" else bracket(old)


def baseline(sampler, old):
    return None if old == "hash" else (sampler, "", *metric(old))


def arrays(arrays, base):
    rules = [(n, p) for p in (0.0, 0.5, 0.9) for n in (1, 3, 5, 10)]
    return arrays | {"rules": np.asarray(rules, np.float16)}
