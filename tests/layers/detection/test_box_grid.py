"""The last layer of a detector."""

import math
import re

import pytest
import torch

from neuropil.core import ShapeError
from neuropil.layers import BoxGrid, Input, parallel

ANCHORS = [[(4, 4), (6, 9)], [(20, 30)]]


def grid_of(classes=2):
    return BoxGrid(classes, anchors=ANCHORS, strides=[2, 4])


def test_the_sub_cells_of_the_fine_map_come_first_row_by_row_each_with_its_anchors():
    layer = grid_of(classes=1)
    fine, coarse = torch.zeros(1, 1, 4, 6), torch.zeros(1, 1, 2, 3)
    layer.build((1, 4, 6), (1, 2, 3))
    numbers = layer.numbers
    # Each weight names its output; each position of a map its place.
    layer.weight1.data = torch.arange(2.0 * numbers)[:, None]
    layer.weight2.data = 1000 * torch.arange(1.0 * numbers)[:, None]
    layer.bias1.data.zero_()
    layer.bias2.data.zero_()
    fine[0, 0, 2, 5] = 1  # the cell (1, 2), its upper right sub-cell
    coarse[0, 0, 1, 2] = 1
    output = layer(fine, coarse).reshape(2, 3, 2 * 2 * 2 + 1, numbers)
    expected = torch.zeros(2, 3, 9, numbers)
    expected[1, 2, 2] = torch.arange(1.0 * numbers)
    expected[1, 2, 3] = torch.arange(1.0 * numbers) + numbers
    expected[1, 2, 8] = 1000 * torch.arange(1.0 * numbers)
    assert torch.equal(output, expected)


def test_it_begins_with_one_object_in_a_hundred_predictors():
    layer = grid_of()
    layer.build((64, 8, 8), (64, 4, 4))
    torch.manual_seed(0)
    layer.reset_parameters()
    output = layer(torch.randn(4, 64, 8, 8), torch.randn(4, 64, 4, 4)).reshape(-1, 9, 7)
    assert output[..., 0].sigmoid().mean().item() == pytest.approx(0.01, rel=0.1)
    assert output[..., 1:].abs().max() < 1
    assert layer.bias1.tolist() == pytest.approx(2 * [-math.log(99), *[0] * 6])


def test_parameters_and_cost_are_those_of_convolutions_of_one_pixel():
    layer = grid_of()
    shapes = layer.parameter_shapes((16, 8, 8), (32, 4, 4))
    assert shapes == {
        "weight1": (14, 16),
        "bias1": (14,),
        "weight2": (7, 32),
        "bias2": (7,),
    }
    assert layer.multiply_adds((16, 8, 8), (32, 4, 4)) == 14 * 16 * 64 + 7 * 32 * 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchors": [], "strides": []}, "one list of anchors per stride, got 0 for 0"),
        ({"anchors": [[(1, 1)]], "strides": [2, 4]}, "got 1 for 2"),
        ({"anchors": [[]], "strides": [2]}, "at least one anchor"),
        ({"anchors": [[(1, 0)]], "strides": [2]}, "a side of one of anchors must be a number"),
        ({"anchors": [[5]], "strides": [2]}, "a width and a height, got 5"),
        ({"anchors": [[(1, 1)]] * 2, "strides": [4, 2]}, "must grow, .* got [4, 2]"),
        ({"anchors": [[(1, 1)]] * 2, "strides": [4, 4]}, "must grow"),
        ({"anchors": [[(1, 1)]] * 2, "strides": [2, 5]}, "must divide the next"),
    ],
)
def test_options_that_make_no_grid_are_refused(options, message):
    pattern = re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(ValueError, match=pattern):
        BoxGrid(3, **options)


def test_maps_of_different_grids_are_refused_with_what_would_help():
    with pytest.raises(ShapeError, match=r"ratio 2:1, got .* put CellPadding\(4\)"):
        parallel(Input(3, 5, 6), Input(3, 2, 3)) >> grid_of()
    with pytest.raises(ShapeError, match=r"one feature map .* for each of its 2 strides"):
        parallel(Input(3, 4, 6), Input(3)) >> grid_of()
