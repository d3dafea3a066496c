"""Examples with the right answer beside the network's, as pictures or as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

from neuropil.report.example_pictures import Picture, can_be_shown, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neuropil.report.subject import Subject

MOST_PICTURES = 24
MOST_ROWS = 12


class Verdict(NamedTuple):
    """An answer beside the right one.

    Args:
        true: The right answer.
        predicted: The answer of the network.
        how: How sure it was, or how far off.
    """

    true: str
    predicted: str
    how: str


@final
@dataclass(frozen=True)
class Example:
    """One example, to be looked at.

    Args:
        name: Its file, or its number.
        verdict: The right answer beside the network's.
        picture: The example itself, where it is a picture.
        cells: The example itself, where it is a row.
    """

    name: str
    verdict: Verdict
    picture: Picture | None
    cells: tuple[str, ...]


def worst_examples(
    subject: Subject, order: Iterable[int], verdict: Callable[[int], Verdict]
) -> dict[str, Any]:
    """Return the values that the template of mistakes takes of examples.

    Args:
        subject: What the report is about.
        order: Their numbers, the worst first; the first of them are shown.
        verdict: Gives the right answer and the network's for each.
    """
    data = subject.evidence.data
    pictures = can_be_shown(tuple(subject.splits.input_shape))
    limits = subject.data.limits if pictures else (0.0, 1.0)
    examples = []
    for index in list(map(int, order))[: MOST_PICTURES if pictures else MOST_ROWS]:
        inputs = data.inputs[index]
        examples.append(
            Example(
                f"no. {index + 1}" if data.names is None else data.names[index],
                verdict(index),
                picture(inputs, limits) if pictures else None,
                () if pictures else tuple(subject.data.cells(inputs)),
            )
        )
    names = [] if pictures else subject.data.cell_names
    return {"examples": examples, "cell_names": names}
