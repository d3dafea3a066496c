"""Dice and IoU of masks, from counts of pixels that add up over pictures."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.datasets.masks.masks_target import IGNORED
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.figures.rare_class import task_metric
from neuropil.training.metrics.base import Metric, metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.runs.task import Task

# Columns of the statistics of a class: common, predicted and true pixels; the sum of Dice over
# pictures, and their number.
COMMON, PREDICTED, TRUE, DICE, PICTURES = range(5)
COLUMNS = 5


def figure(
    totals: Tensor, values: Callable[[Tensor], Tensor], number: int | None = None
) -> float:
    """Return a figure of one class, or its mean over the classes that occur; NaN for none.

    Args:
        totals: Statistics of the classes, ``(C · 5)``.
        values: Returns a value for each row of statistics, NaN for a class that never occurs.
        number: The row of the class; None for the mean.
    """
    each = values(totals.reshape(-1, COLUMNS))
    return float(each.nanmean() if number is None else each[number])


def dice_values(rows: Tensor) -> Tensor:
    """Return 2 |A ∩ B| / (|A| + |B|) for each row of statistics."""
    return 2 * rows[:, COMMON] / (rows[:, PREDICTED] + rows[:, TRUE])


def iou_values(rows: Tensor) -> Tensor:
    """Return |A ∩ B| / |A ∪ B| for each row of statistics."""
    return rows[:, COMMON] / (rows[:, PREDICTED] + rows[:, TRUE] - rows[:, COMMON])


def picture_values(rows: Tensor) -> Tensor:
    """Return the mean Dice of the pictures for each row of statistics."""
    return rows[:, DICE] / rows[:, PICTURES]


FIGURES: dict[str, Callable[[Tensor], Tensor]] = {
    "dice": dice_values,
    "iou": iou_values,
    "dice_per_picture": picture_values,
}


@metric(functools.partial(figure, values=dice_values), greater_is_better=True, takes="values")
def mask_dice(masks: Tensor, targets: Tensor, *, classes: Sequence[int] = (1,)) -> Tensor:
    """Return Dice, ``2 |A ∩ B| / (|A| + |B|)``, of all pixels; the mean over the classes.

    Classes that neither the masks nor the targets have are left out, and pixels of 255 in the
    targets count for nothing.

    Shape:
        Masks and targets ``(N, H, W)``.

    Args:
        masks: The predicted class of each pixel.
        targets: The true class of each pixel, or 255.
        classes: The classes to judge; by default class 1, the foreground.

    Raises:
        ValueError: If the shapes do not fit.

    Reference:
        Dice, "Measures of the amount of ecologic association between species", 1945.

    Example:
        >>> import torch
        >>> mask_dice(torch.tensor([[[1, 1, 0]]]), torch.tensor([[[1, 0, 0]]]))
        0.6666666666666666
    """
    return overlaps(masks, targets, classes)


@metric(functools.partial(figure, values=iou_values), greater_is_better=True, takes="values")
def mask_iou(masks: Tensor, targets: Tensor, *, classes: Sequence[int] = (1,)) -> Tensor:
    """Return the intersection over union of all pixels; the mean over the classes.

    It is ``|A ∩ B| / |A ∪ B|``, otherwise as `mask_dice`. With all classes, background
    included, it is the mean IoU of VOC.

    Shape:
        Masks and targets ``(N, H, W)``.

    Args:
        masks: The predicted class of each pixel.
        targets: The true class of each pixel, or 255.
        classes: The classes to judge; by default class 1, the foreground.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> mask_iou(torch.tensor([[[1, 1, 0]]]), torch.tensor([[[1, 0, 0]]]))
        0.5
    """
    return overlaps(masks, targets, classes)


def overlaps(masks: Tensor, targets: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the statistics of classes, ``(C · 5)``, which add up over batches."""
    return picture_rows(masks, targets, classes).sum(0).flatten()


def picture_rows(masks: Tensor, targets: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the statistics of classes in each picture, ``(N, C, 5)``."""
    counts = picture_overlaps(masks, targets, classes)
    both = counts[..., PREDICTED] + counts[..., TRUE]
    each = (2 * counts[..., COMMON] / both).nan_to_num(0)
    return torch.cat([counts, each[..., None], (both > 0)[..., None].double()], dim=-1)


def picture_overlaps(masks: Tensor, targets: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the common, predicted and true pixels of classes in each picture, ``(N, C, 3)``.

    Masks and targets may have padding at the right and the bottom, of different sizes.

    Args:
        masks: The predicted class of each pixel.
        targets: The true class of each pixel, or 255.
        classes: The classes.

    Raises:
        ValueError: If there are not as many masks as targets.
    """
    if masks.ndim != 3 or targets.ndim != 3 or len(masks) != len(targets):
        raise ValueError(
            f"masks and targets must be (N, H, W), got {tuple(masks.shape)} and "
            f"{tuple(targets.shape)}."
        )
    height, width = (min(m, t) for m, t in zip(masks.shape[1:], targets.shape[1:], strict=True))
    masks, targets = (
        masks[:, :height, :width].flatten(1),
        targets[:, :height, :width].flatten(1),
    )
    numbers = torch.tensor(list(classes), device=masks.device)
    found = [
        torch.stack([count(true[true == mask]), count(mask[true != IGNORED]), count(true)])
        for mask, true in zip(masks, targets, strict=True)
    ]
    if not found:
        return torch.zeros(0, len(numbers), 3, dtype=torch.float64)
    return torch.stack(found)[..., numbers].mT.double()


def count(values: Tensor) -> Tensor:
    """Return how often each class number occurs."""
    return values.long().bincount(minlength=IGNORED + 1)


def segmentation_metrics(task: Task[Any], names: Sequence[str]) -> tuple[Metric, ...]:
    """Return Dice, IoU and Dice per picture, over all judged classes and for each.

    All metrics have one function that gathers, so outputs are decoded and counted once for all.

    Args:
        task: The task that decodes outputs to masks.
        names: The names of the judged classes.
    """
    gather = functools.partial(gather_overlaps, task)
    own = {name: functools.partial(figure, values=values) for name, values in FIGURES.items()}
    of_classes = {
        figure_of(name, of): functools.partial(figure, values=FIGURES[name], number=number)
        for number, of in enumerate(names if len(names) > 1 else ())
        for name in ("dice", "iou")
    }
    return tuple(
        task_metric(task, name, gather, compute) for name, compute in (own | of_classes).items()
    )


def gather_overlaps(task: Task[Any], outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the statistics of decoded outputs and restored targets."""
    return overlaps(task.decode(outputs), task.restore(targets), task.target.judged)


def picture_dice(counts: Tensor) -> Tensor:
    """Return the mean Dice over the classes of each picture; NaN for a picture without any.

    Args:
        counts: Result of `picture_overlaps`.
    """
    each = 2 * counts[..., COMMON] / (counts[..., PREDICTED] + counts[..., TRUE])
    return each.nanmean(dim=1)
