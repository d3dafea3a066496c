"""Masks as one tensor, and masks that move along with their pictures."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded

from neuropil.datasets import DataError, Masks
from neuropil.datasets.augmentation import RandomAffine, RandomCrop, RandomFlip
from neuropil.datasets.masks.mask_file import resize_mask

CELLS = Masks(["background", "cell", "wall"])


def test_masks_of_several_sizes_are_padded_with_pixels_that_count_for_nothing():
    masks = CELLS.collate([np.ones((2, 3)), np.zeros((3, 1))], "here")
    assert masks.dtype == torch.uint8
    assert masks.tolist() == [
        [[1, 1, 1], [1, 1, 1], [255, 255, 255]],
        [[0, 255, 255], [0, 255, 255], [0, 255, 255]],
    ]
    assert CELLS.count(masks) == [3, 6, 0]
    assert torch.equal(CELLS.collate(masks, "here"), masks)
    assert CELLS.crop(masks, (2, 4)).tolist()[0] == [[1, 1, 1, 255], [1, 1, 1, 255]]


@pytest.mark.parametrize(
    ("mask", "got"),
    [
        ([[0, 3]], "the value 3"),
        ([[-1]], "the value -1"),
        ([[0, 0.5]], "the value 0.5"),
        ([[float("nan")]], "the value nan"),
        ([1, 0], r"the shape \(2,\)"),
    ],
)
def test_a_mask_with_another_value_than_a_class_number_is_named(mask, got):
    with pytest.raises(DataError, match=f"here, example 1: the mask has {got}"):
        CELLS.collate([[[0]], mask], "here")


@pytest.mark.parametrize(
    ("classes", "values"), [(["a", "a"], ()), (["a", "b"], (1,)), (["a", "b"], (0, 256))]
)
def test_classes_and_values_must_be_distinct(classes, values):
    with pytest.raises(DataError, match=r"distinct classes|own value from 0 to 255"):
        Masks(classes, values)


def test_plain_data_give_it_back():
    masks = Masks(["background", "cell"], (0, 255))
    assert Masks.from_fields(masks.to_json()) == masks
    assert masks.judged == [1]
    assert Masks(["sky", "road"]).judged == [0, 1]


def test_a_set_without_foreground_is_nothing_to_learn():
    with pytest.raises(DataError, match="without any foreground"):
        Masks.fit([np.zeros((2, 2))], "here")


def test_it_says_how_much_each_class_covers():
    text = CELLS.describe(CELLS.collate([[[1, 0], [0, 0]], [[0, 0], [0, 255]]], "here"))
    assert text == (
        "2 masks: 85.7% 'background', 14.3% 'cell', 0.0% 'wall' of the pixels; 1 picture "
        "without any foreground"
    )


STEPS = st.sampled_from([RandomFlip(), RandomCrop((9, 14)), RandomAffine(30, shift=0.2)])


@settings(deadline=None, max_examples=40, derandomize=True)
@given(STEPS, st.integers(0, 1000))
def test_a_moved_mask_shows_what_its_moved_picture_shows(step, seed):
    masks = torch.randint(0, 3, (4, 12, 16), dtype=torch.uint8, generator=seeded(seed))
    large = masks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    pictures, moved = step.bind(CELLS.move)(
        torch.stack([large == 1, large == 2, large < 3], 1).float(), large, seeded(seed)
    )
    shown = torch.where(pictures[:, 2] > 0.99, pictures[:, :2].argmax(1) + 1, 255)
    shown = shown.where((pictures[:, :2].amax(1) > 0.5) | (shown == 255), 0)
    sharp = ((pictures < 0.01) | (pictures > 0.99)).all(1)
    inside = sharp & (shown != 255)
    assert torch.equal(moved[inside].long(), shown[inside].long())
    assert (moved[pictures[:, 2] < 0.01] == 255).all()


@pytest.mark.parametrize("size", [(6, 8), (24, 32), (5, 7), (12, 16)])
def test_a_resized_mask_is_the_moved_one(size):
    mask = torch.randint(0, 3, (1, 12, 16), dtype=torch.uint8, generator=seeded(0))
    down, right = size[0] / 12, size[1] / 16
    moved = CELLS.move(mask, torch.tensor([[[right, 0.0, 0], [0, down, 0]]]), size)
    assert np.array_equal(resize_mask(mask[0].numpy(), size), moved[0].numpy())
