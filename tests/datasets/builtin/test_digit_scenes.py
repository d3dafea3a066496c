"""Scenes of digits: the boxes lie around the ink, and no digit is in two parts."""

import numpy as np
import pytest

from neuropil.datasets import Boxes, load_handwritten_digits, make_digit_scenes


def test_boxes_lie_tightly_around_the_ink():
    scenes = make_digit_scenes(12, size=(60, 80), digits=1, scale=(2, 5), validation=0, test=0)
    assert scenes.target == Boxes([str(digit) for digit in range(10)])
    assert scenes.train.targets.shape == (12, 1, 5)
    for picture, boxes in zip(scenes.train.inputs, scenes.train.targets, strict=True):
        x, y, right, down = boxes[0, :4].int().tolist()
        rows, columns = np.nonzero(picture[0].numpy())
        assert (x, y) == (columns.min(), rows.min())
        assert (right, down) == (columns.max() + 1, rows.max() + 1)
        assert 0 <= x < right <= 80
        assert 10 <= down - y <= 40


def test_the_digit_in_a_box_is_a_bundled_one():
    scenes = make_digit_scenes(20, size=8, digits=1, scale=(1, 1), validation=0, test=0)
    bundled = load_handwritten_digits(validation=0, test=0).train
    known = {
        (cut(picture[0].numpy()).tobytes(), int(label))
        for picture, label in zip(bundled.inputs, bundled.targets, strict=True)
    }
    for picture, boxes in zip(scenes.train.inputs, scenes.train.targets, strict=True):
        ink = np.round(cut(picture[0].numpy()) * (16 / 255)).astype(np.uint8)
        assert (ink.tobytes(), int(boxes[0, 4])) in known


def test_no_digit_is_in_two_parts():
    scenes = make_digit_scenes(
        90, size=8, digits=1, scale=(1, 1), validation=30, test=30, seed=2
    )
    parts = [
        {cut(picture[0].numpy()).tobytes() for picture in part.inputs}
        for part in (scenes.train, scenes.validation, scenes.test)
    ]
    assert all(len(part) > 25 for part in parts)
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_the_number_of_digits_is_drawn_and_they_overlap_little():
    scenes = make_digit_scenes(60, digits=(1, 4), scale=(2, 3), validation=0, test=0)
    counts = (scenes.train.targets[:, :, 4] >= 0).sum(dim=1)
    assert set(counts.tolist()) == {1, 2, 3, 4}
    boxes = scenes.train.targets
    inked = (scenes.train.inputs > 0).sum().item()
    areas = ((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])).sum().item()
    covered = sum(
        len({(x, y) for box in each.int().tolist() for x, y in inside(box)}) for each in boxes
    )
    assert inked <= covered <= areas < 1.05 * covered


@pytest.mark.parametrize(("part", "name"), [(0, "validation"), (0, "test")])
def test_a_part_of_no_scenes_is_none(part, name):
    scenes = make_digit_scenes(9, size=40, **{name: part})
    assert getattr(scenes, name) is None


def cut(picture: np.ndarray) -> np.ndarray:
    """Return a picture without the empty rows and columns around its ink."""
    rows, columns = np.nonzero(picture)
    return np.ascontiguousarray(
        picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    )


def inside(box: list[int]) -> list[tuple[int, int]]:
    """Return the pixels inside a box; padding has none."""
    x, y, right, down, _ = box
    return [(a, b) for a in range(x, right) for b in range(y, down)]
