"""Names that a shell, a file system, YAML or TeX would misread, and texts that the paper prints."""

import re
import shutil
import subprocess

import pytest
from small import EXPERIMENTS, RING, edited, written

from fgan import design
from fgan.design import DesignError
from fgan.design.texts import LETTERS, MATHS, PRINTED, unprintable
from fgan.report.printed import escape, prose

ARMS, TITLE = "  tanh: {}\n", "title: Eight Gaussians on a ring"
FOLDERS = [
    "two words", "a(b)", "a;b", "a$b", "{a}", "umläut", "a-b", "a.b", "a\nb", "1a", "%", "#a", "$(a)", "x'y", "x" * 200,
]  # fmt: skip
NAMES = ["a b", "a/b", "..", ".a", "-a", "a$b", "a%b", "a#b", "{a}", "ä", "$(a)", r"\input", "a\\nb", "x" * 61, "a:b"]
YAMLS = ["on", "off", "yes", "no", "64", "1.5", "1e3", "null", "2024-01-01", "0o17", "010"]
UNPRINTED = ["漢字", "привет", "tick \U0001f600", "bell \x07", "\u200bspace", "x \u2713"]


@pytest.mark.parametrize("name", FOLDERS)
def test_the_name_of_an_experiment_is_a_word(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "experiment.yaml").write_text(RING)
    for call in (design.find, lambda root: design.load("ring", "smoke", root), design.all_claims):
        with pytest.raises(DesignError, match="letters, digits and _ alone; rename the folder") as caught:
            call(tmp_path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*FOLDERS, "..", "x" * 61])
def test_the_name_of_a_figure_is_a_word(tmp_path, name):
    quoted = name.replace("\n", "\\n")
    with pytest.raises(DesignError, match="'figures' names .*write up to 60 letters, digits and _ alone"):
        written(tmp_path, edited("figures:\n", f'figures:\n  "{quoted}": Modes.\n'))


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_arm_is_one_of_a_file(tmp_path, name):
    with pytest.raises(DesignError, match="ring/experiment.yaml: an arm is named .*; write up to 60") as caught:
        written(tmp_path, edited(ARMS, f'  "{name}": {{}}\n'.replace(r"\input", r"\\input")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", YAMLS)
def test_an_arm_may_be_named_by_a_word_that_yaml_takes_for_something_else(tmp_path, name):
    assert list(written(tmp_path, edited(ARMS, f"  {name}: {{}}\n")).arms) == [name]
    grid = f"  all: {{grid: {{a: {{{name}: , b: }}}}}}\n"
    assert list(written(tmp_path, edited(ARMS, grid)).arms) == [name, "b"]


@pytest.mark.parametrize("value", ["on", "64", "2024-01-01"])
def test_where_yaml_reads_another_thing_than_text_the_sentence_says_to_quote_it(tmp_path, value):
    with pytest.raises(DesignError, match=r"'arms.b.like' .* must be text, not .*; put it in quotes"):
        written(tmp_path, edited(ARMS, f"  {value}: {{}}\n  b: {{like: {value}}}\n"))
    assert len(written(tmp_path, edited(ARMS, f'  {value}: {{}}\n  b: {{like: "{value}"}}\n')).arms) == 2


@pytest.mark.parametrize("text", [*UNPRINTED, "costs 5$", "$a$ and $"])
@pytest.mark.parametrize("place", ["title", "figures.modes", "deviations.0"])
def test_a_text_that_the_paper_cannot_print_is_refused(tmp_path, text, place):
    old = {
        "title": TITLE, "figures.modes": re.search(r"  modes: >-\n( {4}.*\n)+", RING)[0],
        "deviations.0": "deviations:\n",
    }[place]  # fmt: skip
    quoted = "".join(f"\\U{ord(c):08X}" if ord(c) > 126 or c < " " else c for c in text)
    new = {"title": 'title: "{}"', "figures.modes": '  modes: "{}"\n', "deviations.0": 'deviations:\n  - "{}"\n'}[place]
    with pytest.raises(DesignError, match=f"ring/experiment.yaml: '{place}' has "):
        written(tmp_path, edited(old, new.format(quoted)))


@pytest.mark.parametrize("key", ["statement", "source", "reason"])
def test_a_claim_that_the_paper_cannot_print_is_refused(tmp_path, key):
    text = {"statement": "s", "source": "p", "reason": "r"} | {key: "costs 5$"}
    lines = "".join(f"    {k}: {v}\n" for k, v in text.items())
    check = "{kind: mean, metric: modes, where: {arm: tanh}, low: 1}"
    path = tmp_path / "claims.yaml"
    path.write_text(f"claims:\n  - id: x\n    kind: derived\n{lines}    checks: [{check}]\n")
    with pytest.raises(DesignError, match=f"claims.yaml, claim 'x': '{key}' has a [$] without its pair"):
        design.read_claims(path)


def test_no_text_of_the_repository_is_refused():
    for name in design.find(EXPERIMENTS):
        design.load(name, "smoke", EXPERIMENTS)


@pytest.mark.parametrize(
    "text, tex",
    [("a & b", r"a \& b"), (r"\emph{a} & b", r"\emph{a} \& b"), (r"$a & b$ & c", r"$a & b$ \& c"),
     ("x ≤ 2", r"x \ensuremath{\leq} 2"), (r"$x ≤ ∞$", r"$x \ensuremath{\leq} \ensuremath{\infty}$"),
     ("5 µm", r"5 \ensuremath{\mu}m"), ("5 % of #1", r"5 \% of \#1"), (r"5 \% & 5 %", r"5 \% \& 5 \%"),
     ("Müller", "Müller"), ("a–b", "a--b")])  # fmt: skip
def test_symbols_and_signs_are_printed(text, tex):
    assert escape(text) == tex and unprintable(text) is None


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
def test_tex_prints_every_character_that_is_let_through(tmp_path):
    every = "".join(chr(c) for c in range(32, 127) if chr(c) not in "\\$") + "".join(LETTERS) + "".join(PRINTED)
    latex = escape(r"\emph{x} & y ≤ 5 % and $z ≤ ∞$")
    body = "\n\n".join([escape(every), prose(every), latex, *map(escape, MATHS)])
    shutil.copy(EXPERIMENTS.parent / "paper/fgan.sty", tmp_path)
    frame = "\\documentclass{article}\\usepackage{fgan}\\pagestyle{empty}\\begin{document}\n%s\n\\end{document}\n"
    (tmp_path / "all.tex").write_text(frame % body, encoding="utf-8")
    call = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0 and "Missing character" not in done.stdout, done.stdout[-1500:]
