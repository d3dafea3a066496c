"""The figures of each part, and what was taken for what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from neuropil.plots.confusion import confusion_matrix
from neuropil.plots.regression import error_by_decile, predicted_against_true, residuals
from neuropil.report.evidence import WORDS, Array, per_class
from neuropil.report.html import Content, Html, element, table
from neuropil.report.svg import drawing
from neuropil.report.wording import (
    INTERVAL,
    NONE,
    counted,
    examples_of,
    figure_name,
    figure_text,
    interval,
    percent,
)

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

# Rows beyond this many scroll inside their own frame.
LONG = 25
MOST_CONFUSIONS = 12
# More points than this draw no other picture, only a heavier file.
MOST_POINTS = 1500
MOST_OUTPUTS = 4


def results(subject: Subject) -> Html:
    """Return the figures on each part, then the pictures of what is right and wrong."""
    regression = subject.evidence.classes is None
    return element(
        "section",
        element("h2", "Results"),
        figures_table(subject),
        regression_pictures(subject) if regression else classification_pictures(subject),
        id="results",
    )


def figures_table(subject: Subject) -> Html:
    """Return every figure on every part, with intervals on the one that counts."""
    judged = subject.evidence.part
    values = {part: dict(subject.figures.get(part, {})) for part in WORDS}
    values[judged] |= {name: figure.value for name, figure in subject.measured.items()}
    parts = [part for part in ("train", "validation", "test") if values[part]]
    names = dict.fromkeys(name for part in parts for name in values[part])
    rows: list[list[Content]] = [
        [
            figure_name(name),
            *(figure_cell(name, values[part].get(name)) for part in parts),
            interval(name, subject.measured[name]) if name in subject.measured else NONE,
        ]
        for name in sorted(
            names, key=lambda name: (name not in subject.measured, name == "loss")
        )
    ]
    heads = [WORDS[part] for part in parts]
    return element(
        "div",
        table(["", *heads, f"{INTERVAL}, {WORDS[judged]}"], rows, class_="numbers"),
        element(
            "p",
            f"Measured with the final weights, without dropout or augmentation. The interval "
            f"tells how far chance alone may have moved the figure on "
            f"{examples_of(subject.evidence, subject.splits.kind)}.",
            class_="note",
        ),
    )


def figure_cell(name: str, value: float | None) -> str:
    """Return one figure, or a dash."""
    return NONE if value is None else figure_text(name, value)


def classification_pictures(subject: Subject) -> list[Html]:
    """Return the confusion matrix, the commonest confusions, and the figures of each class."""
    evidence, classes = subject.evidence, subject.evidence.classes or ()
    side = max(300, 26 * len(classes))
    matrix = drawing(
        confusion_matrix(evidence.confusion, classes),
        "confusion",
        f"Confusion matrix of {len(classes)} classes: {int(evidence.right.sum())} of "
        f"{len(evidence.targets)} examples lie on the diagonal. The table below has figures "
        "of each class.",
        caption="Rows are the true classes, columns what the network said. Blue is right, "
        "orange wrong; the stronger, the larger the share of the row.",
        least=min(side, 900),
    )
    return [
        element("h3", "What was taken for what"),
        element(
            "div",
            matrix,
            confusions(evidence.confusion, classes),
            class_="wide" if len(classes) > LONG else "pair",
        ),
        element("h3", "Class by class"),
        classes_table(evidence.confusion, classes),
    ]


def confusions(confusion: Array, classes: tuple[str, ...]) -> Html:
    """Return the commonest mistakes as a list."""
    off = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    cells = [divmod(int(place), len(classes)) for place in order]
    items = [
        element(
            "li",
            element("b", classes[true]),
            " taken for ",
            element("b", classes[said]),
            element("span", f"{off[true, said]} of {confusion[true].sum()}", class_="count"),
        )
        for true, said in cells
        if off[true, said]
    ]
    if not items:
        return element("p", "There are no mistakes.", class_="note")
    return element(
        "div",
        element("h4", "Most frequent mistakes"),
        element("ol", items, class_="confusions"),
    )


def classes_table(confusion: Array, classes: tuple[str, ...]) -> Html:
    """Return precision, recall and F1 of each class; of many classes the worst come first."""
    rows = list(zip(classes, per_class(confusion), strict=True))
    many = len(rows) > LONG
    if many:
        rows.sort(key=lambda row: -1.0 if math.isnan(row[1][3]) else row[1][3])
    body: list[list[Content]] = [
        [name, f"{count:,}", bar(precision), bar(recall), percent(f1)]
        for name, (count, precision, recall, f1) in rows
    ]
    found = table(
        ["class", "examples", "precision", "recall", "F1"], body, class_="numbers classes"
    )
    first = " Worst first." if many else ""
    return element(
        "div",
        element("div", found, class_="tall" if many else None),
        element(
            "p",
            "Precision: of what it gave this name, the share that deserved it. Recall: of the "
            f"class's examples, the share that it found. F1: their harmonic mean.{first}",
            class_="note",
        ),
    )


def bar(value: float) -> Html:
    """Return a share as a number over a bar of its length."""
    length = 0 if math.isnan(value) else 100 * value
    strip = element("i", style=f"width:{length:.1f}%")
    return element(
        "span",
        percent(value),
        element("span", strip, class_="bar", aria_hidden="true"),
        class_="barred",
    )


def regression_pictures(subject: Subject) -> list[Html]:
    """Return predictions against the truth, residuals, and the error by tenths."""
    evidence = subject.evidence
    outputs = evidence.outputs.shape[1]
    shown: list[Html] = []
    for column in range(min(outputs, MOST_OUTPUTS)):
        if outputs > 1:
            shown.append(element("h3", f"Output {column + 1}"))
        shown.append(output_pictures(subject, column))
    if outputs > MOST_OUTPUTS:
        shown.append(
            element(
                "p",
                f"The first {MOST_OUTPUTS} of {counted(outputs, 'output')} are drawn.",
                class_="note",
            )
        )
    return shown


def output_pictures(subject: Subject, column: int) -> Html:
    """Return the three pictures of one output."""
    predicted, true = subject.evidence.outputs[:, column], subject.evidence.targets[:, column]
    name = subject.splits.preparation.target.name
    some = np.random.default_rng(0).permutation(len(true))[:MOST_POINTS]
    part = (
        f" {MOST_POINTS:,} of {len(true):,} points, drawn at random."
        if len(true) > len(some)
        else ""
    )
    about = f" for {counted(len(true), 'example')}"
    return element(
        "div",
        drawing(
            predicted_against_true(predicted[some], true[some], name),
            f"fit{column}",
            f"Predicted against true values{about}.",
            caption="On the dashed line predictions are exact." + part,
        ),
        drawing(
            residuals(predicted[some], true[some], name),
            f"residuals{column}",
            f"Residuals against predictions{about}.",
            caption="A shapeless band around 0 is good; a bow means something is not yet "
            "learnt, a funnel that errors grow with the value." + part,
        ),
        drawing(
            error_by_decile(predicted, true, name),
            f"deciles{column}",
            f"Mean absolute error and mean error by tenths of the true values{about}.",
            caption="Each bar is a tenth of the examples. A point off 0 means that these are "
            "predicted too high (above) or too low (below).",
        ),
        class_="grid",
    )
