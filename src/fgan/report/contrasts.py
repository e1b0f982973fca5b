"""Sentences that set experiments beside each other; the words of comparison are chosen by the numbers."""

import numpy as np

from fgan.report.tables import number

PLAYERS = ("kl", "reverse_kl", "gan")


def contrasts(parts):
    """{name: sentence} of what this record's parts say together; a sentence whose parts it lacks is left out."""
    present = {part.name: part for part in parts}
    return {
        name: text for name, (needed, tell) in CONTRASTS.items()
        if set(needed) <= set(present) and (text := tell(*(present[part] for part in needed)))
    }  # fmt: skip


def means(part, arm, metric="modes"):
    """{label: mean over all runs} of the players under the saddle objective, the largest first; no undefined one."""
    found = {name: part.values(metric, arm, name) for name in PLAYERS}
    kept = {part.labels[name]: float(v.mean()) for name, v in found.items() if len(v) and np.isfinite(v).all()}
    return dict(sorted(kept.items(), key=lambda one: -one[1]))


def listed(values):
    return ", ".join(f"{label} {number(value)}" for label, value in values.items())


def orders(ring, grid):
    """Whether the divergences come in one order on the ring and on the grid."""
    on_ring, on_grid = means(ring, "tanh"), means(grid, "grid")
    shared = [label for label in on_ring if label in on_grid]
    if len(shared) < 2:
        return ""
    on_ring, on_grid = ({label: own[label] for label in own if label in shared} for own in (on_ring, on_grid))
    if min(len(set(own.values())) for own in (on_ring, on_grid)) < 2:
        return ""  # there is no order
    word = "in the same order" if list(on_ring) == list(on_grid) else "in another order"
    return (
        f"Over all runs the mean numbers of modes are, on the ring, {listed(on_ring)}, and on the grid, {word}, "
        f"{listed(on_grid)}."
    )


def length(ring, decides):
    """How many modes KL covers at the two lengths at which two experiments train it on one ring."""
    arms = [arm for arm, own in decides.arms.items() if arm.startswith("tanh") and "kl" in own["divergences"]]
    values = {arm: decides.values("modes", arm, "kl") for arm in arms}
    values = {arm: v for arm, v in values.items() if len(v) and np.isfinite(v).all()}
    ours = ring.values("modes", "tanh", "kl")
    if not values or not len(ours) or not np.isfinite(ours).all():
        return ""
    low, high = (f(float(v.mean()) for v in values.values()) for f in (min, max))
    steps, short = ring.arms["tanh"]["steps"], decides.arms[arms[0]]["steps"]
    spread = number(low) if low == high else f"{number(low)} to {number(high)}"
    text = f"KL covers {number(float(ours.mean()))} modes of the ring after {steps:,} steps, and {spread} after the"
    text += f" {short:,} steps of the comparison of settings"
    if steps > short and low < float(ours.mean()) - 1:
        return f"{text}, so what that comparison sees is partly who has started."
    return f"{text}."


def parity(ring):
    """How many runs that cover three to seven modes of the ring cover four or six."""
    modes = ring.final("modes", "tanh").value
    some = modes[(modes >= 3) & (modes <= 7)]
    if not len(some):
        return ""
    even = int(some.isin([4, 6]).sum())
    text = f"Of {len(some)} runs that cover three to seven modes of the ring {even} cover four or six"
    # Of five numbers two are even: beyond half they are more than a chance of evenness would give.
    return f"{text}, as if modes came in pairs of antipodes." if even > len(some) / 2 else f"{text}."


def visited(dynamics):
    """How many modes of the grid GAN covers at one time or another, and how many at the end."""
    if "grid" not in dynamics.arms:
        return ""
    ever, last = (dynamics.values(metric, "grid", "gan") for metric in ("ever covered", "modes"))
    if not len(ever) or not np.isfinite([*ever, *last]).all():
        return ""
    ever, last = float(ever.mean()), float(last.mean())
    text = f"On the grid GAN covers {number(ever)} modes at one time or another and {number(last)}"
    return f"{text} at the end, so modes that it had are lost." if ever - last >= 1 else f"{text} at the end."


CONTRASTS = {
    "orders": (("ring", "grid"), orders),
    "length": (("ring", "divergence_or_settings"), length),
    "parity": (("ring",), parity),
    "visited": (("mode_dynamics",), visited),
}
