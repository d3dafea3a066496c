"""The metrics of the task of detection, all from the same rows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.figures.rare_class import task_metric
from neuropil.text import number_of
from neuropil.vision.detection.answer_rows import match_rows
from neuropil.vision.detection.figures.average_precision import precision_figure
from neuropil.vision.detection.figures.box_f1 import f1_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from neuropil.runs.task import Figures, Task
    from neuropil.training.metrics.base import Metric


def detection_metrics(
    task: Task[Any], classes: Sequence[str], thresholds: Sequence[float]
) -> tuple[Metric, ...]:
    """Return average precision and F1, over all classes and for each.

    Classes without boxes are left out of the means, and have no figure of their own. All
    metrics have one function that gathers, so outputs are decoded and matched once for all.

    Args:
        task: The task that decodes outputs to boxes and restores boxes from targets.
        classes: The names of the classes.
        thresholds: The score threshold of each class, for F1.
    """
    gather = functools.partial(gather_rows, task)
    own: dict[str, Callable[..., float]] = {
        "ap": precision_figure,
        "ap50": functools.partial(precision_figure, iou=0.5),
        "ap75": functools.partial(precision_figure, iou=0.75),
        "f1": functools.partial(f1_figure, thresholds=thresholds),
    }
    of_classes = {
        figure_of(name, of): functools.partial(own[name], number=number)
        for number, of in enumerate(classes)
        for name in ("ap", "ap50", "f1")
    }
    return tuple(
        task_metric(task, name, gather, compute, combine=torch.cat)
        for name, compute in (own | of_classes).items()
    )


def gather_rows(task: Task[Any], outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the rows of decoded outputs and restored targets."""
    return match_rows(task.decode(outputs), task.restore(targets))


def detection_verdict(figures: Figures, classes: int, examples: str) -> str:
    """Return average precision and F1 as a sentence.

    Args:
        figures: The metrics on some examples.
        classes: Number of classes.
        examples: A description of the examples.
    """
    ap, ap50, f1 = (figures[name] for name in ("ap", "ap50", "f1"))
    if ap is None or ap50 is None or f1 is None:
        return f"no boxes in the {examples}"
    over = number_of(classes, "class")
    return (
        f"AP50 {ap50:.3f} and AP {ap:.3f} over {over} on the {examples}; F1 {f1:.3f} at the "
        f"thresholds that validation chose"
    )
