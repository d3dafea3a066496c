"""The section on the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import can_be_shown, picture
from neuropil.report.page import Section
from neuropil.runs.inspection.data_facts import describe_labels, missing_classes
from neuropil.text import as_typed

if TYPE_CHECKING:
    from neuropil.report.sections.base import TaskPages
    from neuropil.report.subject import Subject


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
        *((f"{WORDS[part]} labels", text) for part, text in describe_labels(splits).items()),
    ]
    samples = []
    if can_be_shown(tuple(splits.input_shape)):
        limits = subject.data.limits
        samples = [
            {"name": name, "picture": picture(splits.train.fetch([index]).inputs[0], limits)}
            for index, name in targets.samples
        ]
    return Section(
        "data",
        facts=facts,
        notes=[as_typed(note) for note in (*splits.notes, *missing_classes(splits))],
        noun=subject.noun,
        sample_title=targets.sample_title,
        samples=samples,
        class_sizes=targets.class_sizes,
        columns=subject.data.columns,
    )
