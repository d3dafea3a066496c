"""The parts of a report that depend on the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from PIL.Image import Image
    from torch import Tensor

    from neuropil.report.evidence import Evidence, Figure
    from neuropil.report.example_pictures import Picture
    from neuropil.report.page import Section
    from neuropil.report.subject import Subject


class Headline(NamedTuple):
    """The metric that opens a report.

    Args:
        name: The name of the metric.
        figure: Its value and interval.
        guess: Its value for a constant prediction.
        sentence: The sentence that follows the value.
    """

    name: str
    figure: Figure
    guess: float
    sentence: str


class Targets(NamedTuple):
    """A description of the targets, for the section on the data.

    Args:
        facts: Names and values.
        sample_title: The heading of the samples.
        samples: The index and the caption of each training example to show.
    """

    facts: Sequence[tuple[str, str]]
    sample_title: str
    samples: Sequence[tuple[int, str]]


class TaskPages(NamedTuple):
    """The parts of a report that depend on the task.

    Args:
        intervals: Returns the metrics with their intervals, by name.
        headline: Returns the metric that shows whether the network beats guessing.
        remarks: Returns the sentences that go with it.
        results: Returns the section with the metrics and drawings.
        mistakes: Returns the section with the worst predictions.
        targets: Returns a description of the targets.
        answer: Returns the Python name of the predictions, and their shape in words.
        ranking: Returns the section with the curves of one class of two; None for others.
        certainty: Returns the section on calibration, for tasks with probabilities.
        pictures: Returns the section with predictions drawn on pictures, if they have a place.
        sample: Returns a training picture with its labels drawn, by its index; by default
            pictures are shown as they are.
        draw: Draws an answer, in the pixels of a picture, on this picture, for files of
            predictions; None if answers have no place.
        is_faultless: Tells whether every prediction is correct, so that more training cannot
            help.
    """

    intervals: Callable[[Evidence, Mapping[str, float]], dict[str, Figure]]
    headline: Callable[[Subject], Headline]
    remarks: Callable[[Subject], Iterable[str]]
    results: Callable[[Subject], Section]
    mistakes: Callable[[Subject], Section]
    targets: Callable[[Subject], Targets]
    answer: Callable[[Subject], tuple[str, str]]
    ranking: Callable[[Subject], Section | None] | None = None
    certainty: Callable[[Subject], Section] | None = None
    pictures: Callable[[Subject], Section] | None = None
    sample: Callable[[Subject, int], Picture] | None = None
    draw: Callable[[Any, Tensor, Any], Image] | None = None
    is_faultless: Callable[[Evidence], bool] | None = None
