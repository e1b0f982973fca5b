"""Targets P. Image sets are found here by their kind; mixtures are made by the experiments."""

import importlib

# Image sets, each with the module that reads it. Read by name, so that an experiment's code is its own sets' alone.
SETS = {"digits": "images", "mnist": "images", "cifar10": "natural", "lsun": "natural"}


def reader(kind):
    """The module that reads an image set, with load(kind, folder), blank(kind) and missing(kind, folder)."""
    return importlib.import_module(f"fgan.targets.{SETS[kind]}")


def load(settings, folder=None):
    """The image set of the target in a design's settings; None for a mixture. Raises DataError where it is missing."""
    kind = settings["target"]["kind"]
    return reader(kind).load(kind, folder) if kind in SETS else None


def blank(settings):
    """The shapes of `load` without the images, for what only counts."""
    kind = settings["target"]["kind"]
    return reader(kind).blank(kind) if kind in SETS else None
