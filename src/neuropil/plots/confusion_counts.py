"""Counts of a confusion matrix, from the labels of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]


def check_counts(matrix: Any) -> Array:
    """Return the matrix as an array of counts.

    Raises:
        ValueError: If it is not a square matrix of counts.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"confusion_matrix: needs targets and predictions, or a square matrix (K, K), got "
            f"one array of shape {counts.shape}."
        )
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError("confusion_matrix: needs counts, which are integers of at least 0.")
    return counts


def count_labels(
    targets: Any, predictions: Any, classes: Sequence[object] | None
) -> tuple[Array, list[object]]:
    """Return the counts by true and predicted class, and the names of the classes.

    Args:
        targets: The true labels.
        predictions: The predicted labels, or the probabilities of the classes.
        classes: The classes in their order, or the names of the classes 0, 1, …

    Raises:
        ValueError: If the lengths differ, or a label is not among the classes.
    """
    true, predicted = as_labels(targets), np.asarray(predictions)
    known: Sequence[object] | None = None
    if predicted.ndim == 2 and predicted.shape[1] > 1:
        known = range(predicted.shape[1])
        predicted = predicted.argmax(axis=1)
    predicted = as_labels(predicted)
    if len(true) != len(predicted) or not len(true):
        raise ValueError(
            f"confusion_matrix: needs one prediction for each target, at least one, got "
            f"{len(true):,} targets and {len(predicted):,} predictions."
        )
    seen = np.unique([*true.tolist(), *predicted.tolist()]).tolist()
    labels, names = order_of(seen, known, classes)
    places = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    rows = [places[label] for label in true.tolist()]
    columns = [places[label] for label in predicted.tolist()]
    np.add.at(counts, (rows, columns), 1)
    return counts, names


def as_labels(values: Any) -> Array:
    """Return labels as an array of one axis.

    Raises:
        ValueError: If they have more, or are numbers that are not whole.
    """
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    fractions = labels.dtype.kind == "f" and bool((labels != np.floor(labels)).any())
    if labels.ndim != 1 or fractions:
        what = "fractions" if fractions else f"shape {labels.shape}"
        raise ValueError(
            f"confusion_matrix: needs one label per example, got an array of {what}."
        )
    return labels.astype(np.int64) if labels.dtype.kind in "fb" else labels


def order_of(
    seen: list[Any], known: Sequence[object] | None, classes: Sequence[object] | None
) -> tuple[Sequence[object], list[object]]:
    """Return the labels in the order of the rows, and the names of the rows.

    Raises:
        ValueError: If a label is not among the classes.
    """
    if classes is None:
        labels = seen if known is None else known
        names = list(labels)
    else:
        numbered = not {*seen} <= {*classes} and all(isinstance(label, int) for label in seen)
        labels = range(len(classes)) if numbered else list(classes)
        names = list(classes)
    if outside := [label for label in seen if label not in labels]:
        raise ValueError(
            f"confusion_matrix: the label {outside[0]!r} is not among the {len(names)} classes "
            f"{names[:5]}{'…' * (len(names) > 5)}."
        )
    return labels, names
