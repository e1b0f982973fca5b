def baseline(sampler, metric):
    kind = sampler.removesuffix(" (binary)")
    return kind, "", metric, "binary" if kind != sampler else ""
