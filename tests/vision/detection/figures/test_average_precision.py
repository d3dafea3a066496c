"""Average precision of boxes: pycocotools through files, and cases worked by hand."""

import contextlib
import io
import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tests.vision.detection.detections import (
    of_rows,
    perfect_answers,
    random_answers,
    random_targets,
    read_coco128,
)
from torch import Tensor

from neuropil.vision.detection.figures.average_precision import (
    ap,
    ap50,
    average_precision_of_boxes,
)


def through_files(answers: Tensor, targets: Tensor, folder: Path) -> np.ndarray:
    """Return the precisions (T, R, K) that pycocotools gives for JSON files."""
    true, found = [], []
    for picture, rows in enumerate(targets.double().tolist(), 1):
        for x1, y1, x2, y2, number in rows:
            if number != -1:
                crowd = int(number < -1)
                box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
                kind = int(-2 - number if crowd else number) + 1
                own = {"id": len(true) + 1, "image_id": picture, "category_id": kind}
                true.append(own | box | {"iscrowd": crowd})
    for picture, rows in enumerate(answers.double().tolist(), 1):
        for x1, y1, x2, y2, score, number in rows:
            if number != -1:
                own = {"image_id": picture, "category_id": int(number) + 1, "score": score}
                found.append(own | {"bbox": [x1, y1, x2 - x1, y2 - y1]})
    everything = {
        "images": [{"id": n + 1} for n in range(len(targets))],
        "categories": [{"id": n, "name": str(n)} for n in range(1, 81)],
        "annotations": true,
    }
    (folder / "true.json").write_text(json.dumps(everything))
    (folder / "found.json").write_text(json.dumps(found))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "true.json"))
        evaluation = COCOeval(truth, truth.loadRes(str(folder / "found.json")), "bbox")
        evaluation.params.areaRng = evaluation.params.areaRng[:1]  # all areas
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, 2]  # for 100 answers


def assert_equal_to_files(answers: Tensor, targets: Tensor, folder: Path) -> None:
    """Hold the figures, and those of each class at each limit, to those of pycocotools."""
    expected = through_files(answers, targets, folder)
    found = average_precision_of_boxes(answers, targets, 80)
    parts = (expected, expected[0], expected[5])
    for figure, part in zip((found.ap, found.ap50, found.ap75), parts, strict=True):
        assert figure == pytest.approx(part[part > -1].mean(), abs=1e-9)
    by_class = expected.mean(axis=1).T
    assert np.allclose(found.by_class.nan_to_num(nan=-1), by_class, rtol=0, atol=1e-9)
    # As a metric, from batches.
    for metric, figure in ((ap, found.ap), (ap50, found.ap50)):
        parts = [
            metric.gather(answers[at : at + 3], targets[at : at + 3])
            for at in range(0, len(answers), 3)
        ]
        assert metric.compute(metric.merge(parts)) == pytest.approx(figure, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_that_of_pycocotools_through_files(seed, tmp_path):
    targets = random_targets(seed)
    assert_equal_to_files(random_answers(targets, seed), targets, tmp_path)


def test_it_is_that_of_pycocotools_on_photographs(data, tmp_path):
    targets = read_coco128(data)
    none = of_rows([[] for _ in targets], 6)
    few = average_precision_of_boxes(none, targets, 80)
    assert (few.ap, few.ap50, few.ap75) == (0, 0, 0)
    without = 80 - len(targets[..., 4].unique()) + 1
    assert int(few.by_class[:, 0].isnan().sum()) == without > 0
    assert_equal_to_files(perfect_answers(targets), targets, tmp_path)
    assert ap(perfect_answers(targets), targets) == pytest.approx(1)
    random = random_answers(targets, 0, count=30, classes=80)
    assert_equal_to_files(random, targets, tmp_path)


def test_a_case_worked_by_hand():
    """Two boxes, three answers: right at 0.9, wrong at 0.8, right at 0.7."""
    targets = of_rows([[(0, 0, 10, 10, 0)], [(0, 0, 10, 10, 0)]], 5)
    answers = of_rows(
        [[(0, 0, 10, 10, 0.9, 0), (50, 50, 60, 60, 0.8, 0)], [(0, 0, 10, 6, 0.7, 0)]], 6
    )
    # Precision 1 up to recall ½ (51 of the 101 recalls), then 2/3; the last answer has IoU 0.6,
    # which is enough for three of the ten limits.
    whole = (51 + 50 * 2 / 3) / 101
    assert ap50(answers, targets) == pytest.approx(whole)
    found = average_precision_of_boxes(answers, targets, 1)
    assert found.ap == pytest.approx((3 * whole + 7 * 51 / 101) / 10)
    assert found.ap75 == pytest.approx(51 / 101)


def test_a_box_that_does_not_count_is_neither_missed_nor_a_false_alarm():
    targets = of_rows([[(0, 0, 10, 10, 0), (40, 40, 60, 60, -2)]], 5)
    right = (0, 0, 10, 10, 0.5, 0)
    inside = [(40, 40, 45, 45, 0.9, 0), (41, 41, 59, 59, 0.8, 0)]
    assert ap(of_rows([[right, *inside]], 6), targets) == pytest.approx(1)
    # Of the class that does not count there is no box to be found.
    wrong = (40, 40, 60, 60, 0.9, 1)
    assert ap50(of_rows([[right, wrong]], 6), targets) == pytest.approx(1)
    assert ap50(of_rows([[right, (80, 80, 90, 90, 0.9, 0)]], 6), targets) == pytest.approx(0.5)


def test_a_class_without_boxes_is_left_out_and_known():
    targets = of_rows([[(0, 0, 10, 10, 2)]], 5)
    answers = of_rows([[(0, 0, 10, 10, 0.9, 2), (0, 0, 10, 10, 0.8, 0)]], 6)
    found = average_precision_of_boxes(answers, targets, 4)
    assert found.ap == pytest.approx(1)
    assert found.by_class[:, 0].isnan().tolist() == [True, True, False, True]


def test_without_any_box_there_is_no_figure():
    none = of_rows([[], []], 5)
    assert math.isnan(ap(of_rows([[], []], 6), none))
    assert math.isnan(ap50(of_rows([[(0, 0, 1, 1, 0.5, 0)], []], 6), none))
    assert math.isnan(ap50(torch.zeros(0, 100, 6), torch.zeros(0, 1, 5)))


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_answer_that_is_not_finite_gives_no_figure(column, value):
    targets = of_rows([[(0, 0, 10, 10, 0)]], 5)
    answers = of_rows([[(0, 0, 10, 10, 0.9, 0)]], 6)
    answers[0, 0, column] = value
    assert math.isnan(ap50(answers, targets))


@pytest.mark.parametrize(
    ("answers", "targets", "said"),
    [
        ((1, 2, 5), (1, 2, 5), r"answers \(N, A, 6\) and .* got \(1, 2, 5\) and \(1, 2, 5\)"),
        ((2, 6), (1, 2, 5), r"got \(2, 6\) and \(1, 2, 5\)"),
        ((3, 2, 6), (2, 2, 5), "targets for each picture"),
        ((1, 101, 6), (1, 2, 5), "at most 100 answers per picture, got"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(answers, targets, said):
    with pytest.raises(ValueError, match=said):
        ap(torch.zeros(answers), torch.zeros(targets))


@pytest.mark.parametrize("metric", [ap, ap50])
def test_the_metrics_are_public_names_of_their_module(metric):
    assert pickle.loads(pickle.dumps(metric)) is metric
    assert metric.greater_is_better


def test_nothing_is_printed(capsys):
    ap(of_rows([[(0, 0, 9, 9, 0.5, 0)]], 6), of_rows([[(0, 0, 9, 9, 0)]], 5))
    assert capsys.readouterr().out == ""
