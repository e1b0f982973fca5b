"""The audit recomputes: of every way to tamper with a record that is tried here it names what was touched."""

import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import shown
from small import edited, forget

from fgan.__main__ import main
from fgan.files import write_json
from fgan.metrics.history import quartiles
from fgan.record import write
from fgan.report import claims, draw, pages, paper, recompute
from fgan.report.part import read_arrays

RECORD, PART, HERE = Path("results/smoke"), Path("results/smoke/toy"), Path("experiments/toy")


@pytest.fixture(scope="module", autouse=True)
def no_theory():
    """The tables of the theory need no record, and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "theory_tables", lambda record: None)
        yield


def audited(capsys):
    """(exit status, lines) of the audit."""
    forget()
    return main(["audit", "--record", "smoke"]), capsys.readouterr().out


def text(path, old, new):
    Path(path).write_text(edited(old, new, Path(path).read_text()))


def rows(change, fresh=True, alone=True, name="measurements.parquet"):
    """Changes a table of the part; with `fresh` its checksum too; `alone` takes the shards away."""
    frame = pd.read_parquet(PART / name)
    change(frame).to_parquet(PART / name, index=False)
    finish(fresh, alone)


def value(metric, new, statistic="value", last=True, **options):
    """Changes the first value of a metric."""

    def change(frame):
        step = 60 if last else 10
        place = frame.index[(frame.metric == metric) & (frame.statistic == statistic) & (frame.step == step)][0]
        frame.loc[place, "value"] = new(frame.value[place]) if callable(new) else new
        return frame

    rows(change, **options)


def finish(fresh, alone):
    if fresh:
        write.write_checksums(PART, write.PART_FILES)
    if alone:
        shutil.rmtree(PART / "shards")


def js(name, fresh=True, alone=True, **changes):
    """Changes entries of a JSON file of the part, {keys joined by /: value}."""
    content = json.loads((PART / name).read_text())
    for path, new in changes.items():
        *keys, last = path.split("/")
        inner = content
        for key in keys:
            inner = inner[key]
        inner[last] = new
    write_json(PART / name, content)
    finish(fresh, alone)


def samples(alone, change):
    arrays = read_arrays(PART / "samples.npz")
    name = "samples/tanh/kl/saddle/0"
    write.write_samples(PART / "samples.npz", arrays | {name: change(arrays[name].astype(float))})
    finish(True, alone)


def cell(name, column, new):
    path = RECORD / name
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[1, column] = new
    frame.to_csv(path, index=False)


def again(change):
    """A value is changed and all that is shown made again from it, so that only the shards know."""
    change()
    shown.show(RECORD)


def without(metric):
    return lambda frame: frame.drop(frame.index[(frame.metric == metric) & (frame.step == 60)][0])


SHARD = "shards/tanh-seed0-5"
MEASURED, TABLE = "toy: measurements.parquet is not the file", "tables/toy_modes.csv is not what the measurements give"
TAMPERINGS = {
    "value": (lambda: value("high_quality", 0.5, fresh=False), MEASURED, "toy: touched: figures toy_modes; tables",
              TABLE, "tables/claims.csv is not", "numbers.tex is not"),
    "value with its checksum": (lambda: value("high_quality", 0.5), TABLE, "quality, estimate is"),
    "value that only quantiles show": (lambda: value("gradient_V", 9.0), "quartiles are not those of the values"),
    "value, and all that is shown of it": (
        lambda: again(lambda: value("F", 0.123, alone=False)), "values are not those of the shards", "'F'"),
    "history": (lambda: value("F", 0.123, last=False, alone=False), "1 values are not those of the shards"),
    "fate": (lambda: value("failed", 1.0), "'failed' of 1 runs contradicts"),
    "end": (lambda: value("converged", lambda old: 1 - old), "'converged' of 1 runs contradicts"),
    "quartile": (lambda: value("F", 0.123, "median"), "1 quartiles are not those of the values"),
    "row that is gone": (lambda: rows(without("modes_any")), "has only 5 values of 'modes_any'", TABLE),
    "row that stands twice": (lambda: rows(lambda f: pd.concat([f, f[f.statistic == "value"].tail(1)])),
                              "values stand there twice"),
    "run that is gone": (lambda: rows(lambda f: f[(f.seed != 5) | (f.divergence != "gan")]), "11 runs, the design"),
    "baseline": (lambda: rows(lambda f: f.assign(value=7.0), name="baselines.parquet"), "sampler, estimate is '8.0'"),
    "checksums that are gone": (lambda: (PART / "checksums.txt").unlink(), "toy: checksums.txt is missing", "touched"),
    "checksum": (lambda: text(PART / "checksums.txt", "a", "b"), "is not the file that was measured", "touched"),
    "line of the checksums": (lambda: (PART / "checksums.txt").write_text(""), MEASURED, "toy: card.json"),
    "damage": (lambda: (PART / "measurements.parquet").write_bytes(b"PAR1"), MEASURED, "cannot be compared"),
    "number of numbers.csv": (lambda: cell("numbers.csv", "text", "5"), "numbers.csv is not", "is '5', not"),
    "verdict of claims.csv": (lambda: cell("tables/claims.csv", "verdict", "partly"), "order, verdict is 'partly'"),
    "estimate of claims.csv": (lambda: cell("tables/claims.csv", "estimate", "0.7"), "order, estimate is '0.7', not"),
    "cell of a table": (lambda: cell("tables/toy_modes.csv", "F", "1.0"), TABLE, "GAN, F is '1.0', not"),
    "table that is gone": (lambda: (RECORD / "tables/toy_modes.csv").unlink(), "tables/toy_modes.csv is missing"),
    "macro": (lambda: text(RECORD / "numbers.tex", "{toy.runs}{12}", "{toy.runs}{99}"), "toy.runs is '99', not '12'"),
    "chip": (lambda: text(RECORD / "tables/claims.tex", r"\verdict{replicated}", r"\verdict{partly}"), "claims.tex"),
    "cell in TeX": (lambda: text(RECORD / "tables/toy_modes.tex", "KL & ", "KL & 1"), "tables/toy_modes.tex is not"),
    "prose": (lambda: text(RECORD / "experiments.tex", "small", "large"), "experiments.tex is not", "large"),
    "verdict of claims.json": (
        lambda: text(RECORD / "claims.json", '"verdict": "replicated"', '"verdict": "partly"'), "verdict is"),
    "criterion": (lambda: text(HERE / "claims.yaml", "high: 2.0", "high: 0.1"), "the criteria of its claims changed"),
    "statement": (lambda: text(HERE / "claims.yaml", "Seeds differ", "Seeds agree"), "spread, statement is"),
    "statistic": (lambda: text(HERE / "figures.py", "np.ptp(values)", "2 * np.ptp(values)"), "spread, estimate is",
                  "claims.json was judged by other code"),
    "judge": (lambda: text("src/fgan/report/statistics.py", "1 + confidence", "2 - 1 + confidence"),
              "claims.json was judged by other code"),
    "maker of a table": (lambda: text(HERE / "figures.py", ":.4f", ":.2f"), TABLE),
    "design": (lambda: text(HERE / "experiment.yaml", "steps: 60", "steps: 70"), "differ from today's design"),
    "science": (lambda: text(HERE / "run.py", ":200", ":100"), "toy: stale, the science code changed"),
    "run.py that is gone": (lambda: (HERE / "run.py").unlink(), "toy/run.py is missing"),
    "run.py that is no Python": (lambda: text(HERE / "run.py", "def observe", "def def"), "no valid Python"),
    "sample": (lambda: samples(False, lambda x: x + 0.01), "samples/tanh/kl/saddle/0 is not that of the shard"),
    "samples of another run": (lambda: samples(True, lambda x: x + 50), "'high_quality' of tanh/kl/saddle/0 is not"),
    "settings of a card": (lambda: js("card.json", **{f"{SHARD}/settings_hash": "0"}), "by other settings than"),
    "code of a card": (lambda: js("card.json", **{f"{SHARD}/code_hash": "0"}), "toy: stale"),
    "criteria of a card": (lambda: js("card.json", **{f"{SHARD}/claims_hash": "0"}), "criteria of its claims"),
    "commit of a card": (lambda: js("card.json", commits=["0" * 40]), "'commits' is not that of its shards"),
    "versions of a card": (lambda: js("card.json", versions={"torch": "9"}), "'versions' are not those of its shards"),
    "device of a shard": (lambda: js("card.json", alone=False, **{f"{SHARD}/device": "cuda", "device": "cuda"}),
                          "'device' of tanh-seed0-5 is not that of the shard"),
    "card that is gone": (lambda: (PART / "card.json").unlink(), "toy: card.json is not the file", "cannot be read"),
    "settings of the design": (lambda: js("design.json", **{"arms/tanh/batch": 65}), "by other settings than"),
    "scale of the design": (lambda: js("design.json", scale="full"), "toy.scale is 'smoke', not 'full'"),
    "seeds of the design": (lambda: js("design.json", runs=99), "12 runs, the design has 99"),
}  # fmt: skip


def test_a_record_as_it_was_made_has_no_differences(shown_here, capsys):
    status, said = audited(capsys)
    assert (status, said.splitlines()[0]) == (0, "results/smoke is whole and current")


def test_what_only_a_published_record_has_is_no_difference(shown_here, capsys):
    write_json(RECORD / "hours.json", {"toy": 1.25})
    (RECORD / "VERDICTS.md").write_text(pages.verdict_page(claims.verdicts(draw.parts(RECORD))))
    paper.write_numbers(RECORD)
    assert "1.2" in (RECORD / "tables/compute.csv").read_text()
    status, said = audited(capsys)
    assert status == 0, said


# Every third is among the quick tests.
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * bool(index % 3))
                                  for index, name in enumerate(TAMPERINGS)])  # fmt: skip
def test_every_tampering_is_named(name, shown_here, capsys):
    tamper, *wanted = TAMPERINGS[name]
    tamper()
    status, said = audited(capsys)
    assert status == 1 and "whole and current" not in said
    assert [words for words in wanted if words not in said] == [], said


def test_a_change_that_no_file_contradicts_is_not_noticed(shown_here, capsys):
    """The audit says what it cannot know: here the shards are gone and all that is shown was made again."""
    value("F", 0.123)

    def forged(frame):
        """With the quartiles of the last step made again as well."""
        values, old = frame[frame.statistic == "value"], frame[(frame.statistic != "value") & (frame.step < 60)]
        new = quartiles(values, {"tanh": 60})
        return pd.concat([values, old, new[new.step == 60]])

    again(lambda: rows(forged, alone=False))
    status, said = audited(capsys)
    assert status == 0 and "because the shards of toy are not here" in said


def pdf(path, text):
    figure = plt.figure(figsize=(4, 1))
    figure.text(0.1, 0.5, text)
    figure.savefig(path)
    plt.close(figure)


@pytest.mark.skipif(not (shutil.which("latexmk") and shutil.which("pdftotext")), reason="no latexmk or no pdftotext")
@pytest.mark.parametrize(
    ("printed", "wanted"),
    [("covers 8.00 of 8 modes", []), ("covers 7.00 of 8 modes", ["paper.pdf prints 'covers 7.00 of 8 modes', not"]),
     ("covers 8.00 of 8", ["paper.pdf prints"])])  # fmt: skip
def test_the_text_of_a_pdf_is_compared_word_by_word(tmp_path, monkeypatch, printed, wanted):
    monkeypatch.setattr(paper, "compile_pdf", lambda made: pdf(made / "paper.pdf", "covers 8.00 of 8 modes"))
    kept, made = tmp_path / "kept", tmp_path / "made"
    kept.mkdir(), made.mkdir()
    assert recompute.pdf(kept, made) == ([], ["the PDF, which is not here"])
    pdf(kept / "paper.pdf", printed)
    lines, left = recompute.pdf(kept, made)
    assert left == [] and [line[: len(words)] for line, words in zip(lines, wanted, strict=True)] == wanted


def test_numbers_that_another_machine_rounds_otherwise_are_the_same():
    assert recompute.same("0.1", "0.10000000000000002") and recompute.same("KL", "KL") and recompute.same("nan", "nan")
    assert not recompute.same("0.1", "0.1000001") and not recompute.same("1", None) and not recompute.same("KL", "JS")
