"""Segmentation by a graph of pixels, beside scikit-image and cases worked by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.vision import graph_segmentation

lengths = st.integers(1, 24)


def drawn(seed, height, width, channels=3):
    """Return a picture of coloured patches with noise."""
    generator = torch.Generator().manual_seed(seed)
    patches = torch.rand(1, channels, 3, 3, generator=generator)
    coarse = torch.nn.functional.interpolate(patches, (height, width))[0]
    return (coarse + 0.05 * torch.randn(coarse.shape, generator=generator)).clamp(0.001, 1)


@given(
    st.integers(0, 10**6),
    lengths,
    lengths,
    st.sampled_from([1.0, 30.0, 300.0]),
    st.sampled_from([0.0, 0.5, 0.8]),
    st.integers(1, 30),
)
@settings(max_examples=40, deadline=None)
def test_labels_are_those_of_scikit_image(seed, height, width, scale, sigma, min_size):
    skimage = pytest.importorskip("skimage.segmentation")
    picture = drawn(seed, height, width).double()
    pixels = picture.permute(1, 2, 0).numpy()
    expected = skimage.felzenszwalb(pixels, scale=scale, sigma=sigma, min_size=min_size)
    found = graph_segmentation(picture, scale, sigma, min_size)
    assert torch.equal(found, torch.from_numpy(expected))


def test_a_row_of_pixels_worked_by_hand():
    # Steps of 0, 3, 0, 4, 0 of 255. A pair has the limit k/2, which decides on the step of 3;
    # if it is taken, the four have 3 + k/4, and the last step depends on the limit of the pair.
    row = torch.tensor([0.0, 0, 3, 3, 7, 7]).reshape(1, 1, 6) / 255
    assert graph_segmentation(row, 7.9, 0, 1).tolist() == [[0, 0, 0, 0, 1, 1]]
    assert graph_segmentation(row, 8.1, 0, 1).tolist() == [[0, 0, 0, 0, 0, 0]]
    assert graph_segmentation(row, 5.9, 0, 1).tolist() == [[0, 0, 1, 1, 2, 2]]


def test_small_regions_are_merged_across_the_lightest_edge():
    row = torch.tensor([0.0, 0, 0, 40, 100, 100]).reshape(1, 1, 6) / 255
    assert graph_segmentation(row, 0.1, 0, 1).tolist() == [[0, 0, 0, 1, 2, 2]]
    assert graph_segmentation(row, 0.1, 0, 2).tolist() == [[0, 0, 0, 0, 1, 1]]


def test_bytes_are_colours_from_0_to_1():
    picture = (255 * drawn(0, 20, 30)).to(torch.uint8)
    found = graph_segmentation(picture, 20)
    assert torch.equal(found, graph_segmentation(picture.double() / 255, 20))
    assert found.max() > 0


def test_what_is_not_a_picture_is_refused():
    with pytest.raises(ValueError, match=r"must have the shape \(C, H, W\), got \(8, 8\)"):
        graph_segmentation(torch.zeros(8, 8))
    with pytest.raises(ValueError, match="not finite"):
        graph_segmentation(torch.full((3, 8, 8), torch.nan))
    with pytest.raises(ValueError, match="sigma"):
        graph_segmentation(torch.zeros(3, 8, 8), sigma=-1)
