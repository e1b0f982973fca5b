"""The map z -> G(z) of each run: its derivative, and the number of z that it sends to exactly one x."""

import math

import torch

from fgan.engine.networks import BatchNorm, Linear

from .collisions import each

EPS = 1e-5  # added to a variance by torch's batch normalisation
BLOCK = 8  # points looked up in the grid at once, to fit a CPU's cache
STARTS, STEPS = 2**15, 12  # of Newton's method: start points of all samples of a run together, and steps from each
MISS, APART = 1e-9, 1e-5  # largest |G(z) - x| of a solution, and smallest |z - z'| of different solutions


@torch.no_grad()
def jacobian(network, views, z, points):
    """x = G(z) [runs, n, d] and dG/dz [runs, points, k, d] at the first `points` of z [runs, n, k], float64.

    Layer by layer (forward mode), as one z moves and the batch's statistics stay, so batch normalisation is an
    affine map here. For networks of linear layers, batch normalisation and elementwise activations.
    """
    x, views = z.double(), iter(views)
    slope = torch.eye(z.shape[-1], dtype=x.dtype, device=x.device).expand(len(z), points, -1, -1)
    for layer in network.layers:
        own = [next(views).double() for _ in layer.shapes]
        if isinstance(layer, Linear):
            x, slope = layer(x, *own), slope @ own[0][:, None]
        elif isinstance(layer, BatchNorm):
            gain = own[0] * (x.var(dim=1, keepdim=True, correction=0) + EPS).rsqrt()
            x, slope = (x - x.mean(dim=1, keepdim=True)) * gain + own[1], slope * gain[:, :, None]
        else:
            with torch.enable_grad():
                before = x.detach().requires_grad_()
                after = layer(before)
                (steepness,) = torch.autograd.grad(after.sum(), before)
            x, slope = after.detach(), slope * steepness[:, :points, None]
    return x, slope


def alone(views):
    """The parameters of each run, as those of a stack of one."""
    return [[view[r : r + 1] for view in views] for r in range(len(views[0]))]


def singular_values(network, views, z, points):
    """Singular values of dG/dz, largest first, [runs, points, min(k, d)]: as `jacobian`, run by run to save memory.

    `points` is at most n.
    """
    points = min(points, z.shape[1])
    slopes = (jacobian(network, own, z[r : r + 1], points)[1] for r, own in enumerate(alone(views)))
    return torch.cat([each(torch.linalg.svdvals, slope, shape=(points, min(slope.shape[2:]))) for slope in slopes])


def spectrum(values, threshold):
    """Medians over points of three measures of the singular values s_1 >= ... >= s_k of dG/dz [runs, points, k].

    log condition: log10 s_1 / s_k; local rank: share of directions with s_i > threshold s_1; log volume: the mean of
    log10 s_i, by which the map stretches a direction of z. Each [runs], infinite if s_k is 0.
    """
    logs, large = values.log10(), values > threshold * values[..., :1]
    measures = {
        "log condition": logs[..., 0] - logs[..., -1],
        "local rank": large.double().mean(2).where(values[..., 0].isfinite(), math.nan),
        "log volume": logs.mean(2),
    }
    return {name: measure.median(dim=1).values for name, measure in measures.items()}


def maps(network, views):
    """The map of each run as a function of z [n, k] with the values x [n, d] and dx/dz [n, k, d]."""

    def of(own):
        return lambda z: tuple(both[0] for both in jacobian(network, own, z[None], len(z)))

    return [of(own) for own in alone(views)]


def nearest_modes(functions, means, radius, side, reach):
    """Number of the mode nearest to G(z) over an even grid of z within `reach`, [runs, side, side].

    If G(z) lies further than `radius` from the mode, the number of modes is added.
    """
    line = reach * torch.linspace(-1, 1, side, device=means.device)
    x = torch.stack([function(torch.cartesian_prod(line, line))[0] for function in functions])
    distance, mode = torch.cdist(x, means).min(-1)
    return (mode + (distance > radius) * len(means)).unflatten(1, (side, -1))


def preimages(functions, z, side, reach):
    """Mean number of z' with G(z') = G(z) over noise z [runs, n, 2] for maps from the plane to the plane, [runs].

    Starts are z itself and the triangles of an even grid of side^2 points within `reach` whose corners' images enclose
    G(z); Newton's method continues from there, and each solution is counted once, so the number is a lower bound.
    Triangles alone are no count: where the map is nearly flat, their images zigzag and enclose points it does not hit.
    """
    pairs = zip(functions, z.double(), strict=True)
    return torch.stack([_solutions(function, own, side, reach) for function, own in pairs])


def _solutions(function, z, side, reach):
    x, _ = function(z)
    if not x.isfinite().all():
        return x.new_full((), math.nan)
    axis = torch.linspace(-reach, reach, side, dtype=z.dtype, device=z.device)
    plane, number = torch.cartesian_prod(axis, axis), torch.arange(side**2, device=z.device).view(side, side)
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]
    triangles = torch.cat([torch.stack(three).flatten(1) for three in ((a, b, c), (d, c, b))], dim=1)
    corners = function(plane)[0][triangles]
    edges, inside = corners.roll(-1, dims=0) - corners, []
    for points in x.split(BLOCK):
        to = points[:, None, None] - corners
        turns = edges[..., 0] * to[..., 1] - edges[..., 1] * to[..., 0]
        inside.append((turns >= 0).all(1) | (turns <= 0).all(1))
    sample, triangle = torch.cat(inside).nonzero().unbind(1)
    every = max(1, len(sample) // STARTS)  # a map that is flat to rounding has starts everywhere
    sample = torch.cat([torch.arange(len(z), device=z.device), sample[::every]])
    start = torch.cat([z, plane[triangles].mean(0)[triangle[::every]]])
    for _ in range(STEPS):
        value, slope = function(start)
        step, _ = torch.linalg.solve_ex(slope.mT, x[sample] - value)
        start = start + torch.where(step.isfinite().all(1, keepdim=True), step, 0.0)
    solved = ((x[sample] - function(start)[0]).abs().amax(1) < MISS) & (start.abs().amax(1) <= reach)
    different = torch.cat([sample[:, None], (start / APART).round()], dim=1)[solved].unique(dim=0)
    return z.new_tensor(len(different) / len(z))
