"""The paper's table of published settings, from paper/published/protocols.csv."""

import re
from pathlib import Path

import pandas as pd

from fgan.report.printed import escape, prose

CAPTION = r"\caption{Published settings that ours differ from.}\label{tab:protocols}\\"


def read():
    """The rows of protocols.csv, all as text."""
    return pd.read_csv(Path("paper", "published", "protocols.csv"), dtype=str, keep_default_na=False)


def table(frame):
    """A long table of the published settings that ours differ from, by protocol: the source's, ours, and why."""
    widths = "".join(rf">{{\raggedright\arraybackslash}}p{{{w}\linewidth}}" for w in (0.19, 0.25, 0.25, 0.23))
    lines = [rf"\begin{{longtable}}{{@{{}}{widths}@{{}}}}", CAPTION, r"\toprule",
             r"Setting & Source & Here & Reason \\ \midrule \endhead \bottomrule \endfoot"]  # fmt: skip
    for protocol, rows in frame.groupby("protocol", sort=False):
        differ = rows[rows.same == "no"]
        counted = f"{escape(protocol)}: {len(rows) - len(differ)} of {len(rows)} the same"
        lines.append(rf"\multicolumn{{4}}{{@{{}}l}}{{\sffamily\bfseries {counted}}} \\* \addlinespace")
        for row in differ.itertuples():
            values = (re.sub(r'["{}]', "", value) for value in (row.source_value, row.ours))
            lines.append(" & ".join(map(prose, (row.quantity, *values, row.reason))) + r" \\")
        lines.append(r"\addlinespace")
    return "\n".join([*lines, r"\end{longtable}", ""])
