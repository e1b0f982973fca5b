"""How old rows of grid map to the new form."""


def metric(name):
    base, _, rest = name.partition(" [")
    return base, rest.rstrip("]").replace("%", " %")


def baseline(sampler, name):
    return (sampler, "", *metric(name))
