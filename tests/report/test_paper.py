"""The generated pieces of the paper: its table of divergences, its table of claims, and its sections."""

import math
import re

import pandas as pd
import pytest
from records import part
from small import EXPERIMENTS, ROOT

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.files import RecordError, write_json, write_text
from fgan.report import paper, protocols, robustness
from fgan.report.part import Part
from fgan.report.tables import latex


def test_the_table_of_divergences_has_a_row_for_each():
    frame = paper.divergence_table()
    text = latex(frame, left=True)
    assert list(frame.iloc[:, 0]) == [d.label for d in DIVERGENCES.values()]
    assert text.count(r"\\") == len(DIVERGENCES) + 1 and text.startswith(r"\begin{tabular}{lllllll}")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [('a "word" & 5 %', r"a ``word'' \& 5 \%"), ("at -1 and 2-3 or x-1", "at $-$1 and 2-3 or x-1"),
     ("h'' = f''/u", r"$h''$ = $f''$/u")])  # fmt: skip
def test_prose_is_printed_as_it_should_be(text, wanted):
    assert paper.prose(text) == wanted


def test_a_claim_is_a_row_with_its_verdict_source_and_the_check_against_it():
    row = {
        "experiment": "ring", "claim": "ring-x", "exercise": "exercise 3", "kind": "identity",
        "statement": "All modes are covered.",
        "source": "f-GAN", "published": "8 of 8", "known": "primary", "verdict": "replicated", "why": "the check holds",
        "checks": 1, "example": "modes, KL", "estimate": 0.5, "low": 0.25, "high": 0.75, "allowed_low": 0.2,
        "allowed_high": math.inf, "p_holm": 0.01, "missing": "", **robustness.NOTHING,
    }  # fmt: skip
    nothing = dict.fromkeys(("estimate", "low", "high", "allowed_low", "allowed_high", "p_holm"), math.nan)
    missing = (
        row
        | nothing
        | {
            "claim": "ring-y",
            "verdict": "not run",
            "why": "no data",
            "missing": "no data",
            "exercise": "",
            "published": "",
            "kind": "derived",
        }
    )
    text = paper.claims_table(pd.DataFrame([row, missing]))
    assert (
        r"\verdict{holds} & All modes are covered. (exercise 3, check) \claimid{ring-x} & f-GAN: 8 of 8 (primary)"
        in text
    )
    assert (
        r"the check holds. modes, KL: 0.50 [0.25, 0.75], difference, corrected p = 0.0100, allowed $\geq$ 0.200" in text
    )
    assert r"\verdict{not run} & All modes are covered. (derived) \claimid{ring-y} & f-GAN & no data \\" in text
    assert text.startswith(r"\begin{longtable}") and text.endswith("\\end{longtable}\n")


def test_an_experiment_that_the_record_lacks_is_one_row_of_the_claims():
    rows = [
        {"experiment": "natural", "claim": f"natural-{i}", "verdict": "not run", "why": "not run: no data"}
        for i in (1, 2)
    ]
    text = paper.claims_table(pd.DataFrame(rows))
    assert text.count(r"\verdict{not run}") == 1 and text.count("no data") == 1
    assert r"\claimid{natural-1}, \claimid{natural-2}" in text


def test_the_paper_and_its_supplement_share_no_label():
    """Each names the other's sections and tables, so one label in both would be one of them at random."""
    labels = {}
    for document, rooms in (("main", ["body"]), ("supplement", ["sections"])):
        files = [ROOT / f"paper/{document}.tex", *(f for room in rooms for f in (ROOT / "paper" / room).glob("*.tex"))]
        labels[document] = set(re.findall(r"\\label\{([^}]*)\}", "".join(f.read_text() for f in files)))
    assert labels["main"] and labels["supplement"] and not labels["main"] & labels["supplement"]
    named = set(re.findall(r"\\ref\{([^}]*)\}", "".join(f.read_text() for f in (ROOT / "paper").glob("*/*.tex"))))
    experiments = {f"sec:{name}" for name in design.find(EXPERIMENTS)}
    captioned = {f"{k[:3]}:{n}" for k in ("figure", "table") for n in design.captions(k, EXPERIMENTS)}
    assert named <= labels["main"] | labels["supplement"] | experiments | captioned
    assert captioned <= named  # a figure or table that no text names is one that nobody looks for


def test_the_table_of_published_settings_has_what_differs_and_counts_the_rest():
    same = {"protocol": "PacGAN, ring", "quantity": "batch", "source_value": "100", "ours": "100", "same": "yes"}
    other = same | {"quantity": "noise", "source_value": '{"dimension": 254}', "ours": '{"dimension": 2}', "same": "no"}
    text = protocols.table(pd.DataFrame([same | {"reason": ""}, other | {"reason": "known at second hand"}]))
    assert "PacGAN, ring: 1 of 2 the same" in text and "batch" not in text
    assert r"noise & dimension: 254 & dimension: 2 & known at second hand \\" in text


def test_every_experiment_has_a_section_with_its_figures_tables_and_deviations(root, tmp_path):
    made = Part(part(tmp_path / "ring"))
    raw = design.read_yaml(EXPERIMENTS / "ring/experiment.yaml")
    write_json(
        made.folder / "design.json", {"name": "ring"} | {key: raw[key] for key in ("title", "question", "deviations")}
    )
    text = paper.sections([made])
    assert r"\input{sections/ring}" in text and text.count(r"\paragraph{Deviations.}") == 1
    for kind in ("figure", "table"):
        for name in raw[f"{kind}s"]:  # behind the deviations, which no float then parts
            assert rf"\fgan{kind}{{ring_{name}}}" in text.partition(r"\end{enumerate}")[2]
    for name in design.find(EXPERIMENTS):
        assert (rf"\label{{sec:{name}}}" in text) == (name != "ring")
    assert text.count("The record lacks it (not part of this record).") + text.count(
        "The record lacks it (not run: no data)."
    ) == (len(design.find(EXPERIMENTS)) - 1)


def test_every_claim_of_a_section_is_told_once_and_by_a_sentence():
    """Each stands in its experiment's section as \\claims{...}; a bare mark would be no sentence."""
    every = {claim["id"]: name for name, claims in design.all_claims(EXPERIMENTS).items() for claim in claims}
    for file in (ROOT / "paper").glob("*/*.tex"):
        text = file.read_text()
        assert r"\val{claim." not in text, file
        told = [name for names in re.findall(r"\\claims\{([^}]*)\}", text) for name in names.split(",")]
        assert len(told) == len(set(told)) and {every[name] for name in told} <= {file.stem}, file


def test_a_record_without_numbers_is_told_how_to_make_them(tmp_path):
    with pytest.raises(RecordError, match="no numbers; make them with: python -m fgan numbers --record quick"):
        paper.compile_pdf(tmp_path / "quick")


def test_without_tex_one_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    write_text(tmp_path / "quick/numbers.tex", "")
    with pytest.raises(RecordError, match="no TeX here, so no PDF .*apt-get install"):
        paper.compile_pdf(tmp_path / "quick")
