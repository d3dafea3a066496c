"""The parts of a report that depend on the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from neuropil.report.evidence import Evidence, Figure
    from neuropil.report.page import Section
    from neuropil.report.subject import Subject


class Headline(NamedTuple):
    """The figure that stands first in a report.

    Args:
        name: The name of the metric.
        figure: Its value and interval.
        guess: Its value if the answer were always the same.
        sentence: The sentence that begins with the value, without it.
    """

    name: str
    figure: Figure
    guess: float
    sentence: str


class ClassSizes(NamedTuple):
    """The number of examples of each class in each part.

    Args:
        parts: The parts, in words.
        rows: Each class with its counts, in the order of the parts.
        most: The largest count.
    """

    parts: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]
    most: int


@final
@dataclass(frozen=True)
class Targets:
    """The targets of the data, for the section on data.

    Args:
        facts: Names and values.
        sample_title: The heading of the samples.
        samples: Which training examples to show, and what each of them is.
        class_sizes: How many examples each class has.
    """

    facts: Sequence[tuple[str, str]]
    sample_title: str
    samples: Sequence[tuple[int, str]]
    class_sizes: ClassSizes | None = None


@final
@dataclass(frozen=True)
class TaskPages:
    """The parts of a report that depend on the task.

    Args:
        intervals: Measured figures with their intervals, by the names that metrics have.
        headline: The figure that says whether the network does more than guess.
        remarks: Sentences to be read beside it.
        results: The section of figures and drawings.
        mistakes: The section of the examples that are predicted worst.
        targets: A description of the targets.
        answer: The name of predictions in Python, and their shape in words.
        certainty: The section on probabilities, where there are any.
        is_faultless: Whether every example is predicted right, so that more training is vain.
    """

    intervals: Callable[[Evidence, Mapping[str, float]], dict[str, Figure]]
    headline: Callable[[Subject], Headline]
    remarks: Callable[[Subject], Iterable[str]]
    results: Callable[[Subject], Section]
    mistakes: Callable[[Subject], Section]
    targets: Callable[[Subject], Targets]
    answer: Callable[[Subject], tuple[str, str]]
    certainty: Callable[[Subject], Section] | None = None
    is_faultless: Callable[[Evidence], bool] | None = None
