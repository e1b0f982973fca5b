"""Sentences that set experiments beside each other; the words of comparison are chosen by the numbers."""

import numpy as np

from fgan.report.converged import ends
from fgan.report.printed import number

PLAYERS = ("kl", "reverse_kl", "gan")


def contrasts(parts):
    """{name: sentence} of what this record's parts say together; a sentence whose parts it lacks is left out."""
    present = {part.name: part for part in parts}
    return {
        name: text for name, (needed, tell) in CONTRASTS.items()
        if set(needed) <= set(present) and (text := tell(*(present[part] for part in needed)))
    }  # fmt: skip


def means(part, arm, metric="modes"):
    """{divergence: values of all runs} of the players under the saddle objective, the largest mean first.

    A divergence with an undefined value is left out.
    """
    found = {name: part.values(metric, arm, name) for name in PLAYERS}
    kept = {name: v for name, v in found.items() if len(v) and np.isfinite(v).all()}
    return dict(sorted(kept.items(), key=lambda one: -one[1].mean()))


def mean(values):
    """A mean over runs; of one run its value, and of equal ones theirs, without decimals."""
    value = float(np.mean(values))
    return f"{value:.0f}" if len(set(values)) == 1 and value.is_integer() else number(value)


def listed(part, arm, values):
    """'KL 8 (2 runs, 1 converged)' for each divergence; without the second number if the record has none."""
    runs = {name: plural(len(own), "run") for name, own in values.items()}
    if len(part.final("converged", arm)):
        runs = {name: f"{own}, {ends(part, arm, name)['converged'].sum()} converged" for name, own in runs.items()}
    return ", ".join(f"{part.labels[name]} {mean(own)} ({runs[name]})" for name, own in values.items())


def plural(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def steps(part, arm):
    return f"{part.arms[arm]['steps']:,} steps"


def orders(ring, grid):
    """Whether the divergences come in one order on the ring and on the grid."""
    on_ring, on_grid = means(ring, "tanh"), means(grid, "grid")
    shared = [name for name in on_ring if name in on_grid]
    if len(shared) < 2:
        return ""
    on_ring, on_grid = ({name: own[name] for name in own if name in shared} for own in (on_ring, on_grid))
    if min(len({float(v.mean()) for v in own.values()}) for own in (on_ring, on_grid)) < 2:
        return ""  # there is no order
    word = "in the same order" if list(on_ring) == list(on_grid) else "in another order"
    return (
        "With the saddle objective the mean numbers of modes over all runs, converged or not, are "
        rf"on the ring (Section~\ref{{sec:ring}}, {steps(ring, 'tanh')}) {listed(ring, 'tanh', on_ring)}, and "
        rf"on the grid (Section~\ref{{sec:grid}}, {steps(grid, 'grid')}), {word}, {listed(grid, 'grid', on_grid)}."
    )


def length(ring, decides):
    """How many modes KL covers at the two lengths at which two experiments train it on one ring."""
    arms = [arm for arm, own in decides.arms.items() if arm.startswith("tanh") and "kl" in own["divergences"]]
    values = {arm: decides.values("modes", arm, "kl") for arm in arms}
    values = {arm: v for arm, v in values.items() if len(v) and np.isfinite(v).all()}
    ours = ring.values("modes", "tanh", "kl")
    if not values or not len(ours) or not np.isfinite(ours).all():
        return ""
    low, high = (f(values.values(), key=np.mean) for f in (min, max))
    long, short = ring.arms["tanh"]["steps"], decides.arms[arms[0]]["steps"]
    spread = mean(low) if np.mean(low) == np.mean(high) else f"{mean(low)} to {mean(high)}"
    text = f"KL covers {mean(ours)} modes of the ring after {long:,} steps, and {spread} after the"
    text += f" {short:,} steps of the comparison of settings"
    if long > short and np.mean(low) < np.mean(ours) - 1:
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
    lost = ever.mean() - last.mean() >= 1
    text = rf"Another training on the grid (Section~\ref{{sec:mode_dynamics}}, {steps(dynamics, 'grid')}, "
    text += f"{plural(len(ever), 'run')}) is watched more closely: there GAN covers {mean(ever)} modes at one time or"
    return f"{text} another and {mean(last)} at the end{', so modes that it had are lost' if lost else ''}."


CONTRASTS = {
    "orders": (("ring", "grid"), orders),
    "length": (("ring", "divergence_or_settings"), length),
    "parity": (("ring",), parity),
    "visited": (("mode_dynamics",), visited),
}
