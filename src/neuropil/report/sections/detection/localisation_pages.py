"""The parts of a report that are specific to localisation: one thing in each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from neuropil.plots.classification.confusion import confusion_matrix
from neuropil.report.evidence import Figure
from neuropil.report.page import Section
from neuropil.report.sections.base import Headline, TaskPages
from neuropil.report.sections.detection.box_findings import findings
from neuropil.report.sections.detection.box_pictures import (
    answer_picture,
    box_mistakes,
    box_pictures,
    labelled_picture,
)
from neuropil.report.sections.detection.detection_pages import answer, is_faultless, targets
from neuropil.report.sections.detection.detection_results import MOST_DRAWN, NOTHING
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.svg import drawing
from neuropil.report.wording import INTERVAL, interval, number, percent
from neuropil.runs.figures.confidence_interval import bootstrap_interval, wilson_interval
from neuropil.text import number_of
from neuropil.vision.detection.localisation_metrics import best_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Evidence, Values
    from neuropil.report.subject import Subject

Array = np.ndarray[Any, Any]

# A box fits if it overlaps the true one this much.
FITS = 0.5
# Smaller differences between training and held-out accuracy are not worth a remark.
NOTABLE_GAP = 0.01


class Places(NamedTuple):
    """Prediction and truth of each picture: class numbers, or −1 for nothing, and their IoU.

    Attributes:
        predicted: The predicted class.
        true: The true class.
        overlap: IoU of both boxes; 0 where one is missing.
    """

    predicted: Array
    true: Array
    overlap: Array


def places_of(evidence: Evidence) -> Places:
    """Return the prediction and the truth of each picture."""
    rows = map(torch.from_numpy, (evidence.answers, evidence.targets))
    predicted, true, overlap = (part.numpy() for part in best_of(*rows))
    return Places(predicted.astype(int), true.astype(int), overlap)


def localisation_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the accuracy and the mean IoU with their intervals."""
    found = places_of(evidence)
    right = int((found.predicted == found.true).sum())
    figures = {"accuracy": Figure(values["accuracy"], *wilson_interval(right, len(found.true)))}
    overlaps = found.overlap[found.true >= 0, None]
    if "mean_iou" in values and len(overlaps):
        ends = bootstrap_interval(lambda means: means[:, 0], overlaps)
        figures["mean_iou"] = Figure(values["mean_iou"], *ends)
    return figures


def localisation_headline(subject: Subject) -> Headline:
    """Return the accuracy, and how well the boxes fit."""
    figure, true = subject.measured["accuracy"], places_of(subject.evidence).true
    fit = subject.measured.get("mean_iou")
    where = "" if fit is None else f", and the boxes overlap by an IoU of {number(fit.value)}"
    sentence = (
        f"of {subject.examples} are classified correctly ({INTERVAL} "
        f"{interval('accuracy', figure)}){where} on average."
    )
    guess = np.bincount(true + 1).max() / len(true)
    return Headline("accuracy", figure, float(guess), sentence)


def localisation_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on the boxes, the errors and overfitting."""
    found, fit = places_of(subject.evidence), subject.measured.get("mean_iou")
    if fit is not None:
        own = found.overlap[found.true >= 0]
        yield (
            f"The mean IoU of predicted and true boxes is {number(fit.value)} ({INTERVAL} "
            f"{interval('mean_iou', fit)}); {percent(float((own >= FITS).mean()))} of the "
            f"{number_of(len(own), 'box')} overlap by at least {FITS}."
        )
    kinds = findings(subject.evidence).kinds_in_words
    yield f"Errors: {kinds}." if kinds else f"No {subject.noun} has an error."
    yield from memorised_remark(subject, "accuracy", "the accuracy is", exceeds_chance)


def exceeds_chance(trained: float, held: Figure) -> bool:
    """Tell whether a training accuracy is above the held-out one by more than chance."""
    return trained > held.high and trained > held.value + NOTABLE_GAP


def localisation_results(subject: Subject) -> Section:
    """Return the figures, those of each class, and what is taken for what."""
    evidence, found = subject.evidence, places_of(subject.evidence)
    count = len(evidence.classes)
    true, predicted = (
        np.where(part < 0, count, part) for part in (found.true, found.predicted)
    )
    confusion = np.zeros((count + 1, count + 1), int)
    np.add.at(confusion, (true, predicted), 1)
    matrix = None
    if count < MOST_DRAWN:
        matrix = drawing(
            confusion_matrix(confusion, classes=[*evidence.classes, NOTHING]),
            "box-confusion",
            f"Confusion matrix: {int(np.diag(confusion).sum())} of {subject.examples} are "
            "classified correctly.",
            least=min(max(300, 26 * count), 900),
        )
    rows = [
        {
            "name": name,
            "count": int(of.sum()),
            "right": float((found.predicted[of] == place).mean()) if of.any() else np.nan,
            "overlap": float(found.overlap[of].mean()) if of.any() else np.nan,
        }
        for place, name in enumerate(evidence.classes)
        for of in (found.true == place,)
    ]
    return Section(
        "localisation_results",
        classes=rows,
        many=count > MOST_DRAWN,
        matrix=matrix,
        noun=subject.noun,
        **figures_table(subject),
    )


LOCALISATION = TaskPages(
    intervals=localisation_figures, headline=localisation_headline,
    remarks=localisation_remarks, results=localisation_results, mistakes=box_mistakes,
    targets=targets, answer=answer, pictures=box_pictures, sample=labelled_picture,
    draw=answer_picture, is_faultless=is_faultless,
)  # fmt: skip
