"""A part of a record in memory, made of small populations that a test trains."""

import pandas as pd
from small import EXPERIMENTS

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.engine.training import train
from fgan.metrics.history import kept, quartiles
from fgan.record import write
from fgan.report.part import Part


def measured(run, population):
    """(steps, history, metrics, samples) of a population that is trained and judged by an experiment's run.py."""
    steps, history, _ = train(population, run.observe)
    return steps, history, *run.evaluate(population, steps, history)


def trained_part(name, run, populations, baselines):
    """A part of an experiment at quick: populations by arm, and what `baselines` of its run.py returns."""
    frames, (rows, arrays), arms = [], baselines, {}
    for arm, p in populations.items():
        steps, history, metrics, sheets = measured(run, p)
        runs = p.runs[: p.n_runs]
        frames += [write.tidy(runs, steps, history), write.tidy(runs, steps[-1], metrics)]
        for kind, stack in sheets.items():
            names = (f"{kind}/{r.arm}/{r.divergence}/{r.objective}/{r.seed}" for r in runs)
            arrays = arrays | dict(zip(names, (x.numpy() for x in stack), strict=True))
        factors = design.load(name, "quick", EXPERIMENTS).factors[arm]
        arms[arm] = p.settings | {"divergences": list(dict.fromkeys(r.divergence for r in runs)), "factors": factors}
    frame, last = pd.concat(frames), {arm: p.settings["steps"] for arm, p in populations.items()}
    trained = {r.divergence for p in populations.values() for r in p.runs}
    labels = [{"name": n, "label": d.label, "effective": d.effective} for n, d in DIVERGENCES.items() if n in trained]
    made = Part(None)
    vars(made).update(
        measurements=pd.concat([kept(frame, last), quartiles(frame, last)]).astype({"seed": "Int32"}),
        untrained=write.baseline_rows(rows), samples=arrays,
        design={"name": name, "scale": "quick", "arms": arms, "settings": next(iter(arms.values())),
                "divergences": labels},
    )  # fmt: skip
    return made
