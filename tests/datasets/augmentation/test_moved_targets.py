"""Targets that have a place move along with their pictures, by every geometric step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded
from torch import Tensor

from neuropil.datasets import augmentation
from neuropil.datasets.augmentation import (
    Augmentation,
    ColorJitter,
    Compose,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomShift,
    RandomZoom,
)
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.warping import warp_mask

STEPS: tuple[GeometricStep, ...] = (
    RandomAffine(20, scale=(0.7, 1.5), shift=0.1),
    RandomCrop((20, 26)),
    RandomCrop((40, 45)),
    RandomFlip(),
    RandomFlip(axis=-2),
    RandomResizedCrop(scale=(0.4, 1.0)),
    RandomResizedCrop((33, 21), scale=(0.4, 1.0)),
    RandomRotation(50),
    RandomShift(4),
    RandomZoom((0.7, 1.5), ratio=(0.8, 1.25)),
)
CHAINS = st.lists(st.sampled_from(STEPS), min_size=2, max_size=4).map(lambda s: Compose(*s))
ANY = st.one_of(st.sampled_from(STEPS), CHAINS)
SEEDS = st.integers(0, 1000)


def move_points(points: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """The `Target.move` of points ``(N, P, 2)``, x before y."""
    matrix = matrix.to(points.dtype)
    return points @ matrix[:, :, :2].mT + matrix[:, None, :, 2]


class Matrices:
    """A `Target.move` that keeps what it was called with."""

    def __call__(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        self.matrix, self.size = matrix, size
        return targets


def centres(height: int, width: int) -> Tensor:
    """Return x and y of the centre of each pixel, ``(2, H, W)``."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y]).double()


def test_every_geometric_step_is_here():
    public = {getattr(augmentation, name) for name in augmentation.__all__}
    steps = {
        each for each in public if isinstance(each, type) and issubclass(each, GeometricStep)
    }
    assert steps == {type(step) for step in STEPS}


@settings(deadline=None, max_examples=150, derandomize=True)
@given(ANY, SEEDS)
def test_a_moved_pixel_is_where_the_matrix_says(step, seed):
    # Bilinear interpolation gives ramps exactly, so each new pixel tells its old place.
    pictures = centres(30, 34).repeat(4, 1, 1, 1)
    kept = Matrices()
    moved, _ = step.bind(kept)(pictures, torch.zeros(4), seeded(seed))
    assert moved.shape[2:] == kept.size
    places = move_points(moved.flatten(2).mT, kept.matrix.double(), kept.size)
    there = centres(*kept.size).flatten(1).T
    old = moved.flatten(2).mT
    inside = ((old > 1) & (old < torch.tensor([33, 29]))).all(2)
    # Beyond the picture the ramps are blended with the fill, hence the check of a border.
    back = torch.linalg.inv(kept.matrix[:, :, :2].double())
    true = (there - kept.matrix[:, None, :, 2].double()) @ back.mT
    inside &= ((true > 1) & (true < torch.tensor([33, 29]))).all(2)
    assert inside.any()
    assert (places - there)[inside].abs().max() < 1e-3


@settings(deadline=None, max_examples=150, derandomize=True)
@given(ANY, SEEDS)
def test_a_moved_point_lies_on_the_moved_spot(step, seed):
    points = torch.rand(8, 1, 2, generator=seeded(seed), dtype=torch.float64) * 20 + 5
    ahead = centres(30, 34) - points[:, 0, :, None, None]
    spots = torch.exp(-(ahead**2).sum(1, keepdim=True) / 6)
    moved, places = step.bind(move_points)(spots, points, seeded(seed))
    height, width = moved.shape[2:]
    there = centres(height, width)
    for spot, (x, y) in zip(moved[:, 0], places[:, 0].tolist(), strict=True):
        if not (8 < x < width - 8 and 8 < y < height - 8) or spot.max() < 0.5:
            continue  # it is cut off
        near = (there - torch.tensor([x, y])[:, None, None]).abs().amax(0) < 8
        weights = torch.where(near, spot, 0)
        centre = (weights * there).sum((1, 2)) / weights.sum()
        assert (centre - torch.tensor([x, y])).abs().max() < 0.5


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(st.sampled_from([s for s in STEPS if s.whole]), min_size=1, max_size=4), SEEDS)
def test_whole_steps_put_a_pixel_at_its_point_exactly(steps, seed):
    picture = torch.arange(1, 12 * 9 + 1, dtype=torch.int32).reshape(1, 1, 12, 9)
    points = centres(12, 9).flatten(1).T[None].float()
    moved, places = Compose(*steps).bind(move_points)(picture, points, seeded(seed))
    height, width = moved.shape[2:]
    for value, (x, y) in enumerate(places[0].tolist(), 1):
        assert x % 1 == y % 1 == 0.5
        if 0 < x < width and 0 < y < height:
            assert moved[0, 0, int(y), int(x)] == value
    assert (moved != 0).sum() == ((places > 0) & (places < torch.tensor([width, height]))).all(
        2
    ).sum()


@settings(deadline=None, max_examples=60, derandomize=True)
@given(ANY, SEEDS)
def test_a_mask_moves_as_its_picture(step, seed):
    mask = torch.zeros(6, 30, 34)
    mask[:, 5:22, 8:30] = 1
    (moved, moved_mask), _ = step((mask[:, None], mask), torch.zeros(6), seeded(seed))
    assert set(moved_mask.unique().tolist()) <= {0, 1}
    # Where the interpolated picture is not at its border, both are the same.
    sure = (moved[:, 0] < 0.01) | (moved[:, 0] > 0.99)
    assert torch.equal(moved_mask[sure], moved[:, 0][sure].round())


def test_a_mask_may_hold_class_numbers_and_has_its_own_fill():
    classes = torch.tensor([[[0, 1, 2], [3, 4, 255]]], dtype=torch.uint8)
    matrix = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    moved = warp_mask(classes, matrix, (2, 6), fill=9)
    assert moved.dtype == torch.uint8
    assert moved.tolist() == [[[9, 0, 0, 1, 1, 2], [9, 3, 3, 4, 4, 255]]]


def test_a_chain_moves_targets_once_for_neighbours_and_by_every_step():
    pictures, points = torch.rand(5, 3, 16, 16), torch.rand(5, 4, 2) * 16
    chain = Compose(RandomShift(2), RandomErasing(), ColorJitter(0.2), RandomFlip(1.0))
    bound = chain.bind(move_points)
    assert repr(bound) == repr(chain)
    _, places = bound(pictures, points, seeded(3))
    assert torch.equal(chain(pictures, points, seeded(3))[1], points)
    shift = 16 - places[:, :, 0] - points[:, :, 0]
    torch.testing.assert_close(shift, shift.round(), atol=1e-4, rtol=0)
    assert (shift.round().abs() <= 2).all()
    inner = Compose(RandomErasing(), Compose(RandomFlip(1.0).bind(move_points)))
    torch.testing.assert_close(
        inner(pictures, points, seeded())[1][:, :, 0], 16 - points[:, :, 0]
    )


@pytest.mark.parametrize("step", [RandomErasing(1.0), ColorJitter(0.5)], ids=repr)
def test_a_step_that_moves_nothing_leaves_targets_where_they_are(step: Augmentation):
    points = torch.rand(5, 4, 2)
    bound = step.bind(move_points)
    assert bound(torch.rand(5, 3, 8, 8), points, seeded())[1] is points
