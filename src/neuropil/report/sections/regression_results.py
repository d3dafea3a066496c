"""The sections on a regression: metrics, drawings and the largest errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.plots.regression_errors import error_by_decile, predicted_against_true, residuals
from neuropil.report.page import Section
from neuropil.report.sections.examples import Verdict, worst_examples
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.svg import drawing
from neuropil.report.wording import data_number, number
from neuropil.text import number_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from neuropil.report.subject import Subject

# More points would only make the file larger, not the picture clearer.
MOST_POINTS = 1500
MOST_OUTPUTS = 4


def regression_results(subject: Subject) -> Section:
    """Return the metrics, and drawings of predictions, residuals and errors per output."""
    examples, outputs = subject.evidence.targets.shape
    return Section(
        "regression_results",
        outputs=[drawings(subject, k) for k in range(min(outputs, MOST_OUTPUTS))],
        count=outputs,
        examples=examples,
        points=min(examples, MOST_POINTS),
        **figures_table(subject),
    )


def drawings(subject: Subject, column: int) -> dict[str, Markup | str]:
    """Return the title and the three drawings of one output."""
    predicted, true = subject.evidence.answers[:, column], subject.evidence.targets[:, column]
    names = subject.splits.preparation.target.names
    name = names[column] if names else None
    some = np.random.default_rng(0).permutation(len(true))[:MOST_POINTS]
    about = f"for {number_of(len(true), 'example')}."
    return {
        "title": name or f"Output {column + 1}",
        "fit": drawing(
            predicted_against_true(predicted[some], true[some], name),
            f"fit{column}",
            f"Predicted against true values {about}",
        ),
        "residuals": drawing(
            residuals(predicted[some], true[some], name),
            f"residuals{column}",
            f"Residuals against predictions {about}",
        ),
        "deciles": drawing(
            error_by_decile(predicted, true, name),
            f"deciles{column}",
            f"Mean absolute error and mean error by tenths of the true values {about}",
        ),
    }


def regression_mistakes(subject: Subject) -> Section:
    """Return the section with the largest errors."""
    evidence = subject.evidence
    error = evidence.answers - evidence.targets
    names = evidence.task.target.columns

    def verdict(index: int) -> Verdict:
        true = "; ".join(map(data_number, evidence.targets[index]))
        said, off = ("; ".join(map(number, v[index])) for v in (evidence.answers, error))
        return Verdict(true, said, off)

    examples = worst_examples(subject, evidence.mistakes, verdict)
    return Section("regression_mistakes", targets=list(names or ()), **examples)
