"""The confusion matrix as a picture."""

import numpy as np
import pytest
import torch
from sklearn import metrics

from neuropil.plots import confusion_matrix

COUNTS = np.array([[8, 2, 0], [0, 10, 0], [1, 0, 0]])


def test_each_count_stands_in_its_cell():
    axes = confusion_matrix(COUNTS, classes=["a", "b", "c"]).axes[0]
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
    names = [f"a class with a long name {k}" for k in range(classes)]
    figure = confusion_matrix(counts, classes=names)
    figure.canvas.draw()
    axes = figure.axes[0]
    assert len(axes.texts) == (classes if classes <= 24 else 0)
    heights = [text.get_window_extent().height for text in axes.get_yticklabels()]
    assert len(heights) == {250: 84}.get(classes, classes)
    room = axes.get_window_extent().height / len(heights)
    assert max(heights) < 1.25 * room
    assert axes.get_window_extent().width > 0.5 * figure.bbox.width


def test_names_are_text_and_no_mathematics():
    figure = confusion_matrix(COUNTS, classes=["$x$", "a\nb", "c" * 50])
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
        confusion_matrix(matrix, classes=classes)


def drawn(figure):
    """Return the names of the rows, and the counts in the cells."""
    axes = figure.axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    counts = np.zeros((len(names), len(names)), dtype=int)
    for text in axes.texts:
        column, row = text.get_position()
        counts[row, column] = text.get_text()
    return names, counts


TRUE = np.array(["b", "a", "c", "a", "b", "a"])
PREDICTED = np.array(["b", "c", "c", "a", "a", "a"])


def test_labels_are_counted_as_scikit_learn_counts_them():
    names, counts = drawn(confusion_matrix(TRUE, PREDICTED))
    assert names == ["a", "b", "c"]
    assert counts.tolist() == metrics.confusion_matrix(TRUE, PREDICTED).tolist()


def test_classes_give_the_order_of_labels():
    order = ["c", "d", "b", "a"]
    names, counts = drawn(confusion_matrix(TRUE, PREDICTED, order))
    assert names == order
    assert counts.tolist() == metrics.confusion_matrix(TRUE, PREDICTED, labels=order).tolist()


def test_classes_name_the_numbers_and_a_network_gives_probabilities():
    true = torch.tensor([0, 2, 2, 1])
    probabilities = torch.tensor(
        [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4], [0.0, 1.0, 0.0]]
    )
    names, counts = drawn(confusion_matrix(true, probabilities, ["cat", "dog", "hen"]))
    assert names == ["cat", "dog", "hen"]
    assert counts.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    # A class that occurs nowhere has a row all the same: the network has an output for it.
    assert drawn(confusion_matrix(true[:1], probabilities[:1]))[0] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("targets", "predictions", "classes", "reason"),
    [
        ([0, 1], [0], None, "2 targets and 1 predictions"),
        ([], [], None, "at least one"),
        ([0, 3], [0, 1], ["a", "b"], "label 3 is not among the 2 classes"),
        (["x"], ["a"], ["a", "b"], "label 'x' is not among"),
        ([0.5, 1], [0, 1], None, "array of fractions"),
        ([0, 7], [[0.1, 0.9], [0.2, 0.8]], None, "label 7 is not among the 2 classes"),
    ],
)
def test_labels_that_do_not_fit_are_refused(targets, predictions, classes, reason):
    with pytest.raises(ValueError, match=reason):
        confusion_matrix(targets, predictions, classes)
