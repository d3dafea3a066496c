"""The result of a detection in plain words, and its figures with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neuropil.report.evidence import Figure
from neuropil.report.sections.base import Headline
from neuropil.report.sections.detection.box_findings import findings
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, interval, number, percent
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.text import number_of, some_of
from neuropil.vision.detection.figures.box_f1 import f1_intervals
from neuropil.vision.detection.figures.precision_intervals import precision_intervals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Evidence, Values
    from neuropil.report.subject import Subject

# Smaller differences between training and held-out figures are not worth a remark.
NOTABLE_GAP = 0.02


def detection_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the figures of a detection that have an interval, by name."""
    task: Any = evidence.task
    answers, targets = map(torch.from_numpy, (evidence.answers, evidence.targets))
    intervals = precision_intervals(answers, targets, evidence.classes)
    intervals |= f1_intervals(answers, targets, task.thresholds, evidence.classes)
    return {
        name: Figure(values[name], *ends) for name, ends in intervals.items() if name in values
    }


def detection_headline(subject: Subject) -> Headline:
    """Return AP50 with what is found at the score thresholds."""
    found, figure = findings(subject.evidence), subject.measured.get("ap50")
    if figure is None:
        nothing = Figure(0.0, 0.0, 1.0)
        return Headline(
            "ap50", nothing, 0.0, f"is AP50: the {subject.examples} have no boxes to be found."
        )
    right, given, boxes = found.counts.sum(axis=0).tolist()
    sentence = (
        f"is the average precision at IoU 0.5 (AP50) on {subject.examples} ({INTERVAL} "
        f"{interval('ap50', figure)}): {right:,} of {number_of(boxes, 'box')} are found, and "
        f"{given - right:,} of {given:,} predicted boxes are wrong."
    )
    return Headline("ap50", figure, 0.0, sentence)


def detection_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on the errors, the thresholds, the hardest class and overfitting."""
    if "ap50" not in subject.measured:
        return
    found, measured = findings(subject.evidence), subject.measured
    if "ap" in measured:
        yield (
            f"AP, averaged over IoU from 0.5 to 0.95, is {number(measured['ap'].value)} "
            f"({INTERVAL} {interval('ap', measured['ap'])}): it also asks how exactly the "
            "boxes fit."
        )
    yield from threshold_remark(subject)
    if found.kinds:
        yield f"Errors: {found.kinds_in_words}."
    else:
        yield f"No {subject.noun} has an error."
    yield from hardest_remark(subject)
    yield from absent_remark(subject)
    yield from memorised_remark(subject, "ap50", "AP50 is", exceeds_chance)


def threshold_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark on the thresholds, and on the figures at them."""
    task: Any = subject.evidence.task
    figure = subject.measured.get("f1")
    if figure is None:
        return
    right, given, boxes = findings(subject.evidence).counts.sum(axis=0).tolist()
    low, high = min(task.thresholds), max(task.thresholds)
    limits = f"{low:.2f}" if high - low < 0.005 else f"{low:.2f} to {high:.2f}"
    origin = ", chosen on the validation part" if task.intervals else ""
    recall = percent(right / boxes)
    precision = percent(right / given) if given else "none"
    yield (
        f"A box is predicted if its score is above the threshold of its class, {limits}{origin}"
        f": {recall} of the boxes are found, {precision} of the predicted ones are right, and "
        f"the mean F1 of the classes is {number(figure.value)} ({INTERVAL} "
        f"{interval('f1', figure)})."
    )


def hardest_remark(subject: Subject) -> Iterator[str]:
    """Yield the class with the lowest AP50, if the classes differ in it."""
    each = [
        (subject.measured[name].value, label)
        for label in subject.evidence.classes
        if (name := figure_of("ap50", label)) in subject.measured
    ]
    if len({value for value, _ in each}) > 1:
        value, label = min(each, key=lambda pair: pair[0])
        place = subject.evidence.classes.index(label)
        right, _, boxes = findings(subject.evidence).counts[place].tolist()
        yield (
            f"The hardest class is “{label}”: AP50 {number(value)}, {right:,} of its "
            f"{number_of(boxes, 'box')} found."
        )


def absent_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark on the classes without boxes, which have no figures."""
    counts = findings(subject.evidence).counts[:, 2]
    absent = [
        f"“{name}”" for name, n in zip(subject.evidence.classes, counts, strict=True) if not n
    ]
    if absent:
        yield (
            f"The means leave out {number_of(len(absent), 'class')} without a box here: "
            f"{some_of(absent, 5)}."
        )


def exceeds_chance(trained: float, held: Figure) -> bool:
    """Tell whether a training figure is above the held-out one by more than chance."""
    return trained > held.high and trained > held.value + NOTABLE_GAP
