"""The sections on a classification: confusion matrix, worst mistakes and calibration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.classification.calibration import calibration, reliability
from neuropil.plots.classification.confusion import confusion_matrix
from neuropil.report.classification_figures import per_class
from neuropil.report.page import Section
from neuropil.report.sections.classification_summary import main_figure
from neuropil.report.sections.examples import Verdict, worst_examples
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.svg import drawing
from neuropil.report.wording import percent

if TYPE_CHECKING:
    from neuropil.report.evidence import Evidence
    from neuropil.report.subject import Subject

# Longer tables scroll inside their own frame.
LONG = 25
MOST_CONFUSIONS = 12
# The number of examples shown when there are no mistakes.
UNSURE = 8


def classification_results(subject: Subject) -> Section:
    """Return the metrics, the confusion matrix, the most frequent mistakes and each class."""
    evidence = subject.evidence
    count = len(evidence.classes)
    matrix = drawing(
        confusion_matrix(evidence.confusion, classes=evidence.classes),
        "confusion",
        f"Confusion matrix of {count} classes: {int(evidence.right.sum())} of "
        f"{len(evidence.targets)} examples lie on the diagonal. The table below has the "
        "figures of each class.",
        least=min(max(300, 26 * count), 900),
    )
    return Section(
        "classification_results",
        matrix=matrix,
        confusions=confusions(evidence),
        classes=class_rows(evidence),
        many=count > LONG,
        **figures_table(subject),
    )


def confusions(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the most frequent mistakes."""
    confusion, classes = evidence.confusion, evidence.classes
    off = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    return [
        {
            "true": classes[true],
            "predicted": classes[said],
            "count": off[true, said],
            "of": confusion[true].sum(),
        }
        for true, said in (divmod(int(place), len(classes)) for place in order)
        if off[true, said]
    ]


def class_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Return precision, recall and F1 of each class; with many classes, the worst first."""
    keys = ("name", "count", "precision", "recall", "f1")
    rows: list[dict[str, Any]] = [
        dict(zip(keys, (name, *figures), strict=True))
        for name, figures in zip(evidence.classes, per_class(evidence.confusion), strict=True)
    ]
    if len(rows) > LONG:
        rows.sort(key=lambda row: -1.0 if math.isnan(row["f1"]) else row["f1"])
    return rows


def classification_mistakes(subject: Subject) -> Section:
    """Return the most confident mistakes; where there are none, the least certain answers."""
    evidence = subject.evidence
    predicted = evidence.predicted
    sure = np.take_along_axis(evidence.answers, predicted[:, None], axis=1)[:, 0]
    mistakes = evidence.mistakes

    def verdict(index: int) -> Verdict:
        true, said = (evidence.classes[v[index]] for v in (evidence.targets, predicted))
        return Verdict(true, said, percent(sure[index]))

    examples = worst_examples(subject, mistakes or np.argsort(sure)[:UNSURE], verdict)
    return Section("classification_mistakes", faultless=not mistakes, **examples)


def certainty_section(subject: Subject) -> Section:
    """Return the reliability diagram and the calibration error."""
    evidence = subject.evidence
    error = reliability(evidence.answers, evidence.targets).error
    diagram = drawing(
        calibration(evidence.answers, evidence.targets),
        "calibration",
        f"Reliability diagram over {subject.examples}: the expected calibration error is "
        f"{percent(error)}.",
    )
    # If a constant prediction is as accurate, a small error says little.
    uneven = main_figure(subject) != "accuracy"
    return Section("certainty", diagram=diagram, error=error, uneven=uneven)
