"""Traces a number, a table's cell, a figure, a claim or a statistic to its runs, and says how to make them again.

Keys: those of numbers.csv (ring.tanh.kl.saddle.modes), table.NAME.ROW.COLUMN (counted from 1, without the headings),
figure.NAME, claim.ID, and statistic.EXPERIMENT.NAME.
"""

from fgan.files import RecordError
from fgan.report.explain import shown
from fgan.report.explain.claims import claim, statistic
from fgan.report.explain.numbers import number
from fgan.report.explain.shown import cell, cells, figure

__all__ = ["cells", "explain"]


def explain(record, key):
    """Lines on one key of a record; raises RecordError with the nearest key for one that is not there."""
    if not key:
        raise RecordError("explain what? give a key, for example claim.ID or figure.NAME, or --table NAME")
    word, _, name = key.partition(".")
    if word == "table":
        return cell(record, *shown.split_cell(record, key))
    if word == "figure":
        return figure(record, name)
    if word == "claim":
        return claim(record, name.removesuffix(".measured"))
    return statistic(record, name) if word == "statistic" else number(record, key)
