"""The only door to torchvision: `datasets`, also where its build does not match torch's.

A CUDA build of torchvision beside a CPU build of torch fails to import, because it describes operators that
its unloadable binary would have registered. Nothing here uses them: declare them and import again.
"""

import sys

import torch

try:
    import torchvision
except RuntimeError as error:
    if "operator torchvision::nms does not exist" not in str(error):
        raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    # The declarations live as long as this object.
    _declared = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        _declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

datasets = torchvision.datasets

__all__ = ["datasets"]
