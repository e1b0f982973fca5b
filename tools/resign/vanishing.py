import re

import numpy as np

WAY = {"exact": "exact", "shrunk": "flat V", "batch": "batch", "noisy": "noisy V"}


def metric(old):
    m = re.fullmatch(r"(saddle|alternative) (first|largest|late|change|fall)", old)
    if m:
        return ({"change": "gradient change", "fall": "gradient fall"}.get(m[2], f"{m[2]} gradient"), m[1])
    m = re.fullmatch(r"gradient (saddle|alternative)", old)
    return ("gradient", m[1]) if m else (old, "")


def baseline(sampler, metric):
    if metric == "limit of F":
        return "disjoint supports", sampler, metric, ""
    m = re.fullmatch(r"exponent (\w+)", metric)
    if m:
        return "known fake", sampler, "exponent", m[1]
    m = re.fullmatch(r"uniform D_f at (.+)", metric)
    if m:
        return "two uniforms", sampler, "D_f", f"c = {m[1]}"
    m = re.fullmatch(r"uniform slope (together|apart)", metric)
    if m:
        return "two uniforms", sampler, "slope", {"together": "overlapping", "apart": "disjoint"}[m[1]]
    if metric == "uniform infinite":
        return "two uniforms", sampler, "infinite", ""
    m = re.fullmatch(r"(saddle|alternative) (exact|shrunk|batch|noisy) at (\d+)", metric)
    if m:
        return WAY[m[2]], sampler, "gradient", f"{m[1]}, d = {m[3]}"
    m = re.fullmatch(r"(saddle|alternative) noisy excess at (\d+)", metric)
    if m:
        return "noisy V", sampler, "gradient scatter", f"{m[1]}, d = {m[2]}"
    assert re.fullmatch(r"(saddle|alternative) (batch|noisy) (lower|upper|sd) at (\d+)", metric), metric
    return None  # the quartiles stand in the curves


def arrays(old, base):
    new = {k: v for k, v in old.items() if not k.startswith("curve/")}
    for a, b in WAY.items():
        new[f"curve/{b}"] = np.stack(
            [old.get(f"curve/{a}{w}", old[f"curve/{a}"]) for w in ("", " lower", " upper")]
        ).astype(np.float32)
    return new
