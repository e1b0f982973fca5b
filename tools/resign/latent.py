"""How old rows of latent map to the new form: samplers 'data (ring)' are called 'data, ring'."""


def _bracket(name):
    base, _, rest = name.partition(" [")
    return base, rest.rstrip("]")


def baseline(sampler, name):
    base, _, place = sampler.partition(" (")
    return (f"{base}, {place.rstrip(')')}" if place else sampler, "", *_bracket(name))
