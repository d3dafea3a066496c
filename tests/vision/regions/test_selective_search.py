"""Selective search: what it proposes, and the loops and colour spaces it is made of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.datasets import make_digit_scenes
from neuropil.vision import iou, selective_search
from neuropil.vision.regions import region_grouping_loops as loops
from neuropil.vision.regions.color_spaces import to_hsv, to_lab


def test_things_are_among_the_best_boxes():
    scenes = make_digit_scenes(6, seed=0).train
    found = total = 0
    for picture, boxes in zip(scenes.inputs, scenes.targets, strict=True):
        proposals = selective_search(picture / picture.max(), most=200)
        own = boxes[boxes[:, 4] >= 0]
        found += int((iou(own[:, :4], proposals).amax(1) >= 0.5).sum())
        total += len(own)
    assert found >= 0.8 * total


def test_boxes_lie_in_the_picture_differ_and_are_always_the_same():
    picture = torch.rand(3, 40, 56, generator=torch.Generator().manual_seed(0))
    boxes = selective_search(picture, scales=[20])
    assert torch.equal(selective_search(picture, scales=[20]), boxes)
    assert torch.equal(selective_search(picture, scales=[20], most=5), boxes[:5])
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert boxes.amin() == 0
    assert (boxes.amax(0)[2:] == torch.tensor([56, 40])).all()
    assert (iou(boxes, boxes).fill_diagonal_(0) < 0.8).all()
    assert [0, 0, 56, 40] in boxes.tolist()


def test_a_grey_picture_and_one_without_regions_have_boxes():
    grey = torch.zeros(1, 30, 40)
    assert selective_search(grey).tolist() == [[0, 0, 40, 30]]
    grey[:, 5:15, 5:25] = 1
    assert [5, 5, 25, 15] in selective_search(grey).tolist()


def test_the_two_most_alike_are_merged_first():
    # Four regions in a row of one height, of colours 0, 0, 1, 1: like ones first.
    hues = np.repeat(np.eye(2, dtype=np.float32), 2, axis=0)
    slopes, sizes = np.ones((4, 1), np.float32), np.array([12, 10, 8, 10])
    edges = np.cumsum([0, 6, 5, 4, 5])
    boxes = np.stack([edges[:-1], 0 * sizes, edges[1:], 0 * sizes + 2], 1)
    touch = np.eye(4, k=1, dtype=bool) | np.eye(4, k=-1, dtype=bool)
    regions = loops.Regions(hues, slopes, sizes, boxes.copy())
    found = loops.group_regions(regions, touch, 40, 1.0)
    assert found[:4].tolist() == boxes.tolist()
    assert found[4:].tolist() == [[11, 0, 20, 2], [0, 0, 11, 2], [0, 0, 20, 2]]


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_descriptions_are_histograms_and_bounding_boxes(seed, height, width):
    random = np.random.default_rng(seed)
    labels = np.unique(random.integers(0, 4, (height, width)), return_inverse=True)[1]
    labels, colors = labels.reshape(height, width), random.random((height, width, 3))
    count = labels.max() + 1
    hues, slopes, sizes, boxes = loops.describe_regions(colors, colors, labels, count)
    np.testing.assert_allclose([hues.sum(1), slopes.sum(1)], 1, rtol=1e-5)
    touch = loops.neighbors(labels, count)
    assert (touch == touch.T).all()
    for region in range(count):
        rows, columns = np.nonzero(labels == region)
        assert sizes[region] == len(rows)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert boxes[region].tolist() == box
        expected = [np.histogram(c, 25, (0, 1))[0] for c in colors[rows, columns].T]
        np.testing.assert_allclose(
            hues[region], np.concatenate(expected) / 3 / len(rows), rtol=1e-5
        )


def test_colour_spaces_are_those_of_scikit_image():
    color = pytest.importorskip("skimage.color")
    colors = np.random.default_rng(0).random((200, 3))
    colors[:8] = np.indices((2, 2, 2)).reshape(3, 8).T
    np.testing.assert_allclose(to_hsv(colors), color.rgb2hsv(colors), atol=1e-6)
    lab = (color.rgb2lab(colors) + np.array([0, 128, 128])) / [100, 255, 255]
    np.testing.assert_allclose(to_lab(colors), lab, atol=1e-4)


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        selective_search(torch.zeros(2, 8, 8))
    with pytest.raises(ValueError, match="'hsv' or 'lab', got 'rgb'"):
        selective_search(torch.zeros(3, 8, 8), spaces=["rgb"])
    with pytest.raises(ValueError, match="at least one scale"):
        selective_search(torch.zeros(3, 8, 8), scales=[])
