"""The section on the results of a detection: figures, classes, curves, confusions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.classification.confusion import confusion_matrix
from neuropil.plots.detection.box_curves import MOST_CLASSES, box_curves
from neuropil.report.page import Section
from neuropil.report.sections.detection.box_findings import findings
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.svg import drawing
from neuropil.report.wording import NONE, interval, number
from neuropil.runs.figures.decoded_metric import figure_of

if TYPE_CHECKING:
    from neuropil.report.sections.detection.box_findings import BoxFindings
    from neuropil.report.subject import Subject

# Longer tables scroll inside their own frame; larger confusion tables are not drawn.
LONG, MOST_DRAWN = 25, 25
MOST_CONFUSIONS = 12
NOTHING = "nothing"
# What each kind of error means.
KINDS = {
    "missed": "a box that no prediction overlaps enough",
    "mistaken": "the right place, another class",
    "misplaced": "the right class, but IoU below 0.5",
    "doubled": "a second prediction of one box",
    "background": "a prediction where there is nothing",
}


def detection_results(subject: Subject) -> Section:
    """Return the figures, those of each class, the curves, and what is taken for what."""
    evidence, found = subject.evidence, findings(subject.evidence)
    boxes = int(found.counts[:, 2].sum())
    curves = matrix = None
    if boxes:
        figure = box_curves(
            found.all_answers, found.targets, evidence.classes, thresholds=found.task.thresholds
        )
        about = f"Precision–recall curves of the classes over {subject.examples}."
        curves = drawing(figure, "box-curves", about)
    if len(evidence.classes) < MOST_DRAWN:
        right = int(np.diag(found.confusion).sum())
        matrix = drawing(
            confusion_matrix(found.confusion, classes=[*evidence.classes, NOTHING]),
            "box-confusion",
            f"Confusion table of the boxes: {right} of {boxes} are found with their class.",
            least=min(max(300, 26 * len(found.confusion)), 900),
        )
    return Section(
        "detection_results",
        classes=class_rows(subject, found),
        many=len(evidence.classes) > LONG,
        chosen=bool(found.task.intervals),
        curves=curves,
        not_drawn=max(0, int((found.counts[:, 2] > 0).sum()) - MOST_CLASSES),
        matrix=matrix,
        confusions=confusions(found),
        kinds=[(kind, found.kinds[kind], meaning) for kind, meaning in KINDS.items()],
        **figures_table(subject, of_classes=False),
    )


def class_rows(subject: Subject, found: BoxFindings) -> list[dict[str, Any]]:
    """Return the figures of each class; with many classes, the worst first."""
    task, measured = found.task, subject.measured
    rows = []
    for place, name in enumerate(found.classes):
        f1 = measured.get(figure_of("f1", name))
        ap50 = measured.get(figure_of("ap50", name))
        threshold = f"{task.thresholds[place]:.2f}"
        if task.intervals:
            low, high = task.intervals[place]
            threshold += f" ({low:.2f}–{high:.2f})"
        rows.append(
            {
                "name": name,
                "boxes": int(found.counts[place, 2]),
                "ap50": np.nan if ap50 is None else ap50.value,
                "f1": NONE if f1 is None else number(f1.value),
                "interval": NONE if f1 is None else interval("f1", f1),
                "threshold": threshold,
            }
        )
    if len(rows) > LONG:
        rows.sort(key=lambda row: np.nan_to_num(row["ap50"], nan=2.0))
    return rows


def confusions(found: BoxFindings) -> list[dict[str, Any]]:
    """Return the most frequent confusions of two classes."""
    counts = found.confusion[:-1, :-1]
    off = counts - np.diag(np.diag(counts))
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = [divmod(int(place), len(off)) for place in order]
    return [
        {
            "true": found.classes[true],
            "predicted": found.classes[predicted],
            "count": off[true, predicted],
            "of": found.confusion[true].sum(),
        }
        for true, predicted in places
        if off[true, predicted]
    ]
