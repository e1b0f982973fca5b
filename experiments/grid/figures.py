"""Figures and tables of the grid and of the embedded mixture, from their part of a record."""

import pandas as pd

from fgan.report import mode_figures, tables


def total(part):
    return part.arms["grid"]["target"]["side"] ** 2


def figure_distribution(part):
    return mode_figures.distribution(part, "grid", total(part))


def figure_modes(part):
    return mode_figures.modes(part, "grid", total(part))


def figure_samples(part):
    return mode_figures.samples(part, "grid")


def table_modes(part):
    return tables.modes(part, "grid", total(part))


def table_embedded(part):
    """The modes of the embedded mixture, beside VEEGAN's row; a sentence if this scale leaves it out."""
    if "embedded" not in part.arms:
        return pd.DataFrame({"Ten modes in 1200 dimensions": ["not part of this scale; at full"]})
    return tables.modes(part, "embedded", len(part.arms["embedded"]["target"]["levels"]), samplers=False)


def table_rules(part):
    return tables.rules(part, "grid")
