"""The section on the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import Picture, can_be_shown, picture
from neuropil.report.page import Section
from neuropil.runs.inspection.data_facts import describe_labels, missing_classes
from neuropil.text import as_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets import Splits
    from neuropil.report.sections.base import TaskPages
    from neuropil.report.subject import Subject


# What the counts of classes are of, if not of the labels themselves.
COUNTED = {"classes": "examples", "masks": "pixels"}


class ClassSizes(NamedTuple):
    """The number of labels of each class in each part.

    Args:
        parts: The names of the parts, as shown.
        rows: Each class with its counts, in the order of the parts.
        most: The largest count.
    """

    parts: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]
    most: int


def data_section(subject: Subject, task: TaskPages) -> Section:
    """Return facts, notes, sample pictures, and the classes or columns."""
    splits, targets = subject.splits, task.targets(subject)
    sizes = [f"{len(part):,} {WORDS[name]}" for name, part in splits.parts.items()]
    described = splits.preparation.describe(splits.train)
    facts = [
        ("source", splits.source),
        ("examples", ", ".join(sizes)),
        (f"one {subject.noun}", subject.data.size),
        *([("inputs", described)] if described else []),
        *targets.facts,
        *label_facts(splits),
    ]
    samples = []
    if can_be_shown(tuple(splits.input_shape)):
        sample = task.sample or plain_sample
        samples = [
            {"name": name, "picture": sample(subject, index)} for index, name in targets.samples
        ]
    return Section(
        "data",
        facts=facts,
        notes=[as_typed(note) for note in (*splits.notes, *missing_classes(splits))],
        noun=subject.noun,
        sample_title=targets.sample_title,
        samples=samples,
        wide=task.sample is not None,
        counted=COUNTED.get(splits.target.kind, splits.target.kind),
        class_sizes=class_sizes(subject),
        columns=subject.data.columns,
    )


def plain_sample(subject: Subject, index: int) -> Picture:
    """Return a training picture as it is."""
    return picture(subject.splits.train.fetch([index]).inputs[0], subject.data.limits)


def class_sizes(subject: Subject) -> ClassSizes | None:
    """Return the number of labels of each class in each part; None without classes."""
    target = subject.splits.target
    counts = {
        WORDS[name]: target.count(part.targets.cpu())
        for name, part in subject.splits.parts.items()
        if part.targets is not None
    }
    known = {part: count for part, count in counts.items() if count is not None}
    if not known:
        return None
    classes: Sequence[str] = getattr(target, "classes", ())
    rows = list(zip(classes, zip(*known.values(), strict=True), strict=True))
    return ClassSizes(list(known), rows, max(1, *map(max, known.values())))


def label_facts(splits: Splits) -> list[tuple[str, str]]:
    """Return a description of the labels of each part; classes have a table instead."""
    if splits.target.kind == "classes":
        return []
    described = describe_labels(splits)
    return [(f"{WORDS[part]} {splits.target.kind}", text) for part, text in described.items()]
