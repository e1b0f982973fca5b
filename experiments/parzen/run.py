"""Parzen: the kernel-density protocol of f-GAN's table of MNIST, on samplers that nobody trained."""

import math

import torch

from fgan.metrics import kde

READINGS = ("held out", "own samples")  # of "bandwidth chosen by cross-validation", as in the digits
SETS = ("few", "many", "more")
SHOWN = 4  # samples of each that are kept for the figures


def baselines(settings, data):
    """Rows (sampler, 0, metric, value) and a few samples of every sampler, by its name."""
    rule, rows, shown = settings["measure"], [], {}
    for name, samples, options in samplers(data, rule):
        rows += [(name, 0, metric, value) for metric, value in judge(samples, data, rule, **options).items()]
        shown[name] = samples[:SHOWN].numpy()
    rows.append(("any in the unit cube", 0, "least log-likelihood [held out]", least(data, rule)))
    return rows, shown


def samplers(data, rule):
    """Yields (name, samples [n, d], what `judge` has to know beside them)."""
    for size in SETS:
        yield f"training images ({size})", data.train[: rule[size]], {}
    # Held-out images among the samples would choose the smallest bandwidth: each lies on its own kernel.
    yield "training images (all)", data.all_train, {"fitted": data.train}
    for size in SETS[:2]:
        yield f"centroids ({size})", centroids(data.train, rule[size], rule["rounds"]), {}
    yield "neighbour averages (more)", averages(data.train, rule["more"], rule["neighbours"]), {}
    sd = data.train.double().std(0)
    for floor in rule["floors"]:
        yield f"per pixel, floor {floor:g}", data.train[: rule["many"]], {"scale": relative(sd, floor)}
    generator, mean = torch.Generator().manual_seed(0), data.train.mean(0)
    shape = (rule["few"], data.dimension)
    points = {"mean image": mean, "black images": 0 * mean, "one image": data.train[0], "opposite": 1 - mean.round()}
    for name, point in points.items():
        noise = rule["noise"] * torch.randn(shape, generator=generator)
        yield name, (point + noise).clamp(0, 1), {}
    yield "uniform noise", torch.rand(shape, generator=generator), {}
    yield "test images", data.test, {}


def relative(sd, floor):
    """Bandwidth of each pixel relative to their mean, (sd_j + floor) / mean_j (sd_j + floor), from sds [d]."""
    return (sd + floor) / (sd + floor).mean()


def judge(samples, data, rule, fitted=None, scale=None):
    """{metric: value} of one sampler: its score at every bandwidth, where the readings land, and the best of all.

    samples [n, d]; `fitted` are those that the held-out reading fits to, where others. With `scale` s [d] pixel j has
    the bandwidth h s_j: log p(y) = log p_iso(y / s) - sum_j log s_j, p_iso the isotropic density on x_i / s.
    """
    fitted, held_out, test = samples if fitted is None else fitted, data.held_out[: rule["bandwidth_images"]], data.test
    shift, grid = 0.0, rule["bandwidths"]
    if scale is not None:
        samples, fitted, held_out, test = (part / scale for part in (samples, fitted, held_out, test))
        shift = float(scale.log().sum())
    values = kde.log_likelihoods(samples, test, grid) - shift  # [bandwidths, test images]
    means = values.mean(1).tolist()
    chosen = (
        kde.bandwidth_held_out(fitted, held_out, grid),
        kde.bandwidth_cross_validation(samples[: rule["more"]], grid, rule["folds"]),
    )
    best = max(means)
    found = {"samples": len(samples), "best log-likelihood": best, "best bandwidth": grid[means.index(best)]}
    for reading, bandwidth in zip(READINGS, chosen, strict=True):
        sd = float(values[grid.index(bandwidth)].std())
        found[f"log-likelihood [{reading}]"] = means[grid.index(bandwidth)]
        found[f"bandwidth [{reading}]"] = bandwidth
        found[f"standard error [{reading}]"] = sd / math.sqrt(len(test))
        found[f"standard error of 1,000 [{reading}]"] = sd / math.sqrt(1000)
    return found | {at(h): mean for h, mean in zip(grid, means, strict=True)}


def at(bandwidth):
    """Name of the metric that holds the score at one bandwidth."""
    return f"log-likelihood at {bandwidth:g}"


def centroids(images, number, rounds):
    """k-means centroids [number, d] of images [n, d]: Lloyd's rounds from random images (Theis et al. 2016)."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    fit = KMeans(number, init="random", n_init=1, max_iter=rounds, random_state=0).fit
    with threadpool_limits(1):  # several threads add up in the order in which they finish
        return torch.from_numpy(fit(images.numpy()).cluster_centers_)


def averages(images, number, neighbours):
    """Each of the first `number` images [n, d] averaged with its nearest, `neighbours` with itself: [number, d]."""
    norms = images.square().sum(1)
    near = [(norms - 2 * x @ images.T).topk(neighbours, largest=False).indices for x in images[:number].split(512)]
    return torch.cat([images[rows].mean(1) for rows in near])


def least(data, rule):
    """What no sample set in [0, 1]^d scores below on the images that choose its bandwidth, in nats.

    No sample is further from y than its farthest corner, so with m = mean_{y,j} max(y_j, 1 - y_j)^2 the best h has
    mean log p_h >= max_h -d m / 2h^2 - d/2 log(2 pi h^2), which is -d/2 (1 + log 2 pi m) on a fine grid.
    """
    y = data.held_out[: rule["bandwidth_images"]].double()
    m = float(torch.maximum(y, 1 - y).square().mean())
    return max(-data.dimension / 2 * (m / h**2 + math.log(2 * math.pi * h**2)) for h in rule["bandwidths"])
