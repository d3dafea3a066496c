"""Pictures whose predicted masks are wrong, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.runs.task import Mistake
from neuropil.text import number_of, some_of
from neuropil.vision.segmentation.mask_metrics import picture_dice, picture_overlaps

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Masks

# The classes of a picture that are named.
MOST_NAMES = 3


def mask_mistakes(answers: Tensor, targets: Tensor, target: Masks) -> list[Mistake]:
    """Return the pictures whose masks are not exact, that with the smallest Dice first.

    Args:
        answers: The predicted masks.
        targets: The true ones.
        target: The classes.
    """
    found = picture_overlaps(answers, targets, target.judged)
    size = 1 - picture_dice(found)
    order = size.argsort(descending=True, stable=True)
    names = [target.classes[number] for number in target.judged]
    return [
        Mistake(place, errors_in_words(found[place], names), float(size[place]))
        for place in order.tolist()
        if size[place] > 0
    ]


def errors_in_words(counts: Tensor, names: list[str]) -> str:
    """Return the Dice of each class of a picture that is not exact, and its wrong pixels.

    Args:
        counts: Common, predicted and true pixels of each class, ``(C, 3)``.
        names: The names of the classes.
    """
    rows = zip(names, counts.tolist(), strict=True)
    parts = [
        f"{name}: Dice {2 * common / (predicted + true):.2f}, "
        f"{number_of(int(true - common), 'pixel')} missed, {int(predicted - common):,} too many"
        for name, (common, predicted, true) in rows
        if predicted + true > 2 * common
    ]
    return some_of(parts, MOST_NAMES)
