"""RoI align and RoI pooling beside torchvision, PyTorch and cases worked by hand."""

import inspect

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference import torchvision

from neuropil import ShapeError
from neuropil.layers import Concatenate, Input, Reshape, RoiAlign, RoiPooling, parallel
from neuropil.vision import roi_align, roi_pool

SQUARES = torch.arange(16.0).reshape(1, 1, 4, 4)


def drawn(seed, *, height=None, width=None, stride=4):
    """Return two maps, and five boxes in each picture."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 20, (2,), generator=generator).tolist()
    height, width = height or lengths[0], width or lengths[1]
    maps = torch.randn(2, 3, height, width, generator=generator)
    corners = torch.rand(2, 5, 2, 2, generator=generator)
    corners = corners * torch.tensor([width, height]) * stride
    return maps, torch.cat([corners.amin(2), corners.amax(2)], -1)


seeds = st.integers(0, 10**6)
sizes = st.integers(1, 7)


def test_align_of_a_hand_worked_case():
    # The box from (1, 0.5) to (3, 2.5) has cells of one pixel. Their centres lie at columns 1
    # and 2 of the map, half-way between rows 0 and 1, and between rows 1 and 2.
    box = torch.tensor([[[1.0, 0.5, 3.0, 2.5]]])
    found = roi_align(SQUARES, box, 2, samples=1)
    assert found.tolist() == [[[[[3.0, 4.0], [7.0, 8.0]]]]]


def test_align_continues_the_border_by_a_pixel_and_is_0_beyond():
    # Points at −0.9, and at −1.1, before the first pixel's centre.
    near, beyond = (torch.tensor([[[x, 0.0, x, 1.0]]]) for x in (-0.4, -0.6))
    assert roi_align(SQUARES + 1, near, 1, samples=1).item() == 1
    assert roi_align(SQUARES + 1, beyond, 1, samples=1).item() == 0


def test_pooling_of_a_hand_worked_case():
    # 13 and 22 pixels are 3.25 and 5.5 cells: columns 0 to 3, rows 1 to 6 of a map of 5.
    # Parts of 2 columns and of 3 rows, the last of which has one row left.
    maps = torch.arange(20.0).reshape(1, 1, 5, 4)
    found = roi_pool(maps, torch.tensor([[[0.0, 4.0, 13.0, 22.0]]]), 2, stride=4)
    assert found.tolist() == [[[[[13.0, 15.0], [17.0, 19.0]]]]]


@given(seeds, sizes, st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_align_and_its_gradient_equal_torchvision(seed, size, samples):
    torchvision()
    from torchvision.ops.roi_align import _roi_align

    in_python = inspect.unwrap(_roi_align)  # not compiled

    maps, boxes = (each.double() for each in drawn(seed))
    maps.requires_grad_()
    pictures = torch.arange(2.0).repeat_interleave(5)[:, None].double()
    rows = torch.cat([pictures, boxes.flatten(0, 1)], 1)
    found = roi_align(maps, boxes, size, stride=4, samples=samples)
    expected = in_python(maps, rows, 1 / 4, size, size, samples, True).reshape(found.shape)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weight = torch.randn(found.shape, generator=torch.Generator().manual_seed(seed)).double()
    ours, theirs = (
        torch.autograd.grad((each * weight).sum(), maps)[0] for each in (found, expected)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@given(seeds, sizes)
@settings(max_examples=30, deadline=None)
def test_pooling_and_its_gradient_equal_adaptive_pooling_of_each_region(seed, size):
    maps, boxes = drawn(seed)
    maps.requires_grad_()
    found = roi_pool(maps, boxes, size, stride=4)
    last = torch.tensor([maps.shape[3], maps.shape[2]] * 2) - 1
    expected = [
        F.adaptive_max_pool2d(each[:, y1 : y2 + 1, x1 : x2 + 1], size)
        for each, own in zip(maps, (boxes / 4 + 0.5).long(), strict=True)
        for x1, y1, x2, y2 in own.tolist()
        if (own[:, 2:] <= last[2:]).all()
    ]
    inside = ((boxes / 4 + 0.5).long()[..., 2:] <= last[2:]).all(-1).all(-1)
    if not expected:
        return
    ours, theirs = found[inside].flatten(0, 1), torch.stack(expected)
    assert torch.equal(ours, theirs)
    weight = torch.randn(ours.shape, generator=torch.Generator().manual_seed(seed))
    gradients = [torch.autograd.grad((each * weight).sum(), maps)[0] for each in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_pooled_boxes_are_cut_off_and_parts_without_pixels_are_0():
    maps = torch.ones(1, 1, 6, 6)
    wide = torch.tensor([[[-50.0, -50.0, 90.0, 90.0], [0.0, 0.0, 6.0, 6.0]]])
    inside = roi_pool(maps, wide, 3)
    assert torch.equal(inside[:, 0], inside[:, 1])
    below = roi_pool(maps, torch.tensor([[[0.0, 6.0, 6.0, 9.0]]]), 2)
    assert not below.any()


def test_layers_give_the_functions_on_maps_of_any_size_also_when_exported():
    inputs = parallel(Input(3, None, None), Input(5, 4))
    both = inputs >> RoiAlign(2, stride=4), inputs >> RoiPooling(2, stride=4)
    network = parallel(*both) >> Concatenate() >> Reshape(10, -1)
    maps, boxes = drawn(0, height=9, width=14)
    each = [f(maps, boxes, 2, stride=4).flatten(2) for f in (roi_align, roi_pool)]
    expected = torch.cat(each, dim=1)
    assert torch.equal(network(maps, boxes), expected)
    free = torch.export.Dim.DYNAMIC
    shapes = ({0: free, 2: free, 3: free}, {0: free})
    example = (torch.ones(3, 3, 11, 17), torch.ones(3, 5, 4))
    program = torch.export.export(network.eval(), example, dynamic_shapes=shapes)
    torch.testing.assert_close(program.module()(maps, boxes), expected)


def test_inputs_that_are_not_a_map_and_boxes_are_refused():
    with pytest.raises(
        ShapeError, match=r"RoiPooling\(7\) needs features .* and boxes \(R, 4\)"
    ):
        RoiPooling(7).output_shape((3, 8, 8), (100, 5))
