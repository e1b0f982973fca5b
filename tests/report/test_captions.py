"""Captions and tables for pages: one sentence, text that docutils reads as it is, and no LaTeX where text will do."""

import pandas as pd
import pytest
from docutils.core import publish_parts

from fgan import design
from fgan.report import captions


def body(text):
    """What docutils makes of a caption; any warning of its is an error."""
    settings = {"halt_level": 2, "report_level": 2, "warning_stream": False}
    return publish_parts(text, writer="html", settings_overrides=settings)["body"]


@pytest.mark.parametrize("kind", ["figure", "table"])
def test_every_caption_is_one_sentence_that_docutils_reads_whole(kind, root):
    for name, (_, _, caption) in design.captions(kind).items():
        sentence = captions.sentence(caption)
        assert caption.startswith(sentence) and (sentence == caption or sentence.endswith(".")), name
        assert "\\" not in body(captions.rst(sentence)).replace("\\(", ""), name


def test_a_sentence_ends_at_its_full_stop_and_not_at_an_abbreviation_or_a_number():
    assert (
        captions.sentence("Lucic et al. say that .5 of it is 3. Seeds are dots.")
        == "Lucic et al. say that .5 of it is 3."
    )
    assert captions.sentence("No stop; at all") == "No stop; at all"


def test_formulas_are_math_and_other_signs_mean_nothing():
    made = captions.rst(r"`means' at 95\,\% of $f^*(T)$, a * b_ and |c| --- all")
    assert ":math:`f^*(T)`" in made and "‘means’ at 95 % of" in made
    text = body(made)
    assert "a * b_ and |c| — all" in text and "problematic" not in text


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        (r"1.23 $\pm$ 0.4", "1.23 ± 0.4"),
        (r"$-$0.5", "−0.5"),
        (r"$1.2\cdot 10^{-5}$", "1.2·10^−5"),
        (r"$\infty$", "∞"),
        ("--", "–"),
        ("log-likelihood", "log-likelihood"),
        ("alpha = -2", "alpha = −2"),
        ("-0.3, 2-3", "−0.3, 2-3"),
        (r"$\det(C)$", r"$\det(C)$"),
    ],
)
def test_a_cell_is_plain_text(cell, plain):
    assert captions.plain(cell) == plain


def test_a_table_is_a_page_with_caption_and_headings_and_no_markup_from_a_cell():
    frame = pd.DataFrame({"Name": ["a < b"], "modes": [r"7 $\pm$ 1"]})
    page = captions.page(frame, "A table.")
    assert "<caption>A table.</caption>" in page
    assert '<th scope="col">modes</th>' in page and '<th scope="row">a &lt; b</th><td>7 ± 1</td>' in page
