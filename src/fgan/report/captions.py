"""Captions and cells for pages: LaTeX as reStructuredText, which Snakemake's report reads, and as plain text."""

import html
import re

SIGNS = {r"\pm": "±", r"\infty": "∞", r"\leq": "≤", r"\geq": "≥", r"\%": "%", r"\,": " ", "---": "—", "--": "–"}

LOOK = (
    "body{font:14px sans-serif}th,td{text-align:left;vertical-align:top;padding:.2em .7em;border-bottom:1px solid #ddd}"
    "caption{text-align:left;padding:.5em 0}"
)


def sentence(caption):
    """The first sentence of a caption."""
    return re.split(r"(?<!al\.)(?<=\.) (?=\D)", caption, maxsplit=1)[0]


def rst(text):
    """LaTeX as reStructuredText: formulas as math, all other characters as they are."""
    prose, *formulas = re.split(r"\$([^$]+)\$", text)
    made = [escaped(prose)]
    for formula, after in zip(formulas[::2], formulas[1::2], strict=True):
        made.append(rf"\ :math:`{formula}`\ {escaped(after)}")
    return "".join(made).strip() + "\n"


def escaped(text):
    """Prose without LaTeX's signs, in which no character means anything to reStructuredText."""
    text = re.sub(r"`([^`']*)'", r"‘\1’", text)
    for sign, plain in SIGNS.items():
        text = text.replace(sign, plain)
    return re.sub(r"([*`|_\\])", r"\\\1", text)


def plain(cell):
    """A cell of a table as plain text: numbers and signs without LaTeX, formulas as they are."""
    text = re.sub(r"\$?(\d[\d.]*)\\cdot 10\^\{(-?\d+)\}\$?", r"\1·10^\2", str(cell).replace("$-$", "-"))
    for sign, shown in SIGNS.items():
        text = text.replace(sign, shown)
    text = text if "\\" in text else text.replace("$", "")
    return re.sub(r"(?<![\w.)])-(?=[\d.∞])", "−", text)


def page(frame, caption):
    """A table as a page of HTML, with its caption and its headings for a screen reader."""
    heads = "".join(f'<th scope="col">{html.escape(plain(name))}</th>' for name in frame.columns)
    lines = [
        f'<tr><th scope="row">{html.escape(plain(first))}</th>'
        + "".join(f"<td>{html.escape(plain(cell))}</td>" for cell in others) + "</tr>"
        for first, *others in frame.itertuples(index=False)
    ]  # fmt: skip
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(plain(caption))}</title>'
        f"<style>{LOOK}</style></head>\n<body><table>\n<caption>{html.escape(plain(caption))}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody></table></body></html>\n"
    )
