"""Colours of data: different from each other, in grey too, and never swapped by a theme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb

from neuropil.plots.palette import (
    DATA_INK,
    NEGATIVE,
    POSITIVE,
    ZERO,
    class_palette,
    oklab,
    shades,
    signed_scale,
)
from neuropil.plots.theme import PAPER
from neuropil.report.svg import THEMED


def luminance(color):
    """Return the relative luminance of WCAG 2.2."""
    channels = np.array(to_rgb(color))
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_signs_differ_in_grey():
    assert luminance(NEGATIVE) < luminance(ZERO) < luminance(POSITIVE)
    assert contrast(NEGATIVE, ZERO) >= 3
    assert contrast(POSITIVE, ZERO) >= 3
    grey = [luminance(color) for color in signed_scale()(np.linspace(0, 1, 101))]
    assert (np.diff(grey) >= 0).all()  # lightness alone gives sign and size


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400))
def test_every_class_has_a_colour_of_its_own(count):
    colors = class_palette(count)
    assert len(colors) == count == len(set(colors))
    assert colors[:8] == class_palette(8)[:count]


def test_colours_of_forty_classes_are_apart():
    places = oklab(np.array([to_rgb(color) for color in class_palette(40)]))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    assert distances[np.triu_indices(40, 1)].min() > 0.08  # about four just noticeable steps


def test_oklab_knows_white_and_red():
    # The table of Ottosson's paper, for sRGB's white and red.
    np.testing.assert_allclose(oklab(np.array([[1.0, 1, 1]])), [[1, 0, 0]], atol=1e-3)
    np.testing.assert_allclose(
        oklab(np.array([[1.0, 0, 0]])), [[0.628, 0.225, 0.126]], atol=1e-3
    )


@pytest.mark.parametrize("scale", [shades(DATA_INK), signed_scale(), colormaps["cividis"]])
def test_a_theme_swaps_no_colour_of_data(scale):
    used = {to_hex(color) for color in scale(np.linspace(0, 1, 1001))}
    used |= {DATA_INK, PAPER, *class_palette(200)[8:]}
    assert not used & set(THEMED)
