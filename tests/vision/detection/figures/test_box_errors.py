"""Errors of detectors: each kind by hand, and what holds for all of them together."""

from collections import Counter

import pytest
import torch
from tests.vision.detection.detections import (
    of_rows,
    perfect_answers,
    random_answers,
    random_targets,
)

from neuropil.vision.detection.answer_rows import count_boxes, match_rows
from neuropil.vision.detection.figures.box_confusion import box_confusion
from neuropil.vision.detection.figures.box_errors import BoxError, box_errors, box_mistakes

NAMES = ["cat", "dog", "cow"]
BOX = (0, 0, 10, 10)
RIGHT = (*BOX, 0.9, 0)


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        ([(0, 0, 10, 4, 0.8, 0)], "misplaced", "1 “cat” misplaced"),
        ([(0, 0, 10, 8, 0.8, 1)], "mistaken", "1 “cat” mistaken for “dog”"),
        ([RIGHT, (0, 0, 10, 8, 0.8, 0)], "doubled", "1 “cat” doubled"),
        ([RIGHT, (0, 0, 10, 8, 0.8, 1)], "doubled", "1 “dog” doubled"),
        ([RIGHT, (0, 0, 10, 4, 0.8, 0)], "misplaced", "1 “cat” misplaced"),
        ([RIGHT, (0, 0, 10, 4, 0.8, 1)], "background", "1 “dog” on background"),
        ([RIGHT, (0, 9.5, 10, 19, 0.8, 0)], "background", "1 “cat” on background"),
        ([], "missed", "1 “cat” missed"),
    ],
)
def test_each_kind(wrong, kind, words):
    targets, answers = of_rows([[(*BOX, 0)]], 5), of_rows([wrong], 6)
    errors = box_errors(answers, targets)[0]
    assert [error.kind for error in errors] == [kind]
    assert errors[0].answer == (len(wrong) - 1 if wrong else None)
    assert errors[0].target == (None if kind == "background" else 0)
    assert box_mistakes(answers, targets, NAMES) == [(0, words, 1.0)]


def test_a_misplaced_answer_stands_for_the_box_that_has_no_other():
    targets = of_rows([[(*BOX, 0), (0, 6, 10, 16, 0)]], 5)
    answers = of_rows([[RIGHT, (0, 4, 10, 9, 0.8, 0)]], 6)
    doubled, missed = BoxError("doubled", 1, 0), BoxError("missed", None, 1)
    assert box_errors(answers, targets)[0] == [doubled, missed]
    answers[0, 1, 1] = 5.5  # IoU 0.35 with the first box, 0.27 with the second one
    assert box_errors(answers, targets)[0] == [BoxError("misplaced", 1, 1)]


def test_the_worst_picture_comes_first():
    targets = of_rows([[(*BOX, 0)], [(*BOX, 0), (20, 0, 30, 10, 0)], [(*BOX, 1)], []], 5)
    unsure, sure = (40, 40, 50, 50, 0.5, 2), (40, 40, 50, 50, 0.9, 2)
    answers = of_rows([[RIGHT, unsure], [unsure], [(*BOX, 0.9, 1), sure], []], 6)
    assert box_mistakes(answers, targets, NAMES) == [
        (1, "2 “cat” missed, 1 “cow” on background", 3.0),
        (2, "1 “cow” on background", 1.0),
        (0, "1 “cow” on background", 1.0),
    ]


def test_what_does_not_count_is_no_error():
    targets = of_rows([[(*BOX, -2)]], 5)
    for answers in (of_rows([[RIGHT, RIGHT]], 6), of_rows([[]], 6)):
        assert box_errors(answers, targets) == [[]]
        assert not box_confusion(answers, targets, 1).any()
    other = of_rows([[(*BOX, 0.9, 1)]], 6)
    assert [error.kind for error in box_errors(other, targets)[0]] == ["background"]


def test_a_confusion_table_by_hand():
    targets = of_rows([[(*BOX, 0), (20, 0, 30, 10, 1)], [(*BOX, 2), (50, 50, 60, 60, -3)]], 5)
    first = [RIGHT, (*BOX, 0.95, 1), (20, 0, 30, 10, 0.7, 0), (20, 0, 30, 9, 0.6, 2)]
    second = [(50, 50, 60, 60, 0.9, 1), (0, 0, 10, 4, 0.9, 2)]
    table = box_confusion(of_rows([first, second], 6), targets, 3)
    # The dog is a cat by the answer that remains with the best score that overlaps it.
    assert table.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 2, 0]]


@pytest.mark.parametrize("seed", range(8))
def test_table_errors_and_counts_agree(seed):
    targets = random_targets(seed)
    answers = random_answers(targets, seed)
    table = box_confusion(answers, targets, 3)
    right, given, boxes = count_boxes(match_rows(answers, targets, [0.5]), [0.0] * 3)[0].T
    assert table.diagonal()[:3].tolist() == right.tolist()
    assert table[:, :3].sum(0).tolist() == given.tolist()
    assert table[:3].sum(1).tolist() == boxes.tolist()
    errors = [error for picture in box_errors(answers, targets) for error in picture]
    kinds = Counter(error.kind for error in errors)
    assert kinds["mistaken"] == table[:3, :3].sum() - right.sum()
    beside = kinds["doubled"] + kinds["misplaced"] + kinds["background"]
    assert beside == table[3].sum()
    # A misplaced answer explains at most one box that has no other.
    assert table[:3, 3].sum() - kinds["misplaced"] <= kinds["missed"] <= table[:3, 3].sum()
    for picture in box_errors(answers, targets):
        rows = [error.answer for error in picture if error.answer is not None]
        assert len(rows) == len({*rows})
    assert sum(size for *_, size in box_mistakes(answers, targets, NAMES)) == len(errors)


def test_perfect_answers_have_no_errors():
    targets = random_targets(3)
    answers = perfect_answers(targets)
    assert box_mistakes(answers, targets, NAMES) == []
    table = box_confusion(answers, targets, 3)
    assert torch.equal(table, table.diagonal().diag())


def test_pictures_without_answers_and_boxes():
    none = torch.full((2, 1, 5), -1.0)
    nothing = torch.tensor([0.0, 0, 0, 0, 0, -1]).expand(2, 3, 6)
    assert box_errors(nothing, none) == [[], []]
    assert not box_confusion(nothing, none, 2).any()
    assert box_confusion(nothing[:0], none[:0], 2).shape == (3, 3)
