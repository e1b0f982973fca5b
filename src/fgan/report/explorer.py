"""The explorer: one page with every run and every claim of a record, which needs no network and no server."""

import json
import math
from pathlib import Path

from fgan.files import RecordError, write_text
from fgan.report import pages
from fgan.report.claims import VERDICTS
from fgan.report.draw import parts
from fgan.report.numbers import read_claims
from fgan.report.printed import allowed, measured
from fgan.report.runs import rounded, runs

LIMIT = 15e6  # bytes of the page
EDGE = 6.0  # halves of an interval beyond which a claim is drawn at the edge
MARKS = dict(zip(VERDICTS, "✓◐✗?–", strict=True))
COLOURS = dict(zip(VERDICTS, ("#1a7f37", "#9a6700", "#c1272d", "#6e6e6e", "#b5b5b5"), strict=True))
SHAPES = dict(zip(VERDICTS, ("circle", "diamond", "cross", "square", "stroke"), strict=True))
SHOWN = ["experiment", "claim", "kind", "statement", "source", "verdict", "why"]


def write(record):
    """Writes explorer.html: equal records give equal bytes, at most 15 MB of them.

    Raises RecordError if the claims were not judged, or if even thinned samples and curves take more.
    """
    import vl_convert

    if not (record / "tables/claims.csv").exists():
        raise RecordError(f"{record} has no verdicts; make them with: python -m fgan claims --record {record.name}")
    page = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    page = page.replace("@TITLE@", f"f-GAN and mode collapse: the record '{record.name}'")
    frames = page.replace("@BUNDLE@", vl_convert.javascript_bundle())
    trained, judged = [part for part in parts(record) if part.design.get("arms")], claims(record)
    content = {"record": record.name, "about": about(record, trained, judged), "charts": charts(), "claims": judged}
    for detail in (1.0, 0.5, 0.25, 0.1, 0.0):
        content["experiments"] = {part.name: runs(part, detail) for part in trained}
        # A "</script>" in a text would end the element that holds the data.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("</", r"<\/")
        whole = frames.replace("@DATA@", text)
        if len(whole.encode()) <= LIMIT:
            return write_text(record / "explorer.html", whole)
    raise RecordError(f"the explorer of {record} would take {len(whole) / 1e6:.0f} MB; the limit is {LIMIT / 1e6:.0f}")


def about(record, trained, judged):
    """What the page is of, in one paragraph."""
    scales = sorted({part.design["scale"] for part in trained})
    number = sum(part.design.get("runs", 0) for part in trained)
    return (
        f"The record '{record.name}' (scale {' and '.join(scales)}) has {number} runs in {len(trained)} experiments "
        f"that train, and {len(judged)} claims. This page holds all of it and asks no server for anything."
    )


def claims(record):
    """The judged claims as rows, with their standing: see `standing`."""
    rows = []
    for row in read_claims(record).itertuples():
        known = not math.isnan(row.estimate)
        text = f"{row.example}: {pages.plain(measured(row))}, {pages.plain(allowed(row))}"
        text = text.replace(r"\leq", "≤").replace(r"\geq", "≥") if known else row.missing
        place = dict(zip(("at", "from", "to"), standing(row), strict=True))
        said = {"measured": text, "mark": f"{MARKS[row.verdict]} {row.verdict}"}
        rows.append({key: getattr(row, key) for key in SHOWN} | said | place)
    return rows


def standing(row):
    """How far an estimate lies within its allowed range, and the ends of its interval; three None without an estimate.

    Measured from the nearest end of the range in halves of the interval, and cut off at the edge; positive is within.
    An exact value stands at the edge of its side, one whose interval is not known in the middle of the whole width.
    """
    below = row.estimate - row.allowed_low, row.estimate - row.low
    above = row.allowed_high - row.estimate, row.high - row.estimate
    sides = below, above
    room, half = min((side for side in sides if not math.isnan(side[0])), default=(math.nan, math.nan))
    if math.isnan(room):
        return None, None, None
    if not math.isfinite(half):
        return 0.0, -EDGE, EDGE
    if not half > 0:
        return (math.copysign(EDGE, room),) * 3
    return tuple(rounded(min(max(value, -EDGE), EDGE), 3) for value in (room / half, room / half - 1, room / half + 1))


def charts():
    """The specifications of the page's figures, {name: Vega-Lite}; the page gives them their data by name."""
    import altair as alt

    def named(name):
        return alt.Chart(alt.NamedData(name))

    def free(name, title=None, form=".4~g"):  # a run that diverges has values of twenty digits
        axis = alt.Axis(format=form)
        return {"shorthand": f"{name}:Q", "title": title, "scale": alt.Scale(zero=False), "axis": axis}

    told = [f"{key}:N" for key in ("experiment", "arm", "divergence", "objective", "remedy", "seed")]
    every = named("runs").mark_point(filled=True, size=40, opacity=0.75, cursor="pointer", aria=False)
    every = every.encode(
        x=alt.X("group:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30, labelLimit=160)),
        xOffset=alt.XOffset("offset:Q", scale=alt.Scale(domain=[0, 1])),
        y=alt.Y(**free("value")),
        color="objective:N", shape="objective:N", tooltip=[*told, "value:Q"],
    ).properties(width="container", height=330)  # fmt: skip
    names = [f"{MARKS[verdict]} {verdict}" for verdict in VERDICTS]
    colour = alt.Color("mark:N", scale=alt.Scale(domain=names, range=list(COLOURS.values())))
    shape = alt.Shape("mark:N", scale=alt.Scale(domain=names, range=list(SHAPES.values())))
    y = alt.Y("claim:N", sort=None, title=None, axis=alt.Axis(labelLimit=300))
    title = "halves of the interval from the end of the allowed range; right of 0 is allowed"
    x = alt.X("at:Q", title=title, scale=alt.Scale(domain=[-EDGE, EDGE]), axis=alt.Axis(orient="top"))
    bars = named("claims").mark_rule(strokeWidth=2, aria=False).encode(x="from:Q", x2="to:Q", y=y, color=colour)
    dots = named("claims").mark_point(filled=True, size=60, opacity=1, cursor="pointer", aria=False)
    dots = dots.encode(x=x, y=y, color=colour, shape=shape, tooltip=["statement:N", "verdict:N", "measured:N"])
    zero = alt.Chart(alt.InlineData([{}])).mark_rule(color="#555", aria=False).encode(x=alt.XDatum(0))
    judged = alt.layer(zero, bars, dots).properties(
        width="container", height=alt.Step(15), autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    )
    curve = named("curve").mark_line(strokeWidth=1.3, aria=False)
    curve = curve.encode(x=alt.X(**free("step", form="~s")), y=alt.Y(**free("value"))).properties(width=185, height=110)
    curves = curve.facet(facet=alt.Facet("metric:N", title=None, sort=None), columns=4)
    span = alt.Scale(domain=alt.ExprRef("[-reach, reach]"), clamp=True)
    plane = {"x": alt.X("x:Q", title=None, scale=span), "y": alt.Y("y:Q", title=None, scale=span)}
    cloud = named("points").mark_circle(size=9, opacity=0.6, color="#0b6e99", aria=False).encode(**plane)
    modes = named("modes").mark_point(size=120, color="#8a8a8a", aria=False).encode(**plane)
    cloud = alt.layer(modes, cloud).properties(width=260, height=260).add_params(alt.param(name="reach", value=1))
    line = named("points").mark_line(aria=False).encode(x=alt.X(**free("x", "place")), y=alt.Y(**free("y")))
    made = {
        "runs": (every, "The runs that the filter leaves, a point each; the table below has the same runs as buttons."),
        "claims": (judged, "Every claim's interval against its allowed range; the table below says the same in words."),
        "curves": (curves.resolve_scale(x="independent", y="independent"), "What was watched while the run trained."),
        "points": (cloud, "Samples of the run as points; circles are the modes of the data."),
        "line": (line.properties(width=320, height=170), "Values of the run as a line."),
    }
    look = {"axis": {"labelFontSize": 11, "titleFontSize": 11}, "legend": {"orient": "top", "title": None},
            "view": {"stroke": "#ddd"}, "font": "system-ui, sans-serif"}  # fmt: skip
    return {name: one.properties(description=text).configure(**look).to_dict() for name, (one, text) in made.items()}
