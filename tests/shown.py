"""A small experiment with everything that a record shows, trained, gathered, judged and written in seconds."""

import shutil
from pathlib import Path

from small import ROOT

from fgan import design
from fgan.jobs import gather, train
from fgan.jobs.cut import shards
from fgan.report import draw, paper

DESIGN = """
title: A small ring
order: 1
value: 1
question: Does it cover?
target: {kind: ring, modes: 8, radius: 2.0, sd: 0.6}
divergences: [kl, gan]
objectives: [saddle]
seeds: 6
arms: {tanh: {}}
noise: {kind: normal, dimension: 2}
generator: {hidden: [16], activation: tanh}
variational: {hidden: [16], activation: tanh}
optimiser: {kind: adam, generator: 1.0e-3, variational: 1.0e-3, beta1: 0.5}
method: {kind: single_step}
batch: 64
steps: 60
history: 10
measure: {samples: 500, watched: 200, rule: "3 sd, tenth"}
scales: {smoke: {}, quick: {}}
figures: {modes: Modes.}
tables: {modes: Modes and quality.}
deviations: [It is small.]
"""
SCHEMA = """
measure:
  samples: {type: integer}
  watched: {type: integer}
  rule: {$ref: "#/$defs/rule"}
"""
RUN = """
from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import modes


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    return modes.watched(population)


def evaluate(population, steps, history):
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    return modes.measured(samples, population.target, population.settings["measure"]), {"samples": samples[:, :200]}


def baselines(settings, data=None):
    return modes.baselines(targets.of(settings), settings["measure"] | {"baseline_seeds": 2}, "toy"), {}
"""
FIGURES = '''
import numpy as np
import pandas as pd


def statistic_spread(part):
    values = part.values("high_quality", "tanh", "kl")
    return float(np.ptp(values)), 0.0, 1.0, len(values)


def figure_modes(part):
    """Nothing is drawn."""


def table_modes(part):
    rows = [{"Divergence": label} | {metric: f"{part.values(metric, 'tanh', name).mean():.4f}"
             for metric in ("high_quality", "modes_any", "F")} for name, label in part.labels.items()]
    return pd.DataFrame(rows)
'''
CLAIMS = """
claims:
  - {id: quality, kind: derived, statement: Some samples lie in a mode., source: here, reason: because, seeds: 2,
     checks: [{kind: mean, metric: high_quality, runs: all, where: {arm: tanh}, low: 0.2}]}
  - {id: order, kind: exercise, statement: KL has more quality than GAN., source: here, reason: because, seeds: 2,
     checks: [{kind: difference, metric: high_quality, where: {arm: tanh, divergence: kl}, minus: {divergence: gan},
               low: 0.0, margin: 0.1}]}
  - {id: spread, kind: published, needs: {}, statement: Seeds differ., source: a paper, published: 0.3, known: quoted,
     reason: because, checks: [{kind: statistic, statistic: spread, high: 2.0}]}
  - {id: sampler, kind: identity, statement: P has eight modes., source: here, reason: because,
     checks: [{kind: baseline, metric: modes, sampler: fresh samples of P, low: 8}]}
"""


def experiment(folder):
    """The experiment in a copy of the source tree, where a test may edit every file."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    own = folder / "experiments" / "toy"
    own.mkdir(parents=True)
    texts = {"experiment.yaml": DESIGN, "schema.yaml": SCHEMA, "run.py": RUN, "figures.py": FIGURES}
    for name, text in (texts | {"claims.yaml": CLAIMS}).items():
        (own / name).write_text(text.lstrip())
    told = folder / "paper"  # where nothing is said of its claims
    told.mkdir()
    (told / "findings.yaml").write_text("findings: []\npaper: []\n")
    (told / "sentences.yaml").write_text("first: []\nquestions: {}\nsentences: {}\n")


def record():
    """results/smoke of the experiment here, with its shards, table, verdicts and numbers."""
    folder = Path("results/smoke")
    chosen = design.load("toy", "smoke")
    for shard in shards(chosen):
        train.train_shard(chosen, shard, folder / "toy" / "shards" / shard.name)
    gather.gather(chosen, "cpu", folder / "toy")
    show(folder)
    return folder


def show(folder):
    """Makes what the record shows (again)."""
    draw.table(folder, "toy_modes")
    paper.write_claims(folder)
    paper.write_numbers(folder)
