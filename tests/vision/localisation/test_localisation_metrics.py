"""Accuracy and IoU of the one box of a picture, by hand."""

import math
import pickle

import pytest
import torch
from tests.vision.detection.detections import of_rows

from neuropil.vision.localisation.localisation_metrics import localisation_accuracy, mean_iou

BOX = (0, 0, 10, 10)


@pytest.mark.parametrize(
    ("answers", "boxes", "right", "overlap"),
    [
        ([(*BOX, 0.9, 1)], [(*BOX, 1)], 1, 1),
        ([(0, 0, 10, 5, 0.9, 0)], [(*BOX, 1)], 0, 0.5),
        ([(50, 50, 60, 60, 0.9, 1)], [(*BOX, 1)], 1, 0),
        ([], [(*BOX, 1)], 0, 0),
        ([], [], 1, math.nan),
        ([(*BOX, 0.9, 1)], [], 0, math.nan),
        ([(*BOX, 0.9, 1)], [(*BOX, -3)], 0, math.nan),
        # The best score counts, wherever it stands.
        ([(50, 50, 60, 60, 0.2, 0), (*BOX, 0.9, 1)], [(*BOX, 1)], 1, 1),
        # Of two boxes, the one that is overlapped.
        ([(*BOX, 0.9, 1)], [(50, 50, 60, 60, 0), (*BOX, 1)], 1, 1),
    ],
)
def test_one_picture(answers, boxes, right, overlap):
    given = of_rows([answers], 6), of_rows([boxes], 5)
    assert localisation_accuracy(*given) == right
    assert mean_iou(*given) == pytest.approx(overlap, nan_ok=True)


def test_parts_merge_into_the_whole():
    answers = of_rows([[(*BOX, 0.9, 1)], [(0, 0, 10, 5, 0.9, 1)], [], []], 6)
    boxes = of_rows([[(*BOX, 1)], [(*BOX, 1)], [(*BOX, 0)], []], 5)
    for metric, expected in ((localisation_accuracy, 0.75), (mean_iou, 0.5)):
        parts = [metric.gather(answers[n:], boxes[n:]) for n in (3,)]
        parts += [metric.gather(answers[:3], boxes[:3])]
        assert metric.compute(metric.merge(parts)) == metric(answers, boxes) == expected
        assert pickle.loads(pickle.dumps(metric)) is metric
        assert metric.greater_is_better


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"got \(1, 1, 5\) and \(1, 1, 5\)"):
        mean_iou(torch.zeros(1, 1, 5), torch.zeros(1, 1, 5))
