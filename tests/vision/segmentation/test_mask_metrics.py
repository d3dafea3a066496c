"""Dice and IoU of masks against scikit-learn's F1 and Jaccard index."""

import math

import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score
from torch import Tensor

from neuropil.vision import mask_dice, mask_iou
from neuropil.vision.segmentation.mask_metrics import (
    figure,
    overlaps,
    picture_dice,
    picture_overlaps,
    picture_values,
)


def drawn(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return masks of four classes and targets that agree in most pixels."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, 4, (5, 8, 6), generator=generator, dtype=torch.uint8)
    other = torch.randint(0, 4, targets.shape, generator=generator, dtype=torch.uint8)
    masks = targets.where(torch.rand(targets.shape, generator=generator) < 0.7, other)
    targets[torch.rand(targets.shape, generator=generator) < 0.1] = 255
    return masks, targets


@pytest.mark.parametrize("classes", [(1,), (1, 2, 3), (0, 1, 2, 3)])
def test_figures_are_those_of_scikit_learn(classes):
    masks, targets = drawn()
    pairs = targets[targets != 255].numpy(), masks[targets != 255].numpy()
    options = {"labels": classes, "average": "macro"}
    assert mask_dice(masks, targets, classes=classes) == pytest.approx(
        f1_score(*pairs, **options)
    )
    expected = jaccard_score(*pairs, **options)
    assert mask_iou(masks, targets, classes=classes) == pytest.approx(expected)


def test_parts_add_up_to_the_whole():
    masks, targets = drawn()
    parts = [mask_dice.gather(masks[k : k + 2], targets[k : k + 2]) for k in (0, 2, 4)]
    assert mask_dice.compute(mask_dice.merge(parts)) == mask_dice(masks, targets)


def test_dice_of_pictures_is_the_mean_over_those_that_have_the_class():
    masks, targets = drawn()
    masks[0], targets[0] = 0, 0
    own = [mask_dice(masks[k : k + 1], targets[k : k + 1]) for k in range(5)]
    assert math.isnan(own[0])
    found = figure(overlaps(masks, targets, (1,)), picture_values)
    assert found == pytest.approx(sum(own[1:]) / 4)
    each = picture_dice(picture_overlaps(masks, targets, (1,)))
    assert each[1:].tolist() == pytest.approx(own[1:])


def test_a_class_that_is_neither_there_nor_predicted_is_left_out():
    masks, targets = torch.zeros(1, 2, 2).byte(), torch.tensor([[[1, 0], [0, 255]]]).byte()
    assert mask_dice(masks, targets, classes=(0, 1, 2)) == pytest.approx((2 * 2 / 5 + 0) / 2)
    assert math.isnan(mask_dice(masks, targets, classes=(2,)))


def test_padding_of_different_sizes_changes_nothing():
    masks, targets = drawn()
    wide = torch.nn.functional.pad(masks, (0, 3, 0, 2), value=255)
    assert mask_iou(wide, targets) == mask_iou(masks, targets)
    with pytest.raises(ValueError, match=r"got \(5, 8, 6\) and \(4, 8, 6\)"):
        mask_iou(masks, targets[:4])
