"""Anchors by k-means: sizes that are found again, blood cells, repeats, and refusals."""

import numpy as np
import pytest
import torch

from neuropil.vision import anchor_grid, kmeans_anchors, measure_anchors


def blood_cells(data):
    rows = (data / "bccd/boxes.csv").read_text().splitlines()[1:]
    boxes = torch.tensor([[float(n) for n in row.split(",")[2:]] for row in rows])
    return boxes[((boxes[:, 2:] - boxes[:, :2]) > 0).all(1)]  # two have no area


def test_the_sizes_of_three_crowds_are_found():
    rng = np.random.default_rng(0)
    truth = np.array([[20, 10], [40, 60], [90, 100.0]])
    sizes = truth.repeat(50, 0) * np.exp(0.05 * rng.normal(size=(150, 2)))
    fit = kmeans_anchors(torch.from_numpy(sizes), 3)
    np.testing.assert_allclose(fit.sizes, truth, rtol=0.03)
    assert fit.recall == 1
    low = rng.normal(size=(150, 2))
    again = kmeans_anchors(torch.from_numpy(np.concatenate([low, low + sizes], 1)), 3)
    torch.testing.assert_close(again.sizes, fit.sizes)


def test_anchors_by_k_means_beat_those_made_by_hand(data):
    boxes = blood_cells(data)
    # The nine of Faster R-CNN, at half of its scale, since these pictures are small.
    anchors = anchor_grid((1, 1), 1, [64, 128, 256], ratios=[0.5, 1, 2]).reshape(-1, 4)
    by_hand = measure_anchors(boxes, anchors[:, 2:] - anchors[:, :2])
    nine, three = kmeans_anchors(boxes, 9), kmeans_anchors(boxes, 3)
    assert by_hand.recall + 0.04 < three.recall < nine.recall
    assert by_hand.mean_iou + 0.1 < three.mean_iou < nine.mean_iou


def test_the_same_seed_gives_the_same_anchors():
    sizes = torch.rand(60, 2) + 0.1
    state = torch.get_rng_state()
    first, again = (kmeans_anchors(sizes, 4, seed=3) for _ in range(2))
    assert torch.equal(first.sizes, again.sizes)
    assert torch.equal(torch.get_rng_state(), state)


def test_more_anchors_suit_better():
    sizes = torch.rand(200, 2) + 0.05
    means = [kmeans_anchors(sizes, k).mean_iou for k in (1, 2, 4, 8)]
    assert means == sorted(means)


def test_anchors_repeat_where_sizes_are_few():
    fit = kmeans_anchors(torch.tensor([[3.0, 4.0]] * 5), 3)
    assert fit.sizes.tolist() == [[3, 4]] * 3
    assert fit[1:] == (1, 1)


def test_recall_counts_boxes_that_reach_the_threshold():
    sizes = torch.tensor([[10.0, 10.0], [10.0, 5.0], [10.0, 4.0]])
    fit = measure_anchors(sizes, torch.tensor([[10.0, 10.0]]))
    assert fit.mean_iou == pytest.approx((1 + 0.5 + 0.4) / 3)
    assert fit.recall == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (torch.zeros(0, 4), r"shape \(N, 4\) or \(N, 2\) with N ≥ 1, got \(0, 4\)"),
        (torch.zeros(5, 3), r"got \(5, 3\)"),
        (torch.tensor([[0, 0, 1, 1], [2, 2, 2, 5]]), "box 1 is 0 wide and 3 high"),
        (torch.tensor([[1, torch.nan]]), "box 0 is 1 wide and nan high"),
    ],
)
def test_boxes_without_a_size_are_refused(boxes, message):
    with pytest.raises(ValueError, match=f"^kmeans_anchors: .*{message}"):
        kmeans_anchors(boxes, 2)
    with pytest.raises(ValueError, match=f"^measure_anchors: .*{message}"):
        measure_anchors(boxes, torch.ones(1, 2))
