"""Strides and anchors from the boxes of the training part."""

import pytest
import torch

from neuropil.vision.detection.anchors import fit_anchors


def boxes_of(*sizes):
    rows = [[5.0, 7.0, 5 + width, 7 + height, 0] for width, height in sizes]
    return torch.tensor([[*rows, [0.0, 0, 99, 99, -2], [-1.0] * 5]])


def test_boxes_of_one_size_have_one_anchor():
    assert fit_anchors(boxes_of((20, 22), (20, 22))) == ((8,), (((20, 22),),))


@pytest.mark.parametrize(("side", "stride"), [(5, 4), (8, 8), (39, 8), (41, 16), (200, 32)])
def test_large_boxes_are_found_in_large_cells(side, stride):
    assert fit_anchors(boxes_of((side, side))) == ((stride,), (((side, side),),))


def test_anchors_of_several_strides_are_in_order():
    strides, anchors = fit_anchors(boxes_of((200, 180), (9, 9), (10, 9), (50, 60)))
    assert strides == (8, 16, 32)
    assert [len(group) for group in anchors] == [1, 1, 1]
    assert anchors[2] == ((200, 180),)


def test_training_pictures_without_boxes_are_one_line():
    with pytest.raises(ValueError, match="the training pictures have no boxes: take fewer"):
        fit_anchors(boxes_of())


def test_there_are_at_most_nine():
    generator = torch.Generator().manual_seed(0)
    sizes = torch.rand(500, 2, generator=generator).mul(5).exp() + 2
    strides, anchors = fit_anchors(boxes_of(*sizes.tolist()))
    assert sum(map(len, anchors)) == 9
    assert list(strides) == sorted(strides)
