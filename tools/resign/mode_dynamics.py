"""How old rows of film map to mode_dynamics: the kept arrays frames are called pictures."""


def arrays(arrays, base):
    return {name.replace("frames/", "pictures/", 1): array for name, array in arrays.items()}
