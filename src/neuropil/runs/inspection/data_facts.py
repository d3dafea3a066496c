"""Facts on the data that are known before a training: labels, sizes, columns, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.text import some_of

if TYPE_CHECKING:
    from neuropil.datasets import Splits

MOST_NAMES = 5


def describe_labels(splits: Splits) -> dict[str, str]:
    """Return a description of the labels of each part that has been read, by part.

    Args:
        splits: The data.

    Example:
        >>> from neuropil import datasets
        >>> digits = datasets.load_handwritten_digits()
        >>> describe_labels(digits)["train"]
        "121 to 128 of each class, fewest of '8'"
    """
    return {
        name: splits.target.describe(part.targets.cpu())
        for name, part in splits.parts.items()
        if part.targets is not None and len(part)
    }


def missing_classes(splits: Splits) -> list[str]:
    """Return a sentence about each part that lacks a class of the training part.

    Args:
        splits: The data.
    """
    counts = {
        name: splits.target.count(part.targets.cpu())
        for name, part in splits.parts.items()
        if part.targets is not None and len(part)
    }
    trained = counts.pop("train", None) or []
    sentences = []
    for name, found in counts.items():
        classes = getattr(splits.target, "classes", ())
        each = zip(classes, trained, found or (), strict=False)
        lacking = [repr(label) for label, known, count in each if known and not count]
        if lacking:
            sentences.append(
                f"The {name} part has no example of {some_of(lacking, MOST_NAMES)}: its "
                f"figures say nothing about {'it' if len(lacking) == 1 else 'them'}."
            )
    return sentences
