"""A small convolutional classifier of an image set: its classes measure coverage, its features measure distances.

It is trained on one thread of the CPU with one seed, so it is the same for samples from every device.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.weak import WeakIdKeyDictionary

from fgan.engine.convolutions import Conv, Reshape
from fgan.engine.networks import Activation, Linear, Network
from fgan.files import locked, whole

FEATURES, SEED = 64, 1606
STEPS, EPOCHS, BATCH, RATE = 1500, 30, 64, 2e-3  # at most so many steps and epochs; the rate falls linearly to zero
BLOCK = 1000  # images judged at once, to bound the memory

_folder = None
_trained = {}
_content = WeakIdKeyDictionary()  # hashes of tensors by their memory: to hash MNIST takes half a second


@dataclass(frozen=True)
class Classifier:
    """A trained network (`body` leaves out its last layer), the SHA-256 of its weights, and its test accuracy."""

    body: Network
    whole: Network
    weights: torch.Tensor
    hash: str
    accuracy: float = math.nan

    def features(self, x):
        """The last hidden layer, float32 [..., 64], of images [n, d] or [runs, n, d]; nan for a non-finite image."""
        return self._outputs(self.body, x)

    def classes(self, x):
        """The most probable class of each image, int64 [n] or [runs, n]; -1 for an image that is not finite."""
        logits = self._outputs(self.whole, x)
        return logits.argmax(-1).where(logits.isfinite().all(-1), -1)

    @torch.no_grad()
    def _outputs(self, network, x):
        views = network.views(self.weights.to(x.device))

        def judged(images):
            # A fresh copy, because bits can depend on how memory is aligned, and nan, because ReLU can hide infinity.
            fresh = images.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
            return network(views, fresh[None])[0].where(fresh.isfinite().all(1, keepdim=True), math.nan)

        # Run by run in blocks of one size: no run's bits depend on another.
        runs = x.reshape(-1, *x.shape[-2:])
        return torch.stack([torch.cat([judged(b) for b in run.split(BLOCK)]) for run in runs]).view(*x.shape[:-1], -1)


def classifier(images) -> Classifier:
    """The classifier of an image set, trained once (seconds) and kept in this process, and in the folder of `keep_in`.

    Raises ValueError for a set without labels.
    """
    if not images.labels:
        raise ValueError(f"The image set '{images.name}' has no labels, and a classifier needs them: choose another.")
    contents = [content(part) for part in (images.train, images.test, images.labels[0], images.labels[2])]
    key = hashlib.sha256(repr([tuple(images.shape), contents]).encode()).hexdigest()
    if key not in _trained:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums over a batch depend on the number of threads
        try:
            _trained[key] = read(images.to("cpu"), key)
        finally:
            torch.set_num_threads(threads)
    return _trained[key]


def keep_in(folder):
    """Keeps classifiers in a folder, so that one process trains and all others read; the folder stands for the code."""
    global _folder
    _folder = folder


def read(images, key) -> Classifier:
    """The classifier with this key from the folder, trained and written there by the first process that asks."""
    generator = torch.Generator().manual_seed(SEED)
    if _folder is None:
        return train(images, generator)
    path = Path(_folder, f"{key}.pt")
    with locked(path.with_suffix(".lock"), f"{path.name}: another process trains this classifier; waiting for it"):
        kept = trained(path)
        if kept is None:
            judge = train(images, generator)
            kept = {"weights": judge.weights, "accuracy": judge.accuracy}
            with whole(path) as partial:
                torch.save(kept | {"sum": checksum(kept)}, partial)
    return Classifier(*networks(images), hash=_sha256(kept["weights"]), **kept)


def trained(path):
    """{weights, accuracy} that a file holds; None without a file, or if it is damaged."""
    try:
        kept = torch.load(path, weights_only=True)
        return kept if kept.pop("sum") == checksum(kept) else None
    except Exception:  # a damaged file can raise any error; it is made again
        return None


def checksum(kept):
    """SHA-256 of the weights and the accuracy."""
    return _sha256(kept["weights"], torch.tensor(kept["accuracy"], dtype=torch.float64))


def content(tensor):
    """SHA-256 of a tensor's values, computed once for the memory in which they lie."""
    owner = tensor if tensor._base is None else tensor._base
    place = tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor._version
    known = _content.setdefault(owner, {})
    if place not in known:
        known[place] = _sha256(tensor.cpu())
    return known[place]


def networks(images):
    """(the classifier without its last layer, the whole classifier) for images of this shape and these classes."""
    channels, height, width = (1, *images.shape)[-3:]
    inner, relu = 32 * -(-height // 4) * -(-width // 4), Activation("relu")
    # sqrt(2 / inputs) preserves the scale of a signal through ReLU (He et al. 2015).
    convs = [Conv(i, o, 5, 2, 2, init=math.sqrt(2 / (25 * i))) for i, o in ((channels, 16), (16, 32))]
    dense = Linear(inner, FEATURES, math.sqrt(2 / inner))
    body = Network(Reshape(channels, height, width), convs[0], relu, convs[1], relu, Reshape(-1), dense, relu)
    return body, Network(*body.layers, Linear(FEATURES, int(images.labels[0].max()) + 1))


@torch.enable_grad()
def train(images, generator) -> Classifier:
    """Minimises the cross-entropy of the training labels by Adam, on batches drawn with replacement."""
    body, network = networks(images)
    weights = network.start(generator)[None].requires_grad_()
    optimiser = torch.optim.Adam([weights], RATE)
    steps = min(STEPS, EPOCHS * len(images.train) // BATCH)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / steps)
        at = images.draw((BATCH,), generator)
        loss = F.cross_entropy(network(network.views(weights), images(at)[None])[0], images.labels[0][at])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    judge = Classifier(body, network, weights.detach(), _sha256(weights.detach()))
    return replace(judge, accuracy=(judge.classes(images.test) == images.labels[2]).double().mean().item())


def _sha256(*tensors):
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()
