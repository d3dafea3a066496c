"""The section on the curves of one class of two, for all thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.plots.classification.ranking_curves import precision_recall_curve, roc_curve
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.report.wording import figure_text, interval
from neuropil.text import figure_name

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

CURVES = {"roc_auc": roc_curve, "average_precision": precision_recall_curve}


def ranking_section(subject: Subject) -> Section | None:
    """Return the ROC and precision–recall curves, if there are two classes and both occur."""
    evidence = subject.evidence
    task: Any = evidence.task
    if len(evidence.classes) != 2 or not set(CURVES) <= set(subject.measured):
        return None
    scores = evidence.answers[:, task.sought]
    members = (evidence.targets == task.sought).astype(int)
    limit = 0.5 if task.threshold is None else task.threshold
    curves = [
        {
            "drawing": drawing(
                curve(scores, members, threshold=limit),
                name.replace("_", "-"),
                f"{figure_name(name)} {figure_text(name, subject.measured[name].value)} over "
                f"{subject.examples}.",
            ),
            "name": figure_name(name),
            "value": figure_text(name, subject.measured[name].value),
            "interval": interval(name, subject.measured[name]),
        }
        for name, curve in CURVES.items()
    ]
    return Section(
        "ranking",
        roc=curves[0],
        precision=curves[1],
        name=evidence.classes[task.sought],
        limit=limit,
        chosen=task.threshold is not None,
        share=float(members.mean()),
        judged_on=subject.examples,
    )
