"""The parts of a report that are specific to regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.report.evidence import regression_figures
from neuropil.report.sections.base import Targets, TaskPages
from neuropil.report.sections.regression_results import (
    regression_mistakes,
    regression_results,
)
from neuropil.report.sections.regression_summary import regression_headline, regression_remarks

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

MOST_SAMPLES = 20


def targets(subject: Subject) -> Targets:
    """Return the name and samples of the predicted numbers."""
    target, train = subject.evidence.task.target, subject.splits.train
    outputs = f", {target.outputs} numbers" if target.outputs > 1 else ""
    facts = [("task", f"regression of {subject.target}{outputs}")]
    samples = [(index, "") for index in range(min(len(train), MOST_SAMPLES))]
    return Targets(facts, f"The first training {subject.noun}s", samples)


def answer(subject: Subject) -> tuple[str, str]:
    """Return the Python name of the predictions, and their shape in words."""
    outputs = subject.splits.target.outputs
    shape = "(N)" if outputs == 1 else f"(N, {outputs})"
    own = "its own units" if outputs == 1 else "their own units"
    return "predictions", f"{shape}: {subject.target} in {own}"


REGRESSION = TaskPages(
    intervals=regression_figures, headline=regression_headline, remarks=regression_remarks,
    results=regression_results, mistakes=regression_mistakes, targets=targets, answer=answer,
)  # fmt: skip
