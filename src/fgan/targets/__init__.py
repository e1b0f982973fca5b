"""Targets P, each made from the settings of a design."""

import importlib

# The module that makes each kind of target, imported by name, so that an experiment's code hash covers its own alone.
MODULES = {
    "mixture": "mixtures", "ring": "mixtures", "grid": "mixtures", "embedded": "mixtures",
    "digits": "images", "mnist": "images", "cifar10": "natural", "lsun": "natural",
}  # fmt: skip
IMAGES = ("images", "natural")  # modules with load(kind, folder), blank(kind) and missing(kind, folder)


def module(settings):
    """(kind, its module) of the target in a design's settings; no module where the experiment makes its own target."""
    kind = settings["target"]["kind"]
    return kind, importlib.import_module(f"fgan.targets.{MODULES[kind]}") if kind in MODULES else None


def of(settings, device="cpu", data=None):
    """The target of a design's settings on a device; `data` is its image set, as `load` returns it.

    Raises ValueError for an image set without its data.
    """
    kind, maker = module(settings)
    if data is None and MODULES[kind] in IMAGES:
        raise ValueError(f"The target '{kind}' is an image set: load it with fgan.targets.load and give it as data.")
    if data is None:
        return maker.of(settings["target"], device)
    if "stack" not in settings["target"]:
        return data.to(device)
    from fgan.targets.stacked import Stacked

    return Stacked(data.to(device), settings["target"]["stack"])


def reader(settings):
    """(kind, the module that reads its image set), or (kind, None) for a target that is no image set."""
    kind, maker = module(settings)
    return kind, maker if MODULES.get(kind) in IMAGES else None


def load(settings, folder=None):
    """The image set of a design's target; None for another target. Raises DataError if it is missing."""
    kind, images = reader(settings)
    return images.load(kind, folder) if images else None


def blank(settings):
    """The shapes of `load` without the images, for counting the cost of a step."""
    kind, images = reader(settings)
    return images.blank(kind) if images else None


def missing(design, folder=None):
    """One sentence on the missing data for which an optional experiment is left out; None for all others."""
    if not design.common.get("optional"):
        return None
    readers = dict(reader(settings) for settings in design.arms.values())
    sentences = (images.missing(kind, folder) for kind, images in sorted(readers.items()) if images)
    return next(filter(None, sentences), None)
