"""The paper's table of published values: the claims that confront each, or why none does, from paper/published."""

import re
from pathlib import Path

import pandas as pd

from fgan.report.printed import escape, prose

FOLDER = Path("paper", "published")
# Tables of results: title, columns that name a row, columns with published values (errors belong to those beside them).
RESULTS = {
    "fgan_table3_univariate": (
        "f-GAN, Table 3, optima and learned values",
        ["divergence"], ["D_f_at_theta_star", "F_at_learned", "mu_star", "mu_hat", "sigma_star", "sigma_hat"]),
    "fgan_table3_cross": (
        "f-GAN, Table 3, every divergence of every model",
        ["kind", "train_divergence"], ["KL", "KL-rev", "JS", "Jeffrey", "Pearson"]),
    "fgan_table4_mnist_kde": (
        "f-GAN, Table 4, kernel density on MNIST",
        ["training_divergence"], ["kde_mean_LL_nats", "sem"]),
    "parzen_reference": (
        "Kernel densities of others",
        ["paper", "model"], ["MNIST_nats", "TFD"]),
    "arjovsky_bottou_figures": (
        "Arjovsky and Bottou, by figure, quantity and the epochs of G",
        ["figure", "quantity", "generator_trained_epochs"], ["start", "end", "iterations"]),
    "unrolled_stacked_mnist": (
        "Unrolled GAN, stacked MNIST by the size of V and unrolled steps",
        ["D_size", "unroll_steps"], ["modes_mean", "KL_mean"]),
    "veegan_table1_synthetic": (
        "VEEGAN, Table 1",
        ["method"], ["ring_modes_of_8", "ring_pct_hq", "grid_modes_of_25", "grid_pct_hq", "d1200_modes_of_10",
                     "d1200_pct_hq"]),
    "veegan_table2_stacked_cifar": (
        "VEEGAN, Table 2",
        ["method"], ["stacked_mnist_modes_of_1000", "KL", "cifar10_IvOM"]),
    "pacgan_table1_synthetic": (
        "PacGAN, Table 1",
        ["method"], ["ring_modes", "ring_hq_pct", "ring_revKL", "grid_modes", "grid_hq_pct", "grid_revKL"]),
    "pacgan_table2_stacked_veegan_setting": (
        "PacGAN, Table 2, VEEGAN's protocol",
        ["method"], ["modes", "KL"]),
    "pacgan_table3_stacked_unrolled_setting": (
        "PacGAN, Table 3, Unrolled GAN's protocol, by the size of V",
        ["method", "D_size"], ["modes", "KL"]),
    "mode_collapse_other_papers": (
        "Stacked MNIST in other papers",
        ["paper", "method"], ["modes", "KL"]),
    "sankarlab_ring8_mode_counts": (
        "SankarLab, runs by modes covered",
        ["loss", "modes_covered"], ["runs"]),
    "lucic_fid_best": (
        "Lucic et al., best FID",
        ["model"], ["MNIST", "Fashion", "CIFAR10", "CelebA"]),
    "lucic_figure_readings": (
        "Lucic et al., read off figures",
        ["figure", "what"], ["value"]),
    "replication_evidence": (
        "Public replications",
        ["what"], ["finding"]),
    "vae_vs_gan": (
        "VAE against GAN",
        ["topic"], ["evidence"]),
    "claims": (
        "Statements",
        ["paper", "claim_id"], ["claim"]),
}  # fmt: skip
# The other files: settings, formulas, and what was computed here.
OTHERS = {
    "fgan_settings", "unrolled_settings", "veegan_settings", "pacgan_settings", "protocols", "confronted",
    "fgan_table1_divergences", "fgan_table6_activations", "fgan_univariate_inferred_check",
}  # fmt: skip
SHOWN = 4  # values of a line that are printed; of more their number is
# Words for the columns of these files and their parts, in the order in which they are replaced.
WORDS = {
    "D_f_at_theta_star": "divergence of the optimum", "F_at_learned": "learned F", "mu_star": "optimal mean",
    "mu_hat": "learned mean", "sigma_star": "optimal sd", "sigma_hat": "learned sd", "sem": "standard error",
    "kde_mean_LL_nats": "nats", "cifar10_IvOM": "inference by optimisation on CIFAR-10", "stacked_mnist_": "",
    "_mean": "", "_nats": "", "_of_8": "", "_of_25": "", "_of_1000": "", "_of_10": "", "pct_hq": "% of high quality",
    "hq_pct": "% of high quality", "revKL": "reverse KL", "d1200": "1200 dimensions", ";": ", ", "_": " ",
}  # fmt: skip


def text(name, folder=FOLDER):
    """A file of paper/published, all as text."""
    return pd.read_csv(Path(folder, f"{name}.csv"), dtype=str, keep_default_na=False)


def values(name, folder=FOLDER):
    """The published values of a file as rows (row, column, value, known); a row's name joins its columns."""
    _, keys, columns = RESULTS[name]
    rows = [
        (" / ".join(row[key] for key in keys), column, row[column], row["known"])
        for row in text(name, folder).to_dict("records") for column in columns if row[column]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["row", "column", "value", "known"])


def matches(patterns, names):
    """Which names match one of the patterns, separated by semicolons, in which * stands for any text: bool."""
    every = "|".join(re.escape(one.strip()).replace(r"\*", ".*") for one in patterns.split(";"))
    return names.str.fullmatch(every)


def words(columns):
    """Names of columns, joined by semicolons, in words."""
    for name, word in WORDS.items():
        columns = columns.replace(name, word)
    return columns


CAPTION = r"\caption{Published values and the claims that confront them.}\label{tab:confronted}\\"


def confronted(line, published):
    """The values of a file that a line of confronted.csv is about."""
    return published[matches(line.row, published.row) & matches(line.column, published.column)]


def table(folder=FOLDER):
    """A long table of all published values by file: row and column, value and how it is known, claims or reason."""
    widths = "".join(rf">{{\raggedright\arraybackslash}}p{{{w}\linewidth}}" for w in (0.25, 0.34, 0.35))
    lines = [rf"\begin{{longtable}}{{@{{}}{widths}@{{}}}}", CAPTION, r"\toprule",
             r"Published & Value & Confronted by \\ \midrule \endhead \bottomrule \endfoot"]  # fmt: skip
    frame = text("confronted", folder)
    for name, (title, _, columns) in RESULTS.items():
        published, rows = values(name, folder), frame[frame.file == name]
        found = [confronted(line, published) for line in rows.itertuples()]
        met = sum(len(own) for own, claims in zip(found, rows.claims, strict=True) if claims)
        head = rf"{escape(title)} \textmd{{({escape(name)}: {met} of {len(published)} confronted)}}"
        lines.append(rf"\multicolumn{{3}}{{@{{}}l}}{{\sffamily\bfseries {head}}} \\* \addlinespace")
        for line, own in zip(rows.itertuples(), found, strict=True):
            pattern = "all" if line.row == "*" else re.sub(r"( /)? ?\*|\* / ", "", line.row)
            where = own.row.iloc[0] if own.row.nunique() == 1 else pattern
            where = re.sub(r" \[\d+\]| \d{4}\.\d{5}", "", where)  # a reference of its own paper, a number of arXiv
            where += "" if line.column == "*" or len(columns) == 1 else f": {words(line.column)}"
            shown = ", ".join(own.value) if len(own) <= SHOWN else f"{len(own)} values"
            claims = ", ".join(rf"\claimid{{{escape(one)}}}" for one in line.claims.split(";"))
            cells = (prose(where.replace(";", ", ")), f"{prose(shown)} ({', '.join(dict.fromkeys(own.known))})")
            lines.append(" & ".join([*cells, claims if line.claims else prose(line.why)]) + r" \\")
        lines.append(r"\addlinespace")
    return "\n".join([*lines, r"\end{longtable}", ""])
