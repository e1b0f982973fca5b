import numpy as np
from common import bracket

BEST = {
    "best log-likelihood": ("log-likelihood", "best"),
    "best bandwidth": ("bandwidth", "best"),
    "least log-likelihood [held out]": ("least log-likelihood", "held out"),
}


def baseline(sampler, old):
    if old.startswith("log-likelihood at "):
        return None
    name, rule = BEST.get(old) or bracket(old)
    return (
        (sampler, "", "standard error", f"{rule}, 1,000 images")
        if name == "standard error of 1,000"
        else (sampler, "", name, rule)
    )


def arrays(arrays, base):
    curves = base[base.metric.str.startswith("log-likelihood at ")].groupby("divergence", sort=False)
    return arrays | {f"curve/{name}": rows.value.to_numpy(np.float32) for name, rows in curves}
