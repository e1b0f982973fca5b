from common import bracket


def metric(old):
    return ("D", old[2:]) if old.startswith("D ") else bracket(old)


def baseline(sampler, old):
    kind, m = old.split(" ", 1)
    if kind == "crossed":
        return "exact optimum", sampler, "D", m
    return f"{kind} optimum", sampler, m, ""
