"""The table and the figure of a benchmark."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import LogLocator

from fgan.report import figures


def write(frame, device, folder):
    """Writes <device>.csv, and <device>.png and .pdf with the cost of a run against the number of runs."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / f"{device}.csv", index=False, float_format="%.4g")
    figures.style()
    figures.save(draw(frame), folder / device)


def number(value):
    """A value to three digits, or a dash if it was not measured."""
    return "–" if pd.isna(value) else f"{float(f'{value:.3g}'):,g}"


def markdown(frame):
    """Rows for the README: each configuration at its fastest number of runs."""
    lines = ["| networks | runs | plain loop | compiled | population | ratio | GFLOP/s | products | limit | memory |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for name, rows in frame.groupby("configuration", sort=False):
        row = rows.loc[rows["run-steps/s"].idxmax()]
        cells = [name, f"{row.runs:g}", *(number(row.get(key)) for key in ("plain", "compiled", "run-steps/s"))]
        shares = row["share of products"], row["share of products"] + row["share of copies"]
        cells += [f"{row.ratio:.1f}", number(row["GFLOP/s"]), *(f"{100 * share:.0f} %" for share in shares)]
        lines.append("| " + " | ".join([*cells, f"{number(row.MB)} MB"]) + " |")
    return "\n".join(lines)


def draw(frame):
    """Time of a run's step, relative to the plain loop's (dashed: 1), against the number of runs side by side."""
    names = frame.configuration.unique()
    colours, columns = figures.palette(names), 3
    lines = -(-len(names) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(figures.WIDTH, 1.4 * lines), sharex=True, sharey=True, squeeze=False
    )
    for axis, name in zip(axes.flat, names, strict=False):
        rows = frame[(frame.configuration == name) & frame.ratio.notna()]
        axis.axhline(1, ls="--", lw=0.8, color=figures.GREY)
        axis.plot(rows.runs, 1 / rows.ratio, "o-", ms=3.5, lw=1.2, color=colours[name])
        axis.set(title=name, xscale="log", yscale="log", xlim=(0.7, 1500), xticks=[1, 4, 16, 64, 256, 1024])
        axis.set_xticklabels(["1", "4", "16", "64", "256", "1024"])
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    figure.supxlabel("runs side by side", fontsize=8)
    figure.supylabel("time for a step of one run (plain loop: 1)", fontsize=8)
    return figure
