"""Boxes move with what they surround: a bright rectangle, by every step that moves pixels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded
from torch import Tensor

from neuropil.datasets import Boxes, DataError
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    CutMix,
    Mixup,
    Mosaic,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomShift,
    RandomZoom,
)

SIZE = (48, 64)
TARGET = Boxes(["0", "1", "2", "3"])
UPRIGHT = (
    RandomAffine(scale=(0.6, 1.6), shift=0.2),
    RandomCrop((30, 40)),
    RandomCrop((60, 70)),
    RandomFlip(),
    RandomFlip(axis=-2),
    RandomResizedCrop(scale=(0.3, 1.0)),
    RandomResizedCrop((40, 40), scale=(0.3, 1.0)),
    RandomShift(9),
    RandomZoom((0.5, 2.0), ratio=(0.7, 1.4)),
)
TURNED = (RandomRotation(180), RandomAffine(30, scale=(0.7, 1.5), shift=0.1))
SEEDS = st.integers(0, 10_000)


def rectangles(seed: int, count: int = 6) -> tuple[Tensor, Tensor]:
    """Return pictures with one bright rectangle each, and its box."""
    generator = seeded(seed)
    height, width = SIZE
    side = torch.randint(8, 30, (count, 2), generator=generator)
    limit = torch.tensor([width, height]) - side
    corner = (torch.rand(count, 2, generator=generator) * (limit + 1)).long()
    boxes = torch.cat([corner, corner + side, torch.zeros(count, 1)], dim=1)[:, None]
    return paint(boxes, SIZE)[:, None].to(torch.uint8) * 255, boxes


def paint(boxes: Tensor, size: tuple[int, int], grow: float = 0.0) -> Tensor:
    """Return ``(N, H, W)``: whether the centre of a pixel is in a box, with a margin."""
    y, x = (torch.arange(side) + 0.5 for side in size)
    x1, y1, x2, y2 = (boxes[..., k, None] for k in range(4))
    across = (x > x1 - grow) & (x < x2 + grow)
    along = (y > y1 - grow) & (y < y2 + grow)
    inside = along[..., :, None] & across[..., None, :]
    return (inside & (boxes[..., 4] != -1)[..., None, None]).any(dim=1)


def extents(bright: Tensor) -> Tensor:
    """Return the box around the bright pixels of a picture."""
    rows, columns = (bright.any(dim=k).nonzero().flatten() for k in (1, 0))
    return torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()


@settings(max_examples=60)
@given(st.sampled_from(UPRIGHT), SEEDS)
def test_a_box_is_the_moved_rectangle(step, seed):
    pictures, boxes = rectangles(seed)
    moved, found = step.bind(TARGET.move)(pictures, boxes, seeded(seed))
    assert found.shape == boxes.shape
    for picture, box in zip(moved[:, 0] > 127, found[:, 0], strict=True):
        if box[4] == 0:
            assert (extents(picture) - box[:4]).abs().max() < 0.6
        else:  # hardly anything of it is in the picture
            assert box.tolist() == [-1] * 5
            assert picture.sum() < 0.25 * 30 * 30 * 4


@settings(max_examples=60)
@given(st.lists(st.sampled_from(UPRIGHT), min_size=2, max_size=4), SEEDS)
def test_a_box_is_the_moved_rectangle_after_a_chain(steps, seed):
    """Neighbouring matrices are joined, so a box that leaves the picture may come back."""
    pictures, boxes = rectangles(seed)
    chain = Compose(*steps, ColorJitter(0.1)).bind(TARGET.move)
    moved, found = chain(pictures, boxes, seeded(seed))
    for picture, box in zip(moved[:, 0] > 110, found[:, 0], strict=True):
        if box[4] == 0:
            assert (extents(picture) - box[:4]).abs().max() < 0.7


@settings(max_examples=60)
@given(st.sampled_from(TURNED), SEEDS)
def test_a_box_surrounds_a_turned_rectangle(step, seed):
    pictures, boxes = rectangles(seed)
    moved, found = step.bind(TARGET.move)(pictures, boxes, seeded(seed))
    limit = torch.tensor([0, 0, SIZE[1], SIZE[0]])
    for picture, box in zip(moved[:, 0] > 127, found[:, 0], strict=True):
        if box[4] == 0 and picture.any():
            ahead = (extents(picture) - box[:4]) * torch.tensor([1, 1, -1, -1])
            assert ahead.min() > -0.6
            if (box[:4] != limit).all():  # of one that is cut off, a corner may be missing
                assert ahead.max() < 2


@settings(max_examples=40)
@given(SEEDS, st.booleans())
def test_a_mosaic_joins_the_boxes_of_its_pictures(seed, whole):
    """Each picture has a channel of its own, and its number as the class of its box."""
    pictures, boxes = rectangles(seed, 4)
    boxes[:, 0, 4] = torch.arange(4)
    pictures = pictures * torch.eye(4, dtype=torch.uint8)[:, :, None, None]
    mosaic = Mosaic(scale=(0.5, 1.3)).bind(TARGET.move)
    inputs = pictures if whole else pictures.float()
    moved, found = mosaic(inputs, boxes, seeded(seed))
    assert moved.dtype == inputs.dtype
    assert found.shape == (4, 4, 5)
    for number in range(4):
        bright = moved[:, number] > 127
        own = torch.where((found[..., 4] == number)[..., None], found, -1.0)
        assert bool((bright | ~paint(own, SIZE, grow=-0.51)).all())
        # Of a rectangle that has no box, less than a fifth is in its field.
        rest = bright & ~paint(own, SIZE, grow=0.51)
        area = (boxes[number, 0, 2:4] - boxes[number, 0, :2]).prod() * 1.3**2
        assert (rest.sum((1, 2)) <= 4 * 0.25 * area).all()


def test_a_mosaic_shows_its_own_picture_in_the_first_field_and_all_four_fields():
    pictures = torch.arange(1, 9, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 40, 40)
    boxes = torch.tensor([[[0.0, 0, 40, 40, 0]]]).repeat(8, 1, 1)
    mosaic = Mosaic(scale=(1.0, 1.0)).bind(TARGET.move)
    moved, found = mosaic(pictures, boxes, seeded(3))
    assert torch.equal(moved[:, 0, 0, 0], pictures[:, 0, 0, 0])
    corners = moved[:, 0][:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert all(sorted(column) == list(range(1, 9)) for column in corners.T.tolist())
    # The boxes are the fields, which meet in one point for the batch. One field is too small.
    x, y = found[0, 0, 2:4].tolist()
    assert 10 <= x <= 30
    assert 10 <= y <= 30
    upper, lower = [[0, 0, x, y, 0], [x, 0, 40, y, 0]], [[-1] * 5, [x, y, 40, 40, 0]]
    assert found.tolist() == [upper + lower] * 8


def test_a_mosaic_changes_as_many_pictures_as_it_says():
    pictures, boxes = rectangles(0, 200)
    moved, found = Mosaic(0.3, scale=(0.4, 0.5)).bind(TARGET.move)(pictures, boxes, seeded())
    same = (moved == pictures).flatten(1).all(1)
    assert 0.6 < same.double().mean() < 0.8
    assert torch.equal(found[same][:, :1], boxes[same])
    assert (found[same][:, 1:] == -1).all()
    assert ((found[~same][..., 4] == 0).sum(1) > 1).double().mean() > 0.9


def test_a_mosaic_of_no_picture_has_as_many_rows():
    pictures, boxes = rectangles(0)
    moved, found = Mosaic(0.0).bind(TARGET.move)(pictures, boxes, seeded())
    assert torch.equal(moved, pictures)
    assert torch.equal(found[:, :1], boxes)
    assert found[:, 1:].tolist() == [[[-1] * 5] * 3] * 6


def test_a_mosaic_moves_masks_along():
    pictures, boxes = rectangles(0, 6)
    mask = torch.zeros(6, *SIZE, dtype=torch.uint8)
    mask[:3, :30], mask[3:, :, :40] = 1, 1
    (moved, shown), _ = Mosaic(0.7).bind(TARGET.move)((pictures, mask), boxes, seeded(1))
    alone, _ = Mosaic(0.7).bind(TARGET.move)(pictures, boxes, seeded(1))
    both, _ = Mosaic(0.7).bind(TARGET.move)(mask[:, None] * 255, boxes, seeded(1))
    assert torch.equal(moved, alone)
    sure = (both < 5) | (both > 250)
    assert torch.equal(shown[:, None][sure] * 255, both[sure].round() // 250 * 255)


@pytest.mark.parametrize(
    ("augment", "targets", "said"),
    [
        (Mosaic(), torch.zeros(2, 1, 5), r"needs targets \(N, M, 5\) and `bind"),
        (Mosaic().bind(TARGET.move), torch.zeros(2), r"got targets of shape \(2,\)"),
        (Mosaic().bind(TARGET.move), torch.zeros(2, 4, 3), r"got targets of shape \(2, 4, 3\)"),
        (Mixup(), torch.zeros(2, 1, 5), "leave it out"),
        (CutMix(), torch.zeros(2, 1, 5), "leave it out"),
    ],
    ids=repr,
)
def test_what_has_no_meaning_for_these_targets_is_refused(augment, targets, said):
    with pytest.raises(DataError, match=f"{type(augment).__name__}.*{said}"):
        augment(torch.zeros(2, 3, 8, 8), targets, seeded())


def test_a_mosaic_of_too_small_pictures_is_refused():
    with pytest.raises(DataError, match=r"at least 2 × 2 pixels, got \(1, 8\)"):
        Mosaic().bind(TARGET.move)(torch.zeros(2, 3, 1, 8), torch.zeros(2, 1, 5), seeded())


def test_erasing_leaves_boxes_alone():
    """A thing that is partly hidden is still there."""
    pictures, boxes = rectangles(0)
    erased, found = RandomErasing(1.0).bind(TARGET.move)(pictures, boxes, seeded())
    assert not torch.equal(erased, pictures)
    assert torch.equal(found, boxes)


def test_a_zoom_shows_as_much_as_it_can():
    ones = torch.ones(200, 1, 30, 40)
    zoomed, _ = RandomZoom((0.5, 1.0))(ones, torch.zeros(200), seeded())
    # Nothing of a shrunken picture is cut off, so its area is that of the scale.
    share = zoomed.mean((1, 2, 3))
    assert 0.24 < share.min() < 0.3
    assert 0.95 < share.max() <= 1
    covered, _ = RandomZoom((1.0, 2.0), fill=9.0)(ones, torch.zeros(200), seeded())
    assert torch.allclose(covered, ones)
