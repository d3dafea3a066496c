"""The table of all metrics on all parts of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.evidence import WORDS
from neuropil.report.wording import INTERVAL, NONE, interval

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

PARTS = ("train", "validation", "test")


def figures_table(subject: Subject, *, of_classes: bool = True) -> dict[str, Any]:
    """Return the table of metrics as values for the template of results.

    Intervals are given for the part on which the network is evaluated.

    Args:
        subject: The subject of the report.
        of_classes: Whether to show figures of single classes or columns, too.
    """
    judged, measured = subject.evidence.part, subject.measured
    values = {part: dict(subject.figures.get(part, {})) for part in PARTS}
    parts = [part for part in PARTS if values[part]]
    all_names = dict.fromkeys(name for part in parts for name in values[part])
    names = [name for name in all_names if of_classes or " of " not in name]
    return {
        "judged_on": subject.examples,
        "heads": [*(WORDS[part] for part in parts), f"{INTERVAL}, {WORDS[judged]}"],
        "figures": [
            {
                "name": name,
                "on_parts": [values[part].get(name) for part in parts],
                "interval": interval(name, measured[name]) if name in measured else NONE,
            }
            for name in sorted(names, key=lambda name: (name not in measured, name == "loss"))
        ],
    }
