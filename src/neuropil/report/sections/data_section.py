"""What the data were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.core import format_shape
from neuropil.datasets import Dataset, NumberColumn, TablePreparation, TextColumn
from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import can_be_shown, gallery, picture, value_range
from neuropil.report.html import Content, Html, element, table
from neuropil.report.original_rows import in_units
from neuropil.report.sections.results_section import LONG
from neuropil.report.wording import counted, given, number

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.report.subject import Subject

MOST_SAMPLES = 20
MOST_WORDS = 6


def data(subject: Subject) -> Html:
    """Return what was found: facts, notes, samples, and the classes or columns."""
    splits = subject.splits
    notes = [element("li", note) for note in splits.notes]
    return element(
        "section",
        element("h2", "Data"),
        facts_list(facts(subject)),
        [element("h3", "Notes"), element("ul", notes)] if notes else None,
        samples(subject),
        class_sizes(subject),
        columns(subject),
        id="data",
    )


def facts(subject: Subject) -> dict[str, Content]:
    """Return what is known of the data, by what it is called."""
    splits = subject.splits
    sizes = [
        f"{len(part):,} {WORDS[name]}"
        for name, part in parts(subject).items()
        if part is not None
    ]
    found: dict[str, Content] = {
        "source": splits.source,
        "examples": ", ".join(sizes),
        f"one {subject.noun}": shape_words(subject),
    }
    target = splits.preparation.target
    if target.classes is not None:
        named = f" of “{target.name}”" if target.name else ""
        found["task"] = f"classification, {len(target.classes)} classes{named}"
        return found
    outputs = f", {target.outputs} numbers" if target.outputs > 1 else ""
    found["task"] = f"regression of {subject.target}{outputs}"
    if splits.train.targets is not None and target.outputs == 1:
        y = splits.train.targets.double()
        found[subject.target] = (
            f"{given(y.min().item())} to {given(y.max().item())}, "
            f"mean {number(target.mean[0])}, deviation {number(target.scale[0])}"
        )
    return found


def shape_words(subject: Subject) -> str:
    """Return how large an example is."""
    shape = subject.splits.input_shape
    if subject.splits.kind == "pictures":
        return f"{shape[2]} × {shape[1]} pixels, {'grey' if shape[0] == 1 else 'colour'}"
    if subject.splits.kind == "table":
        return counted(shape[0], "number")
    return f"array of shape {format_shape(tuple(shape))}"


def parts(subject: Subject) -> dict[str, Dataset | None]:
    """Return the parts of the data in the order of their use."""
    splits = subject.splits
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def facts_list(found: dict[str, Content]) -> Html:
    """Return names and values side by side."""
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value))
            for name, value in found.items()
        ],
        class_="facts",
    )


def samples(subject: Subject) -> Html | None:
    """Return the first training picture of each class, or the first few; None for rows."""
    splits = subject.splits
    if not can_be_shown(tuple(splits.input_shape)):
        return None
    limits, train = value_range(splits), splits.train
    if splits.classes is None or train.targets is None:
        chosen = [(index, "") for index in range(min(len(train), MOST_SAMPLES))]
    else:
        present, first = np.unique(train.targets.cpu().numpy(), return_index=True)
        chosen = [(int(k), splits.classes[c]) for c, k in zip(present, first, strict=True)]
    cards = [
        element(
            "li",
            picture(train.inputs[index], limits, f"A training {subject.noun}: {name}"),
            element("span", element("b", name)),
        )
        for index, name in chosen[:MOST_SAMPLES]
    ]
    title = f"The first training {subject.noun}s"
    if splits.classes is not None:
        some = (
            f" of the first {MOST_SAMPLES} classes" if len(chosen) > MOST_SAMPLES else " class"
        )
        title = f"One training {subject.noun} of each{some}"
    return element("div", element("h3", title), gallery(cards, tuple(splits.input_shape)))


def class_sizes(subject: Subject) -> Html | None:
    """Return how many examples each class has in each part; None for regression."""
    classes = subject.splits.classes
    if classes is None:
        return None
    counts = {
        name: np.bincount(part.targets.cpu().numpy(), minlength=len(classes))
        for name, part in parts(subject).items()
        if part is not None and part.targets is not None
    }
    most = max(int(count.max()) for count in counts.values())
    body: list[list[Content]] = [
        [name, *(size_bar(int(count[k]), most) for count in counts.values())]
        for k, name in enumerate(classes)
    ]
    found = table(["class", *(WORDS[name] for name in counts)], body, class_="numbers classes")
    return element(
        "div",
        element("h3", "Examples of each class"),
        element("div", found, class_="tall" if len(classes) > LONG else None),
    )


def size_bar(count: int, most: int) -> Html:
    """Return a count over a bar of its length."""
    strip = element("i", style=f"width:{100 * count / most:.1f}%")
    return element(
        "span",
        f"{count:,}",
        element("span", strip, class_="bar", aria_hidden="true"),
        class_="barred",
    )


def columns(subject: Subject) -> Html | None:
    """Return the columns of a table; None for other data."""
    preparation = subject.splits.preparation
    if not isinstance(preparation, TablePreparation):
        return None
    body: list[list[Content]] = []
    values = subject.splits.train.inputs
    for column in preparation.columns:
        body.append([column.name, column_words(column, values)])
        values = values[:, len(column.features) :]
    found = table(["column", "holds"], body)
    return element(
        "div",
        element("h3", f"The {counted(len(body), 'column')} that the network takes"),
        element("div", found, class_="tall" if len(body) > LONG else None),
    )


def column_words(column: NumberColumn | TextColumn, values: Tensor) -> str:
    """Return what a column holds; `values` begin with those it became."""
    missing = ""
    if column.indicator:
        count = int(values[:, len(column.features) - 1].sum())
        missing = f"; {counted(count, 'missing cell')} in training"
    if isinstance(column, NumberColumn):
        low, high = (
            in_units(column, v.item()) for v in (values[:, 0].min(), values[:, 0].max())
        )
        middle = in_units(column, (column.median - column.offset) / column.scale)
        return f"numbers {low} to {high}, median {middle}{missing}"
    words = ", ".join(column.categories[:MOST_WORDS])
    more = len(column.categories) - MOST_WORDS
    return f"words: {words}" + (f" and {more} more" if more > 0 else "") + missing
