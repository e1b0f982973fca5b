"""f-GAN and mode collapse, replicated: every f-divergence, every seed, one paper."""


def __getattr__(name):
    # torch takes two seconds to import; a figure or a table does not need it.
    if name in ("DIVERGENCES", "Divergence"):
        from fgan import divergences

        return getattr(divergences, name)
    raise AttributeError(f"module 'fgan' has no attribute '{name}'")
