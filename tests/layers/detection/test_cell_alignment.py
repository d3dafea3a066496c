"""Pictures and features on a grid of cells."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.analysis import receptive_field
from neuropil.core import ShapeError, parallel
from neuropil.layers import CellAlignment, CellPadding, Convolution, Input

lengths = st.integers(1, 20)


@given(lengths, lengths, st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_padding_leaves_every_pixel_in_its_place(height, width, cell):
    pictures = torch.rand(2, 3, height, width) + 1
    padded, sides = CellPadding(cell)(pictures), (height, width)
    assert torch.equal(padded[..., :height, :width], pictures)
    assert not padded[..., height:, :].any()
    assert not padded[..., width:].any()
    assert all(
        n % cell == 0 and n < m + cell for n, m in zip(padded.shape[2:], sides, strict=True)
    )
    assert padded.is_contiguous(memory_format=torch.channels_last)


def test_a_margin_is_added_at_all_sides():
    picture = torch.rand(1, 3, 5, 7) + 1
    padded = CellPadding(4, margin=3)(picture)
    assert padded.shape == (1, 3, 14, 14)
    assert torch.equal(padded[..., 3:8, 3:10], picture)
    assert padded.sum().item() == pytest.approx(picture.sum().item())


def test_missing_positions_are_added_at_both_sides_and_those_in_excess_cut_off():
    features = torch.arange(1.0, 6.0).reshape(1, 1, 1, 5)
    wider = CellAlignment(2)(features, torch.zeros(1, 3, 2, 16))
    assert wider.flatten().tolist() == [0, 0, 1, 2, 3, 4, 5, 0]
    narrower = CellAlignment(2)(features, torch.zeros(1, 3, 2, 6))
    assert narrower.flatten().tolist() == [2, 3, 4]
    same = CellAlignment(2)(features, torch.zeros(1, 3, 2, 10))
    assert torch.equal(same, features)


def test_other_ranks_are_refused():
    with pytest.raises(ShapeError, match="an image"):
        CellPadding(8).output_shape((3, 8))
    with pytest.raises(ShapeError, match=r"features .* and their picture"):
        CellAlignment(8).output_shape((3, 8, 8), (64,))


@pytest.mark.parametrize(("have", "length"), [(3, 16), (4, 17), (6, 8), (2, 20)])
def test_a_position_sees_the_feature_that_it_shows(have, length):
    layer = CellAlignment(4)
    features = torch.arange(1.0, have + 1)[None, None, :, None]
    shown = layer(features, torch.zeros(1, 1, length, 4))[0, 0, :, 0]
    down, _ = layer.reaches((1, have, 1), (1, length, 4))
    seen = [float(place + down.start + 1) for place in range(len(shown))]
    assert shown.tolist() == [each if 1 <= each <= have else 0.0 for each in seen]
    assert layer.reaches((1, None, 1), (1, None, 4))[0].start is None


def test_the_receptive_field_goes_through_padding_and_alignment():
    padded = Input(1, 30, 30) >> CellPadding(8, margin=3)
    whole = Input(1, 30, 30) >> CellPadding(8)
    features = padded >> Convolution(1, 3, stride=2, padding="valid")
    network = parallel(features, whole) >> CellAlignment(2)
    field = receptive_field(network)
    assert (field.size, field.jump, field.start) == ((3, 3), (2, 2), (-1, -1))
