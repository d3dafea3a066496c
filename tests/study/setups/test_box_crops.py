"""Things cut out of pictures: a square around each box, inside the picture."""

import pytest
import torch

from neuropil.datasets import DataError, Dataset, make_digit_scenes
from neuropil.layers import Input, Softmax
from neuropil.runs.recipes.recipe import Recipe
from neuropil.study.setups.box_crops import box_crops
from neuropil.study.setups.setup import Setup
from neuropil.study.setups.training_data import training_data

RECIPE = Recipe(Input(1) >> Softmax(2), "adamw", 1e-3, 0.0, None, 1, 8)
ROWS = torch.arange(20.0)[:, None].expand(20, 30)


def crop_of(*box, size=(12, 12)):
    """Return what is cut out of a picture whose values are the numbers of its rows."""
    data = Dataset(torch.stack([ROWS, ROWS.flip(0)])[None], torch.tensor([[[*box]]]))
    return box_crops(data, size).inputs[0]


def test_a_square_with_surroundings():
    """12 = 1.2 · 10 rows about the row 10."""
    wide = crop_of(10.0, 8.0, 20.0, 12.0, 0)
    assert torch.equal(wide[0], torch.arange(4.0, 16.0)[:, None].expand(12, 12))
    assert torch.equal(wide[1], 19 - wide[0])


def test_a_square_at_a_border_is_moved_inside():
    top = crop_of(0.0, 0.0, 10.0, 4.0, 0)
    assert top[0, :, 0].tolist() == [*range(12)]
    bottom = crop_of(20.0, 16.0, 30.0, 20.0, 0)
    assert bottom[0, :, 0].tolist() == [*range(8, 20)]


def test_a_box_larger_than_the_picture_allows():
    assert crop_of(0.0, 0.0, 30.0, 20.0, 0, size=(20, 30))[0].equal(ROWS)


def test_boxes_that_do_not_count_are_left_out():
    boxes = torch.tensor([[[2.0, 2, 8, 8, 1], [3, 3, 9, 9, -4], [-1, -1, -1, -1, -1]]])
    crops = box_crops(Dataset(ROWS[None, None], boxes), (4, 4))
    assert crops.targets.tolist() == [1]
    with pytest.raises(DataError, match="no boxes whose things"):
        box_crops(Dataset(ROWS[None, None], boxes[:, 1:]), (4, 4))


def test_the_examples_of_scenes():
    scenes = make_digit_scenes(90, size=48, digits=2, scale=(2, 3))
    setup = Setup(RECIPE, fraction=0.5, size=(16, 16), crops=True)
    crops = training_data(scenes, setup, seed=0)
    assert len(crops.train) == 2 * round(0.5 * len(scenes.train))
    assert crops.target.kind == "classes"
    assert crops.target.classes == scenes.target.classes
    assert crops.input_shape == crops.train.input_shape == (1, 16, 16)
    assert crops.train.inputs.dtype == torch.uint8
    assert (crops.validation, crops.test) == (None, None)
    # A digit fills most of its square: there is ink in each.
    assert (crops.train.inputs.flatten(1).max(1).values > 100).all()


def test_crops_need_a_size():
    with pytest.raises(ValueError, match="Setup: crops need a size"):
        Setup(RECIPE, crops=True)
