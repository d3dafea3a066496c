"""The section on the results of landmarks: figures, errors of pictures and of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.plots.landmarks.error_curve import landmark_errors
from neuropil.report.page import Section
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.sections.landmarks.landmark_findings import (
    baseline_errors,
    errors_of,
    point_rows,
    unit,
)
from neuropil.report.svg import drawing

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

# Longer tables scroll inside their own frame.
LONG = 25


def landmark_results(subject: Subject) -> Section:
    """Return the figures, the distribution of errors, and the error of each point."""
    found = errors_of(subject.evidence)
    curve = None
    if len(found.pictures):
        figure = landmark_errors(
            found.pictures,
            unit=unit(subject),
            others=baseline_errors(subject),
            name="mean training points",
        )
        about = f"Share of {subject.examples} with at most each error."
        curve = drawing(figure, "landmark-errors", about)
    rows = point_rows(subject)
    many = len(rows) > LONG
    if many:
        rows.sort(key=lambda row: -np.nan_to_num(row["error"], nan=-1))
    return Section(
        "landmark_results",
        points=rows,
        many=many,
        curve=curve,
        unit=unit(subject),
        noun=subject.noun,
        **figures_table(subject, of_classes=not many),
    )
