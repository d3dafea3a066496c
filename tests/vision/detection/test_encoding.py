"""Boxes as the target of a grid of predictors."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from neuropil.architectures import yolo
from neuropil.layers import BoxGrid, Input, Linear
from neuropil.vision import GridHead, decode_boxes, encode_boxes
from neuropil.vision.detection.assignment import assign_boxes
from neuropil.vision.detection.encoding import activate

# Sides in the proportion of 1 to 5, so that no anchor is within 4 times of another's box.
HEAD = GridHead(3, strides=(8, 16), anchors=(((10, 10),), ((50, 50), (80, 40))))
GRID = (6, 8)


def same_boxes(found, true):
    """Tell whether each box of either list is in the other, to a hundredth of a pixel."""
    found, true = found[found[:, 5] >= 0], true.to(found)
    if not len(found) or not len(true):
        return len(found) == len(true)
    apart = (found[:, None] - true[None]).abs().amax(-1)
    return bool((apart.amin(0) < 0.01).all() and (apart.amin(1) < 0.01).all())


@st.composite
def separate_boxes(draw):
    """Return boxes whose centres are at least two large cells apart."""
    places = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), unique=True))
    rows = []
    for row, column in places:
        shift_x, shift_y = draw(st.floats(0, 31)), draw(st.floats(0, 31))
        width, height = draw(st.floats(2, 120)), draw(st.floats(2, 120))
        x, y = 32 * column + shift_x / 2, 32 * row + shift_y / 2
        number = draw(st.integers(0, 2))
        rows.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2, number])
    return torch.tensor([*rows, [-1.0] * 5], dtype=torch.float64)[None]


@given(separate_boxes())
@settings(max_examples=40, deadline=None)
def test_encoded_and_decoded_boxes_are_the_same_boxes(targets):
    cells = encode_boxes(targets, HEAD, GRID)
    assert cells.shape == (1, *GRID, HEAD.predictors_per_cell * 8)
    decoded = decode_boxes(cells, HEAD)
    found = decoded[0, decoded[0, :, 5] >= 0]
    true = [[*row[:4], 1.0, row[4]] for row in targets[0].tolist() if row[4] >= 0]
    assert same_boxes(found, torch.tensor(true, dtype=torch.float64).reshape(-1, 6))
    assert (found[:, 4] == 1).all()


def test_a_box_worked_by_hand():
    # Its centre (29, 20) is in the sub-cell (2, 3) of the cell (1, 1), right of the middle and
    # on it: the sub-cell (2, 4), of the cell (1, 2), is to find it too.
    targets = torch.tensor([[[24.0, 14.0, 34.0, 26.0, 2.0]]])
    cells = encode_boxes(targets, HEAD, GRID).reshape(*GRID, 6, 8)
    expected = torch.zeros_like(cells)
    expected[1, 1, 1] = torch.tensor([1, 5 / 8, 4 / 8, 12 / 8, 10 / 8, 0, 0, 1])
    expected[1, 2, 0] = torch.tensor([1, -3 / 8, 4 / 8, 12 / 8, 10 / 8, 0, 0, 1])
    assert torch.equal(cells, expected)


def test_the_best_anchor_finds_a_box_that_is_far_from_all():
    targets = torch.tensor([[[0.0, 0.0, 128.0, 9.0, 0.0]]])
    cells = encode_boxes(targets, HEAD, GRID).reshape(*GRID, 6, 8)
    assert cells[..., 0].sum(dim=(0, 1)).tolist() == [0, 0, 0, 0, 0, 2]  # 64 is a border


def test_of_two_boxes_in_one_predictor_the_one_like_its_anchor_is_found():
    near, far = [20.0, 20.0, 28.0, 30.0, 0.0], [16.0, 17.0, 32.0, 33.0, 1.0]
    for pair in ([near, far], [far, near]):
        assigned = assign_boxes(torch.tensor([pair]), HEAD, GRID)
        assert assigned[0, 1, 1, 3] == pair.index(near)
    twice = torch.tensor([[near, near]])
    assert assign_boxes(twice, HEAD, GRID).max() == 0  # the first of equals


def test_no_box_is_no_target_and_a_predictor_without_objectness_tells_of_none():
    nothing = encode_boxes(torch.full((2, 1, 5), -1.0), HEAD, GRID)
    assert not nothing.any()
    cells = torch.rand(2, *GRID, 6, 8)
    cells[..., 0] = 0
    decoded = decode_boxes(cells.flatten(3), HEAD)
    assert decoded.shape == (2, 6 * 8 * 6, 6)
    assert torch.equal(decoded[..., 5], torch.full((2, 288), -1.0))
    assert not decoded[..., :5].any()


def test_boxes_that_count_neither_for_nor_against_are_no_target():
    targets = torch.tensor([[[24.0, 14.0, 34.0, 26.0, -2.0 - 1]]])
    assert not encode_boxes(targets, HEAD, GRID).any()
    assert (assign_boxes(targets, HEAD, GRID) == 0).sum() == 2  # but their places are known


def test_boxes_at_the_border_stay_in_the_grid():
    targets = torch.tensor([[[-4.0, -4.0, 4.0, 4.0, 0.0], [120, 90, 128, 96, 1]]])
    decoded = decode_boxes(encode_boxes(targets, HEAD, GRID), HEAD)
    expected = torch.tensor([[-4.0, -4, 4, 4, 1, 0], [120, 90, 128, 96, 1, 1]])
    assert same_boxes(decoded[0], expected)


def test_outputs_of_zero_are_the_anchors_in_the_middle_of_their_cells():
    outputs = torch.zeros(1, 1, 1, 6 * 8)
    decoded = decode_boxes(activate(outputs, HEAD), HEAD)[0]
    assert decoded[0].tolist() == pytest.approx([-1, -1, 9, 9, 0.5 / 3, 0])
    assert decoded[3, :4].tolist() == [7, 7, 17, 17]
    assert decoded[5, :4].tolist() == [8 - 40, 8 - 20, 8 + 40, 8 + 20]


def test_the_predictors_are_those_of_the_last_layer():
    anchors = (((10.0, 10.0),), ((50.0, 50.0), (80.0, 40.0)))
    network = yolo(3, anchors=anchors, input_shape=(3, 96, 128))
    head = GridHead.of(network)
    assert head == HEAD
    outputs = network(torch.zeros(2, 3, 96, 128))
    assert outputs.shape == encode_boxes(torch.zeros(2, 1, 5), head, GRID).shape
    assert GridHead.of(Input(3) >> Linear(2)) is None
    assert isinstance(network.boxgrid1, BoxGrid)


class Corners(torch.nn.Module):
    """The corners of the cells of a grid, as a module that can be exported."""

    @override
    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        return HEAD.corners(grid)


def test_exported_cells_are_those_of_the_grid_that_is_given():
    free = {1: torch.export.Dim("height"), 2: torch.export.Dim("width")}
    example = torch.zeros(1, 5, 6, 6, 8)
    exported = torch.export.export(Corners(), (example,), dynamic_shapes=(free,)).module()
    grid = torch.zeros(1, 3, 2, 6, 8)
    assert torch.equal(exported(grid), HEAD.corners(grid))
