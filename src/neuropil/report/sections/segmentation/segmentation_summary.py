"""The figures of a segmentation in words, with their intervals."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.report.evidence import Figure
from neuropil.report.sections.base import Headline
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, interval, number
from neuropil.runs.figures.confidence_interval import bootstrap_interval
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.text import number_of, some_of
from neuropil.vision.segmentation.mask_metrics import FIGURES, picture_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Evidence, Values
    from neuropil.report.subject import Subject

# Smaller differences between training and held-out Dice are not worth a remark.
NOTABLE_GAP = 0.02
# The classes that the headline names.
MOST_NAMES = 5


def counts_of(evidence: Evidence) -> np.ndarray[Any, Any]:
    """Return the statistics of the judged classes in each picture, ``(N, C, 5)``."""
    answers, targets = map(torch.from_numpy, (evidence.answers, evidence.targets))
    return picture_rows(answers, targets, evidence.task.target.judged).numpy()


def judged_names(evidence: Evidence) -> list[str]:
    """Return the names of the classes that figures judge."""
    return [evidence.classes[each] for each in evidence.task.target.judged]


def segmentation_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the figures with bootstrap intervals over the pictures."""
    rows = counts_of(evidence)
    flat = rows.reshape(len(rows), -1)
    judged = judged_names(evidence)
    figures = {}
    for name in values:
        metric, _, of = name.partition(" of ")
        if metric not in FIGURES:
            continue
        place = judged.index(of) if of else None
        found = functools.partial(resampled, name=metric, place=place)
        with np.errstate(invalid="ignore"):
            figures[name] = Figure(values[name], *bootstrap_interval(found, flat))
    return figures


def resampled(
    means: np.ndarray[Any, Any], *, name: str, place: int | None
) -> np.ndarray[Any, Any]:
    """Return a figure of each resample of the pictures.

    Args:
        means: Means of the statistics over the pictures, ``(B, C · 5)``.
        name: The figure.
        place: The place of the class; None for the mean over the classes.
    """
    rows = torch.from_numpy(means)
    each = FIGURES[name](rows.reshape(-1, 5)).reshape(len(rows), -1)
    return (each.nanmean(1) if place is None else each[:, place]).nan_to_num(0).numpy()


def segmentation_headline(subject: Subject) -> Headline:
    """Return Dice, beside that of marking every pixel."""
    evidence, figure = subject.evidence, subject.measured.get("dice")
    judged = ", ".join(judged_names(evidence)[:MOST_NAMES])
    if figure is None:
        nothing = Figure(0.0, 0.0, 1.0)
        words = f"is the Dice: the {subject.examples} have no pixels of {judged}."
        return Headline("dice", nothing, 0.0, words)
    guess, _ = guessing(evidence)
    sentence = (
        f"is the Dice of {judged} on {subject.examples} ({INTERVAL} "
        f"{interval('dice', figure)}): twice the pixels that the predicted and the true mask "
        "share, divided by the pixels of both."
    )
    return Headline("dice", figure, guess, sentence)


def guessing(evidence: Evidence) -> tuple[float, str]:
    """Return the best Dice of marking every pixel as one class, and this class."""
    true = counts_of(evidence)[..., 2].sum(0)
    known = (evidence.targets != 255).sum()
    dice = 2 * true / (known + true)
    return float(dice.max() / len(true)), judged_names(evidence)[int(dice.argmax())]


def segmentation_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on guessing, IoU, single pictures, the hardest class and overfitting."""
    measured = subject.measured
    if "dice" not in measured:
        return
    guess, of = guessing(subject.evidence)
    yield f"Marking every pixel as “{of}” would give a Dice of {number(guess)}."
    each, iou = measured["dice_per_picture"], measured["iou"]
    ends = interval("dice_per_picture", each)
    yield (
        f"The IoU is {number(iou.value)} ({INTERVAL} {interval('iou', iou)}). The mean Dice "
        f"per picture is {number(each.value)} ({INTERVAL} {ends}): there, a picture with "
        "little to mark counts as much as any other."
    )
    classes = judged_names(subject.evidence)
    known = [
        (measured[name].value, c) for c in classes if (name := figure_of("dice", c)) in measured
    ]
    if len({value for value, _ in known}) > 1:
        value, label = min(known)
        yield f"The hardest class is “{label}”: Dice {number(value)}."
    counts = counts_of(subject.evidence)[..., 2].sum(0)
    absent = [f"“{name}”" for name, n in zip(classes, counts, strict=True) if not n]
    if absent:
        yield (f"{number_of(len(absent), 'class')} without a pixel here: {some_of(absent, 5)}.")
    yield from memorised_remark(subject, "dice", "the Dice is", exceeds_chance)


def exceeds_chance(trained: float, held: Figure) -> bool:
    """Tell whether a training figure is above the held-out one by more than chance."""
    return trained > held.high and trained > held.value + NOTABLE_GAP
