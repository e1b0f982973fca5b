"""Figures and tables by name: what an unknown one is told, and that showing needs none of what trains."""

import subprocess
import sys

import pytest
from records import part, toy
from small import EXPERIMENTS, ROOT

from fgan import design
from fgan.design import DesignError
from fgan.files import RecordError
from fgan.report import draw, empty, figures

SHOWING = [f"fgan.report.{path.stem}" for path in sorted((ROOT / "src/fgan/report").glob("[a-z]*.py"))]
SHOWN = """
import sys, {modules}
from fgan import design
print("the report", "torch" in sys.modules, "matplotlib" in sys.modules)
for name in design.find():
    design.module("experiments", name, "figures")
    print(name, "torch" in sys.modules)
"""


def test_showing_does_not_import_torch():
    """torch takes seconds to import; a figure or a table does not need it."""
    modules = ", ".join([*SHOWING, "fgan.__main__", "fgan.design", "fgan.files", "fgan.record.audit"])
    code = SHOWN.format(modules=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    first, *others = done.stdout.splitlines()
    assert first == "the report False True", done.stderr
    assert others == [f"{name} False" for name in design.find(EXPERIMENTS)], done.stderr
    assert {"fgan.report.part", "fgan.report.claims", "fgan.report.figures", "fgan.report.paper"} <= set(SHOWING)


@pytest.mark.parametrize("kind", ["figure", "table"])
def test_an_unknown_name_offers_the_nearest(kind, root, tmp_path):
    with pytest.raises(DesignError, match=f"no {kind} 'ring_mode'.* did you mean 'ring_modes'?"):
        getattr(draw, kind)(tmp_path, "ring_mode")


def test_an_unknown_animation_offers_the_nearest(root, tmp_path):
    with pytest.raises(DesignError, match="no animation 'mode_dynamics_rin'.* did you mean 'mode_dynamics_ring'?"):
        draw.animate(tmp_path, "mode_dynamics_rin")


def test_a_record_without_measurements_names_the_command_that_makes_it(root, tmp_path):
    with pytest.raises(RecordError, match="quick holds no measurements; make them with: snakemake .* record=quick"):
        draw.parts(tmp_path / "quick")


def test_parts_come_in_the_order_of_the_paper(root, tmp_path):
    for name in ("digits", "ring", "no_experiment", "univariate"):
        part(tmp_path / name)
    assert [made.folder.name for made in draw.parts(tmp_path)] == ["univariate", "ring", "digits"]


def test_a_table_is_written_as_latex_and_as_csv_with_the_same_cells(root, tmp_path, monkeypatch):
    made = tmp_path / "experiments" / "toy"
    made.mkdir(parents=True)
    (made / "experiment.yaml").write_text("title: t\ntables: {some: Some rows.}\nfigures: {line: A line.}\n")
    (made / "figures.py").write_text(TOY)
    monkeypatch.chdir(tmp_path)
    part(tmp_path / "results/quick/toy")
    draw.draw(tmp_path / "results/quick", "toy")
    record = tmp_path / "results/quick"
    assert (record / "tables/toy_some.csv").read_text() == "name,x\nKL,1\nGAN,2\n"
    assert (record / "tables/toy_some.tex").read_text().count(r"\midrule") == 2
    assert {path.name for path in (record / "figures").iterdir()} == {"toy_line.pdf", "toy_line.png"}
    first = [path.read_bytes() for path in sorted((record / "figures").iterdir())]
    draw.figure(record, "toy_line")
    assert [path.read_bytes() for path in sorted((record / "figures").iterdir())] == first


def test_a_figure_tells_of_the_failed_runs_that_it_shows_and_of_no_others(root, tmp_path, monkeypatch):
    values = {("failed", name, "saddle"): [float(name == "gan")] * 3 for name in ("kl", "gan")}
    values |= {("m", name, "saddle"): [1.0] * 3 for name in ("kl", "gan")}
    toy(tmp_path / "ring", values | {("diverged_step", "gan", "saddle"): [7.0] * 3})
    told = []
    monkeypatch.setattr(empty, "explained", lambda made, note: told.append(note))
    for names in ((), ("kl",), ("kl", "gan")):
        make = lambda part, names=names: (figures.blank("x"), [part.values("m", "main", name) for name in names])[0]
        monkeypatch.setattr(draw, "maker", lambda kind, name, make=make: ("ring", make))
        draw.figure(tmp_path, "ring_modes")
    ended = "Of what is shown 3 of 6 runs failed (diverged at step 7); a run that diverged has no value from then on."
    assert told == ["", "", ended]


TOY = """
import matplotlib.pyplot as plt

from fgan.report import tables


def table_some(part):
    return tables.framed([{"name": "KL", "x": "1"}, {"name": "GAN", "x": "2"}], [0])


def figure_line(part):
    figure, axis = plt.subplots()
    axis.plot([0, 1], [0, 1])
    return figure
"""
