"""Local convergence: eigenvalues of the Dirac game's update at its solution, against games that are played.

Target: P a point, then N(0, 1). Networks: G shifts, V is a line (games.py). Measured: the Jacobian of the update by
autograd (spectra.py); contraction, turns and fate of games moved by the training step, and overshoot (played.py).
"""

from . import played, spectra


def baselines(settings, data=None):
    """Rows and arrays: eigenvalues, Dirac games that are iterated, and Gaussian games that are trained."""
    measure = settings["measure"]
    rows, arrays = spectra.at_solution(measure)
    more, paths = played.iterated(measure, spectra.remedies(measure))
    return rows + more + played.trained(measure), arrays | paths
