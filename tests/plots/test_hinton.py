"""Hinton diagrams: areas are weights."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import rgb_to_hsv, to_rgb

from neuropil.plots import hinton


def squares(figure):
    """Return the area and the centre of each square, positive ones with their sign."""
    found = {}
    for sign, collection in zip((1, -1), figure.axes[0].collections, strict=True):
        for path in collection.get_paths():
            low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
            x, y = (low + high) / 2
            found[round(y), round(x)] = sign * np.prod(high - low)
    return found


@settings(max_examples=25)
@given(arrays(float, (3, 4), elements=st.floats(-1e3, 1e3, width=16)))
def test_areas_are_weights_over_the_largest(weights):
    found = squares(hinton(weights))
    largest = np.abs(weights).max() or 1
    for place, weight in np.ndenumerate(weights):
        assert found.get(place, 0.0) == pytest.approx(weight / largest, abs=1e-9)


def test_tensors_with_gradients_and_vectors_are_drawn():
    found = squares(hinton(torch.tensor([1.0, -2.0], requires_grad=True)))
    assert found == {(0, 0): pytest.approx(0.5), (0, 1): pytest.approx(-1)}


def test_rows_and_columns_bear_their_names():
    axes = hinton(np.eye(2), ["a", "b$"], ["x", "y"]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", r"b\$"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["x", "y"]


def test_a_long_name_beside_few_units_is_not_cut():
    figure = hinton(np.eye(2), ["contract=two years", "b"])
    figure.draw_without_rendering()
    assert figure.axes[0].get_tightbbox().x0 >= 0


@pytest.mark.parametrize(
    ("matrix", "options", "reason"),
    [
        ([[np.nan]], {}, "NaN"),
        (np.zeros((2, 2, 2)), {}, r"shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), {}, r"shape \(0, 2\)"),
        (np.eye(2), {"rows": ["a"]}, "2 rows in the matrix, 1 names"),
        (np.eye(2), {"columns": ["a"]}, "2 columns in the matrix, 1 names"),
    ],
)
def test_what_is_no_matrix_is_refused(matrix, options, reason):
    with pytest.raises(ValueError, match=reason):
        hinton(matrix, **options)


def test_squares_lie_on_grey_and_signs_differ_in_lightness():
    axes = hinton([[1.0, -1.0]]).axes[0]
    background = rgb_to_hsv(to_rgb(axes.patches[0].get_facecolor()))[2]
    positive, negative = (rgb_to_hsv(c.get_facecolor()[0, :3])[2] for c in axes.collections)
    assert negative < background - 0.2
    assert positive > background + 0.2
