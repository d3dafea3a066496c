"""Whether the network is right as often as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.plots.calibration import calibration, reliability
from neuropil.report.headline import main_figure
from neuropil.report.html import Html, element
from neuropil.report.svg import drawing
from neuropil.report.wording import THIN, examples_of, percent

if TYPE_CHECKING:
    from neuropil.report.subject import Subject


def certainty_section(subject: Subject) -> Html | None:
    """Return the reliability diagram and the calibration error; None for regression."""
    evidence = subject.evidence
    if evidence.classes is None:
        return None
    found = reliability(evidence.outputs, evidence.targets)
    error = percent(found.error)
    picture = drawing(
        calibration(evidence.outputs, evidence.targets),
        "calibration",
        f"Reliability diagram over {examples_of(evidence, subject.splits.kind)}: the expected "
        f"calibration error is {error}.",
    )
    words = element(
        "div",
        element("p", element("span", error, class_="figure"), " expected calibration error"),
        element(
            "p",
            f"When it says “90{THIN}% sure”, is it right in 90{THIN}% of the cases? Each point "
            "gathers predictions of similar certainty: across is how sure the network was, "
            "upwards how often it was right. On the dashed line both agree; below it, the "
            f"network is too sure of itself. Lines are 95{THIN}% intervals: points with few "
            "examples say little.",
        ),
        element(
            "p",
            "The error is the mean distance between certainty and truth, in ten steps of "
            "certainty, weighted by their numbers of examples.",
            class_="note",
        ),
        uneven(subject),
    )
    return element(
        "section",
        element("h2", "How far to trust its certainty"),
        element("div", picture, words, class_="pair slim"),
        id="certainty",
    )


def uneven(subject: Subject) -> Html | None:
    """Say where a small error is no merit."""
    if main_figure(subject) == "accuracy":
        return None
    return element(
        "p",
        "Always answering the most frequent class, as sure as that class is frequent, would "
        "have an error of nearly 0: here the error says nothing about the other classes.",
    )
