"""Feature metrics: known values, torchmetrics, samplers without training, and a run's independence of its stack."""

import math

import pytest
import torch

import fgan.targets.vision  # noqa: F401, the guard that torchmetrics' import of torchvision can need
from fgan.metrics import features

# isort: split
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

STACKED = [features.frechet, features.kernel_distance, lambda *x: torch.stack(features.precision_recall(*x), 1)]


def points(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Identity(torch.nn.Module):
    def __init__(self, num_features):
        super().__init__()
        self.num_features = num_features

    def forward(self, x):
        return x


def with_torchmetrics(metric, x, y):
    metric.set_dtype(torch.float64)
    metric.update(y, real=True)
    metric.update(x, real=False)
    return metric.compute()


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save:UserWarning")
@pytest.mark.parametrize("n, m, k", [(200, 300, 5), (50, 40, 64)])  # the second: singular covariances
def test_agrees_with_torchmetrics(n, m, k):
    x, y = 1.3 * points(n, k) + 0.2, points(m, k, seed=1)
    theirs = with_torchmetrics(FrechetInceptionDistance(feature=Identity(k)), x, y)
    assert features.frechet(x[None], y).item() == pytest.approx(theirs.item(), abs=1e-4 if n < k else 1e-9)
    x, y = x[:m], y[:n]  # their subsets, of equal size, are everything
    subsets = {"subsets": 1, "subset_size": min(n, m)}
    theirs, _ = with_torchmetrics(KernelInceptionDistance(feature=Identity(k), **subsets), x, y)
    assert features.kernel_distance(x[None], y).item() == pytest.approx(theirs.item(), rel=1e-10)


def test_frechet_of_known_moments():
    y = points(5000, 3)
    y = (y - y.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(y.mT.cov())).mT  # exactly standard moments
    assert features.frechet(y[None], y).item() == pytest.approx(0, abs=1e-12)
    shift, scale = torch.tensor([1.0, 2.0, -2.0]).double(), torch.tensor([3.0, 1.0, 0.5]).double()
    found = features.frechet(torch.stack([y + shift, y * scale, y * scale + shift]), y)
    assert found.tolist() == pytest.approx([9, 2**2 + 0.5**2, 13.25], rel=1e-12)  # |shift|^2 and sum (s - 1)^2


def test_frechet_where_covariances_do_not_commute():
    from scipy.linalg import sqrtm

    x, y = points(99, 4) @ points(4, 4, seed=1), points(88, 4, seed=2) @ points(4, 4, seed=3)
    first, second = x.mT.cov().numpy(), y.mT.cov().numpy()
    expected = (x.mean(0) - y.mean(0)).square().sum().item() + (first + second - 2 * sqrtm(first @ second).real).trace()
    assert features.frechet(x[None], y).item() == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_is_unbiased_and_can_be_negative():
    found = features.kernel_distance(points(400, 30, 4), points(200, 4, seed=1))
    same = torch.cat(
        [features.kernel_distance(points(1, 30, 4, seed=s), points(40, 4, seed=-s)) for s in range(1, 400)]
    )
    assert (same < 0).any() and (same > 0).any() and (found < 0).any()
    assert same.mean().abs() < 3 * same.std() / len(same) ** 0.5
    assert (features.kernel_distance(points(5, 200, 4) + 1, points(200, 4, seed=1)) > 0.5).all()


def test_kernel_distance_of_a_hand_made_case():
    x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[2.0], [1.0], [0.0]])
    # (xy + 1)^3: within x 1; within y 27, 1, 1; across 1, 1, 1, 27, 8, 1
    assert features.kernel_distance(x, y).item() == pytest.approx(1 + 29 / 3 - 2 * 39 / 6, rel=1e-12)


def test_precision_recall_of_a_hand_made_case():
    y = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # radii to the nearest neighbour 1, 1, 2, 4
    x = torch.tensor([[[-1.0], [-1.5], [11.5], [12.5]]])  # radii .5, .5, 1, 1
    precision, recall = features.precision_recall(x, y, neighbours=1)
    assert precision.tolist() == [0.25] and recall.tolist() == [0.0]
    precision, recall = features.precision_recall(y[None], x[0], neighbours=1)
    assert precision.tolist() == [0.0] and recall.tolist() == [0.25]


def test_precision_recall_against_all_pairs(monkeypatch):
    monkeypatch.setattr(features, "BLOCK", 700)  # blocks that do not divide the samples
    x, y = 0.7 * points(3, 150, 6) + 3, points(120, 6, seed=1) + 3
    precision, recall = features.precision_recall(x, y, neighbours=5)
    for run, found in zip(x, zip(precision.tolist(), recall.tolist(), strict=True), strict=True):
        reach, own = (torch.cdist(z, z).sort(1).values[:, 5] for z in (y, run))
        across = torch.cdist(run, y)
        expected = (across <= reach).any(1).double().mean(), (across <= own[:, None]).any(0).double().mean()
        assert found == pytest.approx([value.item() for value in expected], abs=1e-12) and 0 < min(found) < 1


def test_one_mode_is_precise_without_recall_and_noise_the_reverse():
    y = torch.cat([points(100, 8) * 0.1 + 3 * i for i in range(5)])
    one, everywhere = y[:100].repeat(5, 1) + 0.01 * points(500, 8, seed=1), 40 * points(500, 8, seed=2)
    found = features.precision_recall(torch.stack([y, one, everywhere]), y)
    (precise, one_precise, wild_precise), (recalled, one_recalled, wild_recalled) = (v.tolist() for v in found)
    assert precise == recalled == 1
    assert one_precise > 0.95 and one_recalled <= 0.2
    assert wild_precise < 0.05 and wild_recalled > 0.9


def test_equal_points_have_distance_zero():
    """Copies of a few real points lie in each other's balls of radius zero, whatever the rounding."""
    y = points(60, 64, seed=1) + 5
    precision, recall = features.precision_recall(y[:6].repeat(10, 1)[None], y)
    assert precision.item() == 1 and recall.item() == pytest.approx(0.1)


def test_class_divergence():
    labels = torch.tensor([0, 0, 1, 2])
    classes = torch.tensor([[0, 1, 2, 0], [0, 0, 0, 0], [0, 1, 1, 2], [0, 1, 2, 3], [0, 1, 2, -1], [0, 1, 2, 4]])
    found = features.class_divergence(classes, labels, number=4)
    assert found.dtype == torch.float64 and found[0] == 0 and found[3] == math.inf and found[4:].isnan().all()
    assert found[1:3].tolist() == pytest.approx([math.log(2), 0.25 * math.log(0.5) + 0.5 * math.log(2)], rel=1e-12)


@pytest.mark.parametrize("measure", STACKED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n, k", [(64, 16), (77, 13)])
def test_a_run_does_not_depend_on_its_neighbours(measure, dtype, n, k):
    stack, y = points(5, n, k, dtype=dtype), points(91, k, seed=1, dtype=dtype)
    alone = torch.cat([measure(run[None].clone(), y) for run in stack])
    assert torch.equal(measure(stack, y), alone) and alone.dtype == torch.float64
    assert torch.equal(measure(stack[1:4], y), alone[1:4])
    assert torch.equal(measure(stack.transpose(0, 1).contiguous().transpose(0, 1), y), alone)
    for wrong in (math.nan, math.inf, -math.inf):
        ill = stack.clone()
        ill[2, 7, 3] = wrong
        found = measure(ill, y)
        assert found[2].isnan().all() and torch.equal(found[[0, 1, 3, 4]], alone[[0, 1, 3, 4]])


def test_classes_of_a_run_do_not_depend_on_its_neighbours():
    classes, labels = points(7, 101).mul(2).long().abs(), points(99, seed=1).mul(2).long().abs()
    alone = torch.cat([features.class_divergence(run[None], labels) for run in classes])
    assert torch.equal(features.class_divergence(classes, labels), alone)


@pytest.mark.parametrize("measure", STACKED)
@pytest.mark.parametrize("shapes", [((2, 9, 3), (9, 4)), ((9, 3), (9, 3)), ((2, 1, 3), (9, 3)), ((2, 9, 3), (1, 3))])
def test_inputs_that_do_not_match_are_named(measure, shapes):
    with pytest.raises(ValueError, match="need one k"):
        measure(*map(torch.zeros, shapes))
    with pytest.raises(ValueError, match="not finite"):
        measure(torch.zeros(1, 9, 3), torch.full((9, 3), math.nan))
