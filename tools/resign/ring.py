"""How old rows of ring map to the new form."""

RULES = {
    "3 sd, n/80": "3 sd, tenth",
    "2 sd, n/80": "2 sd, tenth",
    "5 sd, n/80": "5 sd, tenth",
    "3 sd, n/16": "3 sd, half",
}


def metric(name):
    base, _, rest = name.partition(" [")
    rule = rest.rstrip("]")
    return base, RULES.get(rule, rule)


def baseline(sampler, name):
    return (sampler, "", *metric(name))
