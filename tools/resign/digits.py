from common import bracket


def metric(old):
    return ("class share", old[9:]) if old.startswith("share of ") else bracket(old)


def baseline(sampler, old):
    return None if old == "hash" else (sampler, "", *metric(old))
