from common import bracket


def metric(old):
    if old.startswith("fresh sd "):
        return "fresh sd", "n = " + old[9:]
    if old.startswith("level "):
        return "level", old[6:]
    return {"best entry": ("best step", "")}.get(old) or bracket(old)


BASE = {
    "D_f": ("free T", "D_f"),
    "lost by the free T": ("free T", "gap"),
    "constant V": ("constant V", "exact F"),
    "best line": ("best line", "exact F"),
    "best line recovered": ("best line", "recovered"),
}


def baseline(sampler, old):
    s, m = BASE[old]
    return s, sampler, m, ""
