"""Kernel density: the protocol behind f-GAN's table of MNIST, applied to samplers without training."""

import math

import torch

from fgan.metrics import kde

SETS = ("few", "many", "more")
SHOWN = 4  # samples of each that are kept for the figures


def baselines(settings, data):
    """Every sampler's metrics; a few of its samples and its curve over the bandwidths, by its name."""
    measure, rows, arrays = settings["measure"], [], {}
    for name, samples, options in samplers(data, measure):
        metrics, arrays[f"curve/{name}"] = judge(samples, data, measure, **options)
        rows.append((name, "", 0, metrics))
        arrays[name] = samples[:SHOWN].numpy()
    rows.append(("any in the unit cube", "", 0, {("least log-likelihood", "held out"): least(data, measure)}))
    return rows, arrays


def samplers(data, measure):
    """Yields (name, samples [n, d], further arguments of `judge`)."""
    for size in SETS:
        yield f"training images ({size})", data.train[: measure[size]], {}
    # Held-out images among the samples would choose the smallest bandwidth: each lies on its own kernel.
    yield "training images (all)", data.all_train, {"fitted": data.train}
    for size in SETS[:2]:
        yield f"centroids ({size})", centroids(data.train, measure[size], measure["rounds"]), {}
    yield "neighbour averages (more)", averages(data.train, measure["more"], measure["neighbours"]), {}
    sd = data.train.double().std(0)
    for floor in measure["floors"]:
        yield f"per pixel, floor {floor:g}", data.train[: measure["many"]], {"scale": relative(sd, floor)}
    generator, mean = torch.Generator().manual_seed(0), data.train.mean(0)
    shape = (measure["few"], data.dimension)
    points = {"mean image": mean, "black images": 0 * mean, "one image": data.train[0], "opposite": 1 - mean.round()}
    for name, point in points.items():
        noise = measure["noise"] * torch.randn(shape, generator=generator)
        yield name, (point + noise).clamp(0, 1), {}
    yield "uniform noise", torch.rand(shape, generator=generator), {}
    yield "test images", data.test, {}


def relative(sd, floor):
    """Bandwidth of each pixel relative to their mean, (sd_j + floor) / mean_j (sd_j + floor), from sds [d]."""
    return (sd + floor) / (sd + floor).mean()


def judge(samples, data, measure, fitted=None, scale=None):
    """{(metric, reading): value} of one sampler, and its mean log-likelihood at every bandwidth [bandwidths].

    samples [n, d]; `fitted` are those of the held-out reading, if others. The reading `best` is fitted to
    the test images themselves. With `scale` s [d] pixel j has the bandwidth h s_j:
    log p(y) = log p_iso(y / s) - sum_j log s_j, p_iso the isotropic density on x_i / s.
    """
    held_out, test = data.held_out[: measure["bandwidth_images"]], data.test
    fitted, shift, grid = samples if fitted is None else fitted, 0.0, measure["bandwidths"]
    if scale is not None:
        samples, fitted, held_out, test = (points / scale for points in (samples, fitted, held_out, test))
        shift = float(scale.log().sum())
    values = kde.log_likelihoods(samples, test, grid) - shift  # [bandwidths, test images]
    curve = values.mean(1).tolist()
    bandwidths = kde.readings(fitted, held_out, grid, measure["folds"], samples[: measure["more"]])
    metrics = {"samples": len(samples)}
    for reading, bandwidth in bandwidths.items():
        deviation = float(values[grid.index(bandwidth)].std())
        metrics["standard error", reading] = deviation / math.sqrt(len(test))
        metrics["standard error", f"{reading}, 1,000 images"] = deviation / math.sqrt(1000)
    for reading, bandwidth in (bandwidths | {"best": grid[curve.index(max(curve))]}).items():
        metrics["log-likelihood", reading] = curve[grid.index(bandwidth)]
        metrics["bandwidth", reading] = bandwidth
    return metrics, curve


def centroids(images, number, rounds):
    """k-means centroids [number, d] of images [n, d]: Lloyd's rounds from random images (Theis et al. 2016)."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    fit = KMeans(number, init="random", n_init=1, max_iter=rounds, random_state=0).fit
    with threadpool_limits(1):  # several threads add up in varying order, which changes bits
        return torch.from_numpy(fit(images.numpy()).cluster_centers_)


def averages(images, number, neighbours):
    """Each of the first `number` images [n, d] averaged with its nearest, `neighbours` in all: [number, d]."""
    norms = images.square().sum(1)
    near = [(norms - 2 * x @ images.T).topk(neighbours, largest=False).indices for x in images[:number].split(512)]
    return torch.cat([images[rows].mean(1) for rows in near])


def least(data, measure):
    """The least score in nats of any sample set in [0, 1]^d, on the images that choose its bandwidth.

    No sample is further from y than its farthest corner, so with m = mean_{y,j} max(y_j, 1 - y_j)^2 the best h has
    mean log p_h >= max_h -d m / 2h^2 - d/2 log(2 pi h^2), which is -d/2 (1 + log 2 pi m) on a fine grid.
    """
    y = data.held_out[: measure["bandwidth_images"]].double()
    m = float(torch.maximum(y, 1 - y).square().mean())
    return max(-data.dimension / 2 * (m / h**2 + math.log(2 * math.pi * h**2)) for h in measure["bandwidths"])
