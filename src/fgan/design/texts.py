r"""Texts that the paper prints: which characters its TeX sets, and as what.

Plain text may have any of them; a text with a backslash or a dollar is LaTeX, in which $...$ is mathematics.
"""

import re

MATHS = {
    "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "∞": r"\infty", "×": r"\times", "·": r"\cdot",
    "÷": r"\div", "±": r"\pm", "−": "-", "→": r"\to", "←": r"\leftarrow", "∈": r"\in", "∑": r"\sum", "∫": r"\int",
    "√": r"\surd", "∂": r"\partial", "∇": r"\nabla", "°": r"^\circ", "¹": "^1", "²": "^2", "³": "^3", "½": r"\frac12",
    "µ": r"\mu", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta",
    "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "π": r"\pi", "ρ": r"\rho",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma",
    "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Σ": r"\Sigma", "Φ": r"\Phi", "Ω": r"\Omega",
}  # fmt: skip
WORDS = {
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "„": ",,", "…": r"\dots{}", "\u00a0": "~",
    "\u2009": r"\,", "\u202f": r"\,", "€": "EUR", "§": r"\S{}",
}  # fmt: skip
PRINTED = {c: rf"\ensuremath{{{tex}}}" for c, tex in MATHS.items()} | WORDS
# Letters of the paper's fonts beside ASCII.
LETTERS = {chr(c) for c in range(0xC0, 0x100)} - {"×", "÷"}
LETTERS |= set("ĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž")


def unprintable(text):
    """What the paper cannot print of a text and what to do, as a phrase; None if it can print all."""
    for c in text:
        if not (c in "\n\t" or " " <= c <= "~" or c in LETTERS or c in PRINTED):
            return f"has the character '{c}' (U+{ord(c):04X}), which the paper's fonts lack: write it in Latin letters"
    if len(re.findall(r"(?<!\\)\$", text)) % 2:
        return r"has a $ without its pair: write \$ for the sign, or $...$ around a formula"
    return None
