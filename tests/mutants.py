"""Changes one constant or sign at a time in a copy of the repository; the named tests must fail, or it survives.

    make mutants

prints a line for each and ends with 1 if one survives, or if the tests fail in the unchanged copy.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from small import ROOT, listed

DIVERGENCES, RATIOS = "test_divergences.py", "test_ratios.py"
REMEDIES, UNROLLING = "remedies/test_remedies.py", "remedies/test_unrolling.py"
STATISTICS, CLAIMS, CHECKS, CONVERGED = (
    f"report/test_{name}.py" for name in ("statistics", "claims", "checks", "converged")
)
# (file of src/fgan, what stands there, what the mutant says, the tests that must notice)
MUTANTS = [
    ("divergences.py", "conjugate_of_activation=lambda v: v * (v / 4 + 1)", "... v * (v / 2 + 1)", DIVERGENCES),
    ("divergences.py", "conjugate=lambda t: -1 - torch.log(-t)", "... 1 - torch.log(-t)", DIVERGENCES),
    ("divergences.py", "activation=lambda v: logsigmoid(v) + LOG2", "... logsigmoid(v) - LOG2", DIVERGENCES),
    ("divergences.py", "threshold=1.0, threshold_v=1.0", "threshold=1.0, threshold_v=0.0", DIVERGENCES),
    ("divergences.py", "+ math.log(k) - (k - 1) / 2", "+ math.log(k) + (k - 1) / 2", DIVERGENCES),
    ("divergences.py", "log_ratio=lambda v: 2 * v", "log_ratio=lambda v: v / 2", RATIOS),
    ("divergences.py", "growth=(2, 0)", "growth=(1, 0)", DIVERGENCES),
    ("remedies/gradient_penalty.py", "self.weight / 2 * square_slope(population.variational, views, real)",
     "self.weight * square_slope(population.variational, views, real)", REMEDIES),
    ("remedies/instance_noise.py", "(1 - population.steps", "(1 + population.steps", REMEDIES),
    ("remedies/spectral_norm.py", "SQUARINGS = 12", "SQUARINGS = 3", REMEDIES),
    ("remedies/minibatch.py", "(-distance).exp()", "distance.exp()", REMEDIES),
    ("remedies/packing.py", "return self.points * inputs", "return inputs", REMEDIES),
    ("remedies/reconstructor.py", "return self.weight * (z - guess)", "return -self.weight * (z - guess)", REMEDIES),
    ("remedies/unrolling.py", "autograd.grad(-play(views)", "autograd.grad(play(views)", UNROLLING),
    ("remedies/unrolling.py", "1 - beta1**self.steps", "1 - beta2**self.steps", UNROLLING),
    ("report/statistics.py", "std(ddof=1)", "std(ddof=0)", STATISTICS),
    ("report/statistics.py", "+ z**2 / (4 * trials**2)", "- z**2 / (4 * trials**2)", STATISTICS),
    ("report/statistics.py", "(len(p) - np.arange(len(p)))", "(len(p) - 1 - np.arange(len(p)))", STATISTICS),
    ("report/statistics.py", "size(d.sum()) - 1e-12", "size(d.sum()) + 1e-12", STATISTICS),
    ("report/statistics.py", "paired_permutation(margin + d", "paired_permutation(margin - d", STATISTICS),
    ("report/result.py", "if self.p <= 0.05:", "if self.p <= 0.5:", CLAIMS),
    ("report/result.py", "self.unconverged[0] > 0.5", "self.unconverged[0] > 0.9", CONVERGED),
    ("report/claims.py", "elif fewest < needed", "elif fewest < needed - 1", CLAIMS),
    ("report/checks.py", "paired_permutation(difference - bound)", "paired_permutation(difference)", CLAIMS),
    ("report/checks.py", "if len(difference) < 20", "if len(difference) < 2", CHECKS),
    ("report/converged.py", "np.mean(~rows.settled)", "np.mean(rows.settled)", CONVERGED),
]  # fmt: skip


def copy(folder):
    """The files that the tests read, in another folder."""
    for name in listed():
        if name.startswith(("src/", "tests/", "benchmarks/", "experiments/", "paper/", "pyproject.toml")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def status(folder, *files):
    """Exit status of pytest on some test files there: 0 if all pass, 1 if one fails."""
    call = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *(f"tests/{file}" for file in files)]
    # A mutant may have the size and the second of what it replaces, so no compiled file may be kept.
    env = os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(call, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def changed(text, old, new):
    """A text with one place changed; `...` in the new text stands for what precedes its words in the old one."""
    if text.count(old) != 1:
        raise SystemExit(f"'{old}' is not there once: {text.count(old)} times")
    start = old[: old.rindex(": ") + 2] if new.startswith("... ") else ""
    return text.replace(old, start + new.removeprefix("... "))


def main():
    """Tries every mutant; returns how many survive."""
    survivors = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(folder)
        if status(folder, *sorted({tests for *_, tests in MUTANTS})):
            raise SystemExit("the tests fail in the unchanged copy")
        for file, old, new, tests in MUTANTS:
            path = folder / "src/fgan" / file
            text = path.read_text(encoding="utf-8")
            path.write_text(changed(text, old, new), encoding="utf-8")
            caught = status(folder, tests) == 1
            path.write_text(text, encoding="utf-8")
            survivors += not caught
            print(f"{'caught' if caught else 'SURVIVES'}: {file}: {old}  ->  {new} ({tests})", flush=True)
    print(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants caught")
    return survivors


if __name__ == "__main__":
    sys.exit(main() > 0)
