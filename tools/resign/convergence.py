import re

import numpy as np

from fgan.divergences import DIVERGENCES

LABELS = {d.label: n for n, d in DIVERGENCES.items()}
KINDS = ("convex-concave", "L of grad F", "concave in omega", "bilinear")
FACTOR = {"worst step": "worst factor", "asymptotic": "late factor"}
TIMES = "times faster than the bound"


def baseline(sampler, m):
    if m == "exact D":
        return "exact optimum", sampler, "D", ""
    if sampler.startswith("f-GAN "):
        return "f-GAN", LABELS[sampler[6:]], FACTOR.get(m, m), ""
    if sampler in KINDS or sampler.startswith("f-GAN") or m == "iterations":
        if sampler == "concave in omega" and m in ("least largest step", "largest worst step"):
            return (
                sampler,
                "",
                *{
                    "least largest step": ("largest step over delta/L", "least"),
                    "largest worst step": ("worst factor", "most"),
                }[m],
            )
        x = re.fullmatch(r"(least|median|most) (largest step|times faster than the bound)", m)
        if x and sampler == "convex-concave":
            return sampler, "", {"largest step": "largest step over delta/L"}.get(x[2], x[2]), x[1]
        return (
            sampler,
            "",
            {"least largest step": "least largest step over delta/L", "largest worst step": "largest worst factor"}.get(
                m, m
            ),
            "",
        )
    return None


def arrays(old, base):
    num = lambda s: float(s)
    stacks = {}
    for r in base.itertuples():
        s = r.divergence
        kind, rest = next(
            (
                (k, s[len(p) :])
                for k, p in (
                    ("L of grad F", "L of grad F, "),
                    ("concave in omega", "concave, "),
                    ("bilinear", "bilinear, "),
                    ("convex-concave", ""),
                )
                if s.startswith(p) and re.match(r"(condition|coupling) \S+, ", s[len(p) :])
            ),
            (None, None),
        )
        if kind is None:
            continue
        if kind == "bilinear":
            b, size, level = re.fullmatch(r"coupling (\S+), (\S+), step (\S+)", rest).groups()
        else:
            level, b, size = re.fullmatch(r"condition (\S+), coupling (\S+), (\S+)", rest).groups()
        stacks.setdefault((kind, r.metric), {})[b, size, level, r.seed] = r.value
    out = dict(old)
    get = {}
    for (kind, m), cells in stacks.items():
        axes = [list(dict.fromkeys(k[i] for k in cells)) for i in range(4)]
        get[kind, m] = np.array(
            [cells[b, s, l, d] for b in axes[0] for s in axes[1] for l in axes[2] for d in axes[3]]
        ).reshape([len(a) for a in axes])
    for (kind, m), v in get.items():
        if kind == "convex-concave":
            m, v = {
                "bound": ("promised fall", 1 - v),
                "worst step": ("worst fall", 1 - v),
                "mean step": ("mean fall", 1 - v),
                "asymptotic": ("late fall", 1 - v),
                "times faster than the bound": ("times faster, late step", v),
                "times faster [worst step]": ("times faster, worst step", v),
                "times faster [mean]": ("times faster, mean", v),
                "largest step": ("largest step over delta/L", v),
            }.get(m, (m, v))
        elif kind == "L of grad F":
            m = {"games above the bound": "above the bound", "games that diverge": "diverges"}[m]
        elif kind == "concave in omega":
            if m == "largest step":
                out[f"curve/{kind}/largest step over delta/L"] = v.astype(np.float32)
                v = v * get[kind, "step"]
            m = FACTOR.get(m, m)
        out[f"curve/{kind}/{m}"] = v.astype(np.float32)
    import math

    out["high_quality of P"] = np.float16(-math.expm1(-(3.0**2) / 2))
    return out
