"""The worst mistakes, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.evidence import WORDS, Array
from neuropil.report.example_pictures import can_be_shown, gallery, picture, value_range
from neuropil.report.html import Content, Html, element, table
from neuropil.report.original_rows import feature_names, row_values
from neuropil.report.wording import given, number, percent

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

MOST_PICTURES = 24
MOST_ROWS = 12
# As many are shown where there is no mistake at all.
UNSURE = 8


def mistakes(subject: Subject) -> Html:
    """Return the most confident mistakes, or the largest errors, as pictures or rows."""
    order, title, note = chosen(subject)
    shown = can_be_shown(tuple(subject.splits.input_shape))
    order = order[: MOST_PICTURES if shown else MOST_ROWS]
    return element(
        "section",
        element("h2", title),
        element("p", note, class_="note"),
        pictures(subject, order) if shown else rows(subject, order),
        id="mistakes",
    )


def chosen(subject: Subject) -> tuple[Array, str, str]:
    """Return which examples to show, worst first, and what they are."""
    evidence, noun = subject.evidence, subject.noun
    where = f"{WORDS[evidence.part]} {noun}s"
    if evidence.classes is None:
        spread = np.asarray(subject.splits.preparation.target.scale)
        # Outputs in different units are compared by their own spread.
        size = (np.abs(evidence.outputs - evidence.targets) / spread).max(axis=1)
        return np.argsort(-size), "The largest errors", f"Of all {where}, worst first."
    sure = evidence.outputs.max(axis=1)
    wrong = np.flatnonzero(~evidence.right)
    if len(wrong):
        note = (
            f"The {where} about which it was most sure and yet wrong. Look for wrong labels, "
            f"unreadable {noun}s, and kinds that the training part lacks."
        )
        return wrong[np.argsort(-sure[wrong])], "Most confident mistakes", note
    note = f"There are no mistakes. These are the {where} about which it was least sure."
    return np.argsort(sure)[:UNSURE], "Least certain", note


def example_name(subject: Subject, index: int) -> str:
    """Return what an example is called: its file, or its number."""
    names = subject.evidence.data.names
    return f"no. {index + 1}" if names is None else names[index]


def verdict(subject: Subject, index: int) -> tuple[str, str, str]:
    """Return an example's true value, what the network said, and how sure or far off it was."""
    evidence = subject.evidence
    said, true = evidence.outputs[index], evidence.targets[index]
    if evidence.classes is None:
        error = said - true
        texts = [
            ", ".join(map(write, values)) for write, values in ((given, true), (number, said))
        ]
        return texts[0], texts[1], "off by " + ", ".join(map(number, error))
    guess = int(said.argmax())
    return evidence.classes[int(true)], evidence.classes[guess], percent(float(said[guess]))


def pictures(subject: Subject, order: Array) -> Html:
    """Return examples as pictures with what they are and what they were taken for."""
    limits = value_range(subject.splits)
    cards = []
    for index in map(int, order):
        true, said, how = verdict(subject, index)
        name = example_name(subject, index)
        cards.append(
            element(
                "li",
                picture(
                    subject.evidence.data.inputs[index],
                    limits,
                    f"{name}: {true}, predicted {said}",
                ),
                element(
                    "span", caption(true, said, regression=subject.evidence.classes is None)
                ),
                element("span", how, class_="how"),
                element("span", name, class_="file", title=name),
            )
        )
    return gallery(cards, tuple(subject.splits.input_shape))


def caption(true: str, said: str, *, regression: bool) -> Html:
    """Return what an example is and what it was taken for."""
    if regression:
        return element("span", "true ", element("b", true), ", predicted ", element("b", said))
    if true == said:
        return element("b", true)
    return element(
        "span", element("b", true), " taken for ", element("b", said, class_="wrong")
    )


def rows(subject: Subject, order: Array) -> Html:
    """Return examples as the rows of a table."""
    names = feature_names(subject.splits)
    how = "error" if subject.evidence.classes is None else "probability"
    body: list[list[Content]] = []
    for index in map(int, order):
        true, said, sure = verdict(subject, index)
        values = row_values(subject.splits, subject.evidence.data.inputs[index])
        body.append(
            [example_name(subject, index), true, said, sure.removeprefix("off by "), *values]
        )
    return table(["", "true", "predicted", how, *names], body, class_="numbers rows")
