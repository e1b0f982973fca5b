"""paper/published/confronted.csv: every published value is confronted by a claim, or it says why none does."""

from collections import Counter

import pytest
from small import EXPERIMENTS, ROOT

from fgan import design
from fgan.report import confronted

PUBLISHED = ROOT / "paper/published"
LINES = confronted.text("confronted", PUBLISHED)
IDS = {claim["id"] for claims in design.all_claims(EXPERIMENTS).values() for claim in claims}
TEXT = {"source", "known", "read_from", "setting", "note", "paper", "task", "numbers", "how_to_test", "kind"}


def lacking(lines, name):
    """The published values (row, column) of a file that not one line alone is about, and the values of each line."""
    published = confronted.values(name, PUBLISHED)
    found = [confronted.confronted(line, published) for line in lines[lines.file == name].itertuples()]
    count = Counter(index for own in found for index in own.index)
    wrong = published[[count[index] != 1 for index in published.index]]
    return list(zip(wrong.row, wrong.column, strict=True)), [len(own) for own in found]


@pytest.mark.parametrize("name", confronted.RESULTS)
def test_every_published_value_has_one_line_and_every_line_a_value(name):
    wrong, sizes = lacking(LINES, name)
    assert wrong == [] and 0 not in sizes


@pytest.mark.parametrize("line", list(LINES.itertuples()), ids=lambda line: f"{line.file}: {line.row}, {line.column}")
def test_a_line_names_claims_that_exist_or_says_why_none_does(line):
    assert bool(line.claims) != bool(line.why) and line.file in confronted.RESULTS
    assert set(filter(None, line.claims.split(";"))) <= IDS


def test_every_file_and_column_is_of_results_or_of_something_else():
    files = {path.stem for path in PUBLISHED.glob("*.csv")}
    assert files == set(confronted.RESULTS) | confronted.OTHERS
    for name, (_, keys, values) in confronted.RESULTS.items():
        rest = set(confronted.text(name, PUBLISHED)) - {*keys, *values} - TEXT
        assert all(column.endswith(("_se", "_sd", "_err", "sem", "se")) for column in rest), rest


def test_a_published_value_without_a_line_is_found():
    without = LINES[LINES.row != "Neyman chi2"]
    assert lacking(without, "fgan_table4_mnist_kde")[0] == [
        ("Neyman chi2", "kde_mean_LL_nats"), ("Neyman chi2", "sem"),
    ]  # fmt: skip


def test_the_table_has_values_claims_and_reasons():
    made = confronted.table(PUBLISHED)
    assert r"Neyman chi2 & 300, 8.33 (primary) & \claimid{digits-row-neyman} \\" in made
    assert r"kernel density on MNIST \textmd{(fgan\_table4\_mnist\_kde: 20 of 20 confronted)}" in made
    assert "ALI & 6.6" not in made and "none of these models is trained here" in made


def test_columns_are_said_in_words():
    assert confronted.words("mu_star;sigma_hat") == "optimal mean, learned sd"
    assert confronted.words("d1200_modes_of_10;ring_pct_hq") == "1200 dimensions modes, ring % of high quality"
