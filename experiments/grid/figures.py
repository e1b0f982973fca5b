"""Figures and tables of the grid and of the embedded mixture, from their part of a record."""

import pandas as pd

from fgan import figures, tables


def total(part):
    return part.arms["grid"]["target"]["side"] ** 2


def figure_distribution(part):
    return figures.distribution(part, "grid", total(part))


def figure_modes(part):
    return figures.modes(part, "grid", total(part))


def figure_samples(part):
    return figures.samples(part, "grid")


def table_modes(part):
    return tables.modes(part, "grid", total(part))


def table_embedded(part):
    """The modes of the embedded mixture, beside VEEGAN's row; a sentence where this scale leaves it out."""
    if "embedded" not in part.arms:
        return pd.DataFrame({"Ten modes in 1200 dimensions": ["not part of this scale; at full"]})
    return tables.modes(part, "embedded", len(part.arms["embedded"]["target"]["levels"]), samplers=False)


def table_rules(part):
    rules = [m for m in part.measurements.metric.unique() if m.startswith("modes [")]
    rows = [
        {"Sampler": sampler} | {rule[7:-1]: f"{tables.untrained(part, rule)[sampler]:.2f}" for rule in rules}
        for sampler in tables.untrained(part, "modes")
    ]
    cuts, found = [len(rows) - 1], {rule: tables.by_run(part, rule, "grid") for rule in rules}
    for objective in part.arms["grid"]["objectives"]:
        for name in part.arms["grid"]["divergences"]:
            label = f"{part.divergences[name]['label']} ({objective})"
            rows.append({"Sampler": label} | {r[7:-1]: f"{v[name, objective].mean():.2f}" for r, v in found.items()})
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame
