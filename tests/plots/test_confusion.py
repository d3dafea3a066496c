"""The confusion matrix as a picture."""

import numpy as np
import pytest

from neuropil.plots import confusion_matrix

COUNTS = np.array([[8, 2, 0], [0, 10, 0], [1, 0, 0]])


def test_each_count_stands_in_its_cell():
    axes = confusion_matrix(COUNTS, ["a", "b", "c"]).axes[0]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "8", (1, 0): "2", (1, 1): "10", (0, 2): "1"}
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]


def test_right_is_blue_wrong_is_orange_and_more_is_stronger():
    picture = confusion_matrix(COUNTS).axes[0].get_images()[0].get_array()
    red, _, blue, alpha = np.moveaxis(np.asarray(picture), -1, 0)
    assert (blue > red)[np.eye(3, dtype=bool)].all()
    assert (red > blue)[~np.eye(3, dtype=bool)].all()
    assert alpha[1, 1] > alpha[0, 0] > alpha[2, 2] == 0
    assert alpha[2, 0] > alpha[0, 1] > 0


@pytest.mark.parametrize("classes", [2, 24, 100, 250])
def test_any_number_of_classes_can_be_drawn(classes):
    counts = np.eye(classes, dtype=int) * 7
    figure = confusion_matrix(counts, [f"a class with a long name {k}" for k in range(classes)])
    figure.canvas.draw()
    axes = figure.axes[0]
    assert len(axes.texts) == (classes if classes <= 24 else 0)
    heights = [text.get_window_extent().height for text in axes.get_yticklabels()]
    assert len(heights) == {250: 84}.get(classes, classes)
    room = axes.get_window_extent().height / len(heights)
    assert max(heights) < 1.25 * room
    assert axes.get_window_extent().width > 0.5 * figure.bbox.width


def test_names_are_text_and_no_mathematics():
    figure = confusion_matrix(COUNTS, ["$x$", "a\nb", "c" * 50])
    figure.canvas.draw()
    first, second, third = (text.get_text() for text in figure.axes[0].get_yticklabels())
    assert first == r"\$x\$"
    assert second == "a b"
    assert len(third) < 25
    assert third.endswith("…")


@pytest.mark.parametrize(
    ("matrix", "classes", "reason"),
    [
        ([[1, 2]], None, r"shape \(1, 2\)"),
        ([], None, "square"),
        ([[0.5, 0.5], [0, 1]], None, "needs counts"),
        ([[1, -1], [0, 1]], None, "needs counts"),
        ([[1, 0], [0, 1]], ["a"], "2 classes in the matrix, 1 names"),
    ],
)
def test_what_is_no_matrix_of_counts_is_refused(matrix, classes, reason):
    with pytest.raises(ValueError, match=reason):
        confusion_matrix(matrix, classes)
