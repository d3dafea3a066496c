"""The section on the importance of the columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.plots.column_importance import MOST_COLUMNS, column_importance
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.runs.figures.importance import permutation_importance
from neuropil.text import figure_name

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

# With more columns, each would be measured on few rows, for a long time.
MOST_MEASURED = 200


def importance_section(subject: Subject) -> Section | None:
    """Return the importance of the columns, for tables with several columns."""
    preparation: Any = subject.splits.preparation
    if preparation.kind != "table" or not 1 < len(preparation.columns) <= MOST_MEASURED:
        return None
    evidence = subject.evidence
    try:
        found = permutation_importance(
            subject.network, evidence.data, evidence.task, preparation
        )
    except ValueError:  # too few rows of some class
        return None
    metric = figure_name(evidence.task.metrics()[0].name)
    best = found[0]
    words = f"{metric} drops by {best.drop:.3g} when “{best.name}” is shuffled"
    useless = [each.name for each in found if each.low <= 0 <= each.high]
    return Section(
        "importance",
        drawing=drawing(
            column_importance(found, metric), "importance", f"The {words}.", least=330
        ),
        metric=metric,
        judged_on=subject.examples,
        count=len(found),
        shown=min(len(found), MOST_COLUMNS),
        useless=useless,
    )
