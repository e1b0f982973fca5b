"""Eigenvalues of the Dirac game's update at its solution, under every divergence, objective, remedy and method."""

import math

import torch

from fgan.divergences import DIVERGENCES

from . import games


def remedies(measure, weight=None):
    """{remedy: a design's list of remedies}."""
    weight = measure["weight"] if weight is None else weight
    return {
        "none": [], "R1": [{"kind": "gradient_penalty", "weight": weight}],
        "R2": [{"kind": "fake_gradient_penalty", "weight": weight}],
        "instance noise": [{"kind": "instance_noise", "sd": measure["sd"], "until": math.inf}],
        **{f"unrolled {k}": [{"kind": "unrolling", "steps": k}] for k in measure["unrolled"]},
    }  # fmt: skip


def maps(remedies, method, steps):
    """Jacobians [divergences, objectives, steps, 2, 2] of the Dirac game's update at its solution."""
    runs = games.runs_of(len(steps))
    rates = torch.tensor(steps, dtype=torch.float64).repeat(len(runs) // len(steps))
    jacobians = games.jacobian(games.Game(runs, remedies, method, rates, batch=2))
    return jacobians.unflatten(0, (len(DIVERGENCES), len(games.OBJECTIVES), len(steps)))


def stable(measure, remedies, method):
    """The largest step of the fine grid below which all converge [divergences, objectives], 0 if the first does not."""
    grid = 2 ** torch.linspace(*map(math.log2, measure["grid"]), measure["grid_points"], dtype=torch.float64)
    below = (games.radius(maps(remedies, method, grid.tolist())) < 1 - 1e-12).int().cummin(dim=-1).values.sum(dim=-1)
    return torch.cat([torch.zeros(1), grid])[below]


def at_solution(measure):
    """Rows of every remedy and method at the step of the design, and the eigenvalues that are drawn."""
    rows, arrays, every, h = [], {}, {}, measure["step"]
    slopes, curvatures = torch.tensor([games.terms(name) for name in DIVERGENCES], dtype=torch.float64).T
    for remedy, own in remedies(measure).items():
        for method in games.METHODS:
            name, jacobian = f"{remedy}, {method}", maps(own, method, [h])[:, :, 0]
            metrics = {
                "radius": games.radius(jacobian), "angle": games.angle(jacobian),
                "largest stable step": stable(measure, own, method),
            }  # fmt: skip
            if method == "simultaneous":
                # The gradient field is (M - 1) / h: its trace is minus the damping.
                trace, determinant = invariants((jacobian - torch.eye(2)) / h).unbind(-1)
                metrics |= {"damping": -trace, "frequency": determinant.sqrt()}
            rows += [
                (name, divergence, 0, {(metric, objective): float(values[i, j]) for metric, values in metrics.items()})
                for i, divergence in enumerate(DIVERGENCES) for j, objective in enumerate(games.OBJECTIVES)
            ]  # fmt: skip
            rows.append((name, "", 0, summary(metrics, slopes)))
            roots = torch.linalg.eigvals(jacobian)
            arrays[f"curve/{name}"] = torch.stack([roots.real, roots.imag])
            every[remedy, method] = invariants(jacobian)
    rows += [(n, "", 0, {"difference from R1": d}) for n, d in as_r1(measure, slopes, curvatures, every).items()]
    apart = max(float((roots[:, 0] - roots[:, 1]).abs().max()) for roots in every.values())
    penalties = max(float((every["R1", m] - every["R2", m]).abs().max()) for m in games.METHODS)
    rows.append(("everything", "", 0, {"difference of the objectives": apart, "difference of R1 and R2": penalties}))
    terms = zip(DIVERGENCES, slopes.tolist(), curvatures.tolist(), strict=True)
    rows += [("terms", name, 0, {"slope": slope, "curvature": curvature}) for name, slope, curvature in terms]
    return rows, arrays


def summary(metrics, slopes):
    """The numbers of a remedy and method over all divergences and objectives that the claims judge."""
    curved = [name != "total_variation" for name in DIVERGENCES]
    excess = metrics["radius"] - 1
    numbers = {
        ("radius less 1", "least"): excess.min(), ("radius less 1", "most"): excess.max(),
        ("radius less 1", "most, but total variation"): excess[curved].max(),
        ("largest stable step", "least"): metrics["largest stable step"].min(),
        ("largest stable step", "most"): metrics["largest stable step"].max(),
    }  # fmt: skip
    if "damping" in metrics:
        numbers["damping", "most"] = metrics["damping"].abs().max()
        numbers["error of the frequency", "most"] = (metrics["frequency"] / slopes[:, None] - 1).abs().max()
    return numbers


def as_r1(measure, slopes, curvatures, every):
    """{remedy: largest difference of its eigenvalues from those of R1 with the weight that is derived for it}."""
    h, sd = measure["step"], measure["sd"]
    weights = {"instance noise": curvatures * sd**2}
    weights |= {f"unrolled {k}": 2 * k * h * slopes**2 for k in measure["unrolled"]}
    differences = {}
    for remedy, weight in weights.items():
        each = weight.repeat_interleave(len(games.OBJECTIVES))
        r1 = invariants(maps(remedies(measure, each)["R1"], "simultaneous", [h])[:, :, 0])
        differences[remedy] = float((r1 - every[remedy, "simultaneous"]).abs().max())
    return differences


def invariants(maps):
    """Trace and determinant of maps [..., 2, 2] as [..., 2]; two maps that share them have the same eigenvalues."""
    return torch.stack([maps.diagonal(dim1=-2, dim2=-1).sum(-1), torch.linalg.det(maps)], dim=-1)
