"""Soft non-max suppression: by hand, against brute force, both forms alike, and refusals."""

import math

import numpy as np
import pytest
import torch

from neuropil.vision import iou, non_max_suppression, soft_non_max_suppression
from neuropil.vision.boxes.candidates import Candidates
from neuropil.vision.boxes.soft_non_max_suppression import soften_on_cpu, soften_on_device

FORMS = (soften_on_cpu, soften_on_device)
BOXES = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 4], [7, 7, 7, 7]])
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.1])


def brute_force(boxes, scores, classes, score, threshold, sigma):
    """Return indices and lowered scores by the paper's pseudocode."""
    overlaps, left = iou(boxes, boxes).tolist(), dict(enumerate(scores.tolist()))
    rows, lowered = [], []
    while left := {i: p for i, p in left.items() if p >= score}:
        best = max(left, key=lambda i: (left[i], -i))
        rows.append(best)
        lowered.append(left.pop(best))
        for i in left:
            shared = overlaps[best][i]
            if classes[i] == classes[best]:
                if sigma:
                    left[i] *= math.exp(-(shared**2) / sigma)
                elif shared >= threshold:
                    left[i] *= 1 - shared
    return rows, lowered


def test_lowered_scores_by_hand():
    # 1 overlaps 0 by 0.8 and falls to 0.16; 2 overlaps 0 by 0.4, which is too little, and is
    # next; it overlaps 1 by 0.5, which falls to 0.08.
    rows, lowered = soft_non_max_suppression(BOXES, SCORES, score=0)
    assert rows.tolist() == [0, 2, 3, 1]
    assert lowered.tolist() == pytest.approx([0.9, 0.7, 0.1, 0.08])


def test_the_gaussian_form_by_hand():
    rows, lowered = soft_non_max_suppression(BOXES[:2], SCORES[:2], score=0, method="gaussian")
    assert rows.tolist() == [0, 1]
    assert lowered.tolist() == pytest.approx([0.9, 0.8 * math.exp(-(0.8**2) / 0.5)])


def test_classes_are_not_compared():
    rows, lowered = soft_non_max_suppression(BOXES, SCORES, torch.arange(4), score=0)
    assert rows.tolist() == [0, 1, 2, 3]
    assert torch.equal(lowered, SCORES)


@pytest.mark.parametrize("sigma", [0, 0.5])
def test_both_forms_are_those_of_the_papers_pseudocode(sigma):
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(60):
        n = int(rng.integers(4, 14))
        low, size = rng.integers(0, 3, (n, 2)), rng.integers(-1, 6, (n, 2))
        boxes = torch.from_numpy(np.concatenate([low, low + size], 1).astype(np.float32))
        scores = torch.from_numpy(rng.integers(0, 5, n).astype(np.float32) / 4)
        classes = torch.from_numpy(rng.integers(0, 2, n))
        score, threshold = rng.choice([0.0, 0.01, 0.3]), rng.choice([0.3, 0.5, 1])
        expected, lowered = brute_force(
            boxes.double(), scores.double(), classes, score, threshold, sigma
        )
        for form in FORMS:
            rows, values = form(Candidates(boxes, scores, classes), score, threshold, sigma)
            assert rows.tolist() == expected
            np.testing.assert_allclose(values, lowered, rtol=1e-5)
            changed += not torch.equal(values, scores[rows])
    assert changed > 10


def test_where_nothing_overlaps_it_is_the_hard_form():
    boxes = BOXES[:1] + 20 * torch.arange(6)[:, None]
    scores = torch.rand(6)
    rows, lowered = soft_non_max_suppression(boxes, scores, score=0.3)
    assert torch.equal(rows, non_max_suppression(boxes, scores, score=0.3))
    assert torch.equal(lowered, scores[rows])


def test_what_is_given_stays_as_it_is():
    before = SCORES.clone()
    soft_non_max_suppression(BOXES, SCORES, score=0)
    assert torch.equal(SCORES, before)


def test_no_boxes_give_none():
    for form in FORMS:
        given = Candidates(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long())
        assert [part.tolist() for part in form(given, 0, 0.5, 0)] == [[], []]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"method": "hard"}, "method must be 'linear' or 'gaussian', got 'hard'"),
        ({"sigma": 0}, "sigma must be a number in"),
        ({"iou": 2}, "iou must be a number in"),
        ({"score": -1}, "score must be a number in"),
    ],
)
def test_wrong_options_are_refused(option, message):
    with pytest.raises(ValueError, match=f"^soft_non_max_suppression: {message}"):
        soft_non_max_suppression(BOXES, SCORES, **option)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="soft_non_max_suppression: score 0 is not a number"):
        soft_non_max_suppression(BOXES, SCORES * torch.nan)
