"""Sharpness of images: what is left of fine detail. Noise counts as detail too, so read it beside a distance.

Images are [runs, n, d] with their shape (h, w) or (channels, h, w); each function returns one value for each run.
"""

import torch


def laplacian(images, shape):
    """Variance of the discrete Laplacian within an image, mean over images [runs], (units of the pixels)^2.

    L = sum of the four neighbours - 4 x the pixel, at inner pixels. Source: Pech-Pacheco et al. 2000.
    """
    x = images.double().unflatten(-1, shape)
    inner = x[..., 1:-1, 1:-1]
    neighbours = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return (neighbours - 4 * inner).flatten(2).var(-1).mean(-1)


def high_frequency(images, shape, radius):
    """Share of the spectral energy above `radius` cycles per pixel (at most 1/2 along an axis), the mean left out.

    sum of |FFT|^2 beyond the radius over the sum of all, both over all images of a run; nan for flat images.
    """
    x = images.double().unflatten(-1, shape)
    energy = torch.fft.fft2(x - x.mean((-2, -1), keepdim=True)).abs().square()
    frequencies = [torch.fft.fftfreq(side, device=x.device, dtype=x.dtype) for side in shape[-2:]]
    beyond = frequencies[0][:, None].hypot(frequencies[1]) > radius
    return (energy * beyond).flatten(1).sum(1) / energy.flatten(1).sum(1)
