"""The only import of torchvision: `datasets`, even if its build does not match torch's, and LSUN's classrooms.

A CUDA build of torchvision beside a CPU build of torch fails to import, because it describes operators that
its unloadable binary would have registered. Nothing here uses them: declare them and import again.
"""

import contextlib
import sys
import tempfile
import warnings

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

__all__ = ["classrooms", "datasets"]


@contextlib.contextmanager
def classrooms(folder, side):
    """LSUN's training classrooms in folder/classroom_train_lmdb, PIL images with the shorter side scaled to `side` and
    the middle cut out: a data set of (image [side, side], class)."""
    cut = torchvision.transforms
    cut = cut.Compose([cut.Resize(side), cut.CenterCrop(side)])
    # LSUN writes a list of keys to the current folder, under a name that two data folders can share, and keeps it open.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        rooms = datasets.LSUN(folder, classes=["classroom_train"], transform=cut)
    with contextlib.closing(rooms.dbs[0].env):
        yield rooms
