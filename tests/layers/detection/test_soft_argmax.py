"""The place of a peak, by hand and in a padded picture."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.layers import Input, SoftArgmax


def test_it_is_the_mean_of_all_places_weighted_by_softmax():
    # Two positions with the chances ¼ and ¾, whose centres are at −½ and ½.
    heat = (
        torch.tensor([[[[0.0, 3.0]]]]).log().masked_fill(torch.tensor([[[[True, False]]]]), 0)
    )
    torch.testing.assert_close(SoftArgmax()(heat), torch.tensor([[[0.25, 0.0]]]))
    assert SoftArgmax()(torch.zeros(1, 5, 4, 7)).abs().max() < 1e-6


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_a_sharp_peak_is_found_at_the_centre_of_its_position(height, width, data):
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    heat = torch.zeros(1, 1, height, width)
    heat[0, 0, row, column] = 100
    x, y = SoftArgmax()(heat)[0, 0].tolist()
    assert x == pytest.approx(2 * (column + 0.5) / width - 1, abs=1e-5)
    assert y == pytest.approx(2 * (row + 0.5) / height - 1, abs=1e-5)


def test_the_map_of_a_padded_picture_extends_beyond_it():
    # A picture of 6 by 10 pixels, padded to 8 by 12: cells of four pixels.
    heat = torch.zeros(1, 1, 2, 3)
    heat[0, 0, 1, 1] = 100
    x, y = SoftArgmax(extent=(12 / 10, 8 / 6))(heat)[0, 0]
    assert ((x + 1) / 2 * 10).item() == pytest.approx(6, abs=1e-5)
    assert ((y + 1) / 2 * 6).item() == pytest.approx(6, abs=1e-5)


def test_wrong_input_and_options_are_refused():
    with pytest.raises(ShapeError, match=r"heat maps \(C, H, W\)"):
        Input(3, 4) >> SoftArgmax()
    for extent in ((0.5, 1), (1, 1, 1), 2, ("a", 1)):
        with pytest.raises(ValueError, match="SoftArgmax: extent"):
            SoftArgmax(extent=extent)
