"""The runs of a part as plain data for a page: judged values, curves, samples as small pictures, and run cards."""

import base64
import io
import math

import numpy as np

from fgan.design import seeds_of
from fgan.report.pages import described

KEYS = ["arm", "divergence", "objective", "seed"]
POINTS, CURVE, IMAGES = 250, 60, 16  # samples of a cloud, entries of a curve, images: the most that a page shows


def runs(part, detail=1.0):
    """An experiment with its runs column by column; `detail` below 1 thins clouds, curves and sheets of images.

    `curves` and `samples` are by the number of the run, and are there for runs that the record keeps them of.
    """
    arms, divergences = list(part.arms), list(part.divergences)
    table = part.final().set_index([*KEYS, "metric", "rule"]).value.unstack(["metric", "rule"])
    table = table.loc[sorted(table.index, key=lambda run: (arms.index(run[0]), divergences.index(run[1]), run[2:]))]
    place = {run: number for number, run in enumerate(table.index)}
    settings = {arm: {key: value for key, value in part.arms[arm].items() if value not in (None, [])} for arm in arms}
    metrics = {titled(*name): column(table[name]) for name in table.columns}
    texts = {name: text for name, text in described(part.name).items() if name in {m for m, _ in table.columns}}
    return {
        "title": part.design["title"], "question": " ".join(part.design["question"].split()),
        "scale": part.design["scale"], "arms": arms, "divergences": divergences,
        "labels": [part.labels[name] for name in divergences],
        "effective": [part.divergences[name]["effective"] for name in divergences],
        "remedies": [remedy(part.arms[arm]) for arm in arms], "settings": settings,
        "runs": {
            "arm": [arms.index(arm) for arm, *_ in table.index],
            "divergence": [divergences.index(name) for _, name, *_ in table.index],
            "objective": [objective for *_, objective, _ in table.index],
            "seed": [int(seed) for *_, seed in table.index],
            "shard": shards(part, table.index),
        },
        "metrics": metrics, "meanings": texts, "curves": curves(part, place, detail),
        "samples": samples(part, place, detail), "card": card(part),
    }  # fmt: skip


def titled(metric, rule):
    """A metric with its rule of counting as one name."""
    return f"{metric} ({rule})" if rule else metric


def rounded(value, digits=4):
    """A number with few digits as JSON writes it short; None if it is not finite."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def column(values, digits=4):
    """A list of rounded numbers."""
    return [rounded(value, digits) for value in np.asarray(values, float)]


def remedy(settings):
    """The remedies of an arm in one phrase."""
    return " + ".join(one["kind"].replace("_", " ") for one in settings.get("remedies") or []) or "none"


def thinned(length, most):
    """At most `most` places from first to last of a sequence, evenly spread."""
    return np.unique(np.linspace(0, length - 1, min(length, max(int(most), 2))).round().astype(int))


def curves(part, place, detail):
    """{run: {metric: [steps, values]}} of the histories that a part keeps, thinned."""
    rows, drawn = part.measurements, {}
    rows = rows[(rows.statistic == "value") & rows.seed.notna()].sort_values("step", kind="stable")
    steps, values = rows.step.to_numpy(), rows.value.to_numpy()
    for (metric, rule, *run), at in rows.groupby(["metric", "rule", *KEYS], sort=False, observed=True).indices.items():
        if len(at) > 1 and tuple(run) in place:
            at = at[thinned(len(at), CURVE * detail)]
            drawn.setdefault(place[tuple(run)], {})[titled(metric, rule)] = [steps[at].tolist(), column(values[at], 3)]
    return drawn


def samples(part, place, detail):
    """{run: [{what, kind, ...}]} of a run's arrays that can be shown: a cloud of points, a line, a sheet of images."""
    shown = {}
    for name, array in part.samples.items():
        what, *run = name.split("/")
        if len(run) == 4 and run[3].isdigit() and (*run[:3], int(run[3])) in place:
            target = part.arms[run[0]].get("target", part.design.get("settings", {}).get("target", {}))
            if one := picture(array.astype(float), target, detail):
                shown.setdefault(place[*run[:3], int(run[3])], []).append({"what": what} | one)
    return shown


def picture(array, target, detail):
    """One array of a run as {kind, ...}; None if it is neither points of the plane, nor a line, nor images."""
    if array.ndim == 1:
        at = thinned(len(array), 3 * CURVE * detail)
        return {"kind": "line", "x": at.tolist(), "y": column(array[at], 3)}
    points = array[-1] if array.ndim == 3 else array  # of a film the last picture
    if points.shape[1] == 2:
        points = points[: max(int(POINTS * detail), 2)]
        modes = centres(target)
        return {"kind": "points", "x": column(points[:, 0], 3), "y": column(points[:, 1], 3), "modes": modes}
    stack, size = target.get("stack", 1), array.shape[1]
    channels = next((n for n in ((stack,) if stack > 1 else (1, 3)) if math.isqrt(size // n) ** 2 * n == size), None)
    if channels is None or array.ndim == 3 or size < 16 * channels or len(array) == size:
        return None
    side = math.isqrt(size // channels)
    images = array[: max(int(IMAGES * detail), 1)].reshape(-1, channels, side, side)
    return {"kind": "images", "number": len(images), "png": sheet(images, colour=stack == 1 and channels == 3)}


def centres(target):
    """Centres of the modes of a ring or a grid; none for another target."""
    if target.get("kind") not in ("ring", "grid"):
        return []
    from fgan.report import figures

    return [column(point, 3) for point in figures.centres(target)]


def sheet(images, colour):
    """Images [n, channels, h, w] with values from 0 (or -1) to 1 in rows of eight as a PNG in base64.

    Channels stand side by side unless they are colours.
    """
    from PIL import Image

    if not colour:
        images = images.transpose(0, 2, 1, 3).reshape(len(images), 1, images.shape[2], -1)
    low = -1.0 if images.min() < -0.01 else 0.0
    shades = np.nan_to_num(np.clip((images - low) / (1 - low), 0, 1) * 255).astype(np.uint8)
    shades = np.pad(shades, ((0, -len(shades) % 8), (0, 0), (0, 1), (0, 1)), constant_values=128)
    rows = shades.reshape(-1, 8, *shades.shape[1:]).transpose(0, 3, 1, 4, 2)
    pixels = rows.reshape(rows.shape[0] * rows.shape[1], -1, rows.shape[-1]).squeeze()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def shards(part, runs):
    """The place of each run's shard among the shards of the card; None if the card has none for it."""
    known = {}
    for number, shard in enumerate(part.card.get("shards", {})):
        known |= {(shard.rpartition("-seed")[0], seed): number for seed in seeds_of(shard)}
    return [known.get((arm, int(seed))) for arm, _, _, seed in runs]


def card(part):
    """What the run cards say: command, versions and machines once, and of each shard what is its own."""
    own = ("commit", "device", "fingerprint", "settings_hash", "code_hash", "claims_hash")
    every = part.card.get("shards", {})
    rows = [{"shard": name} | {key: shard[key] for key in own if key in shard} for name, shard in every.items()]
    kept = {key: part.card[key] for key in ("command", "versions", "fingerprints") if key in part.card}
    return kept | {"shards": rows}
