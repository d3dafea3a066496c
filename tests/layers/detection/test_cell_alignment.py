"""Pictures and features on a grid of cells."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.layers import CellAlignment, CellPadding

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
