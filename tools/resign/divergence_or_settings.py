"""How old rows of decides map to divergence_or_settings: the exact optimum and other minima of a divergence are samplers."""


def baseline(sampler, name):
    for old, new in (("exact ", "exact optimum"), ("other ", "other minimum")):
        if name.startswith(old):
            return new, sampler, name[len(old) :], ""
    return sampler, "", name, ""
