def baseline(sampler, metric):
    kind, _, divergence = sampler.partition(", ")
    return kind, divergence, metric, ""
