"""Examples with their true and predicted answers, as pictures or as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import Picture, can_be_shown, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neuropil.report.subject import Subject

MOST_PICTURES = 24
MOST_ROWS = 12


class Verdict(NamedTuple):
    """The true and the predicted answer for an example.

    Args:
        true: The true answer.
        predicted: The answer of the network.
        how: The confidence of the network, or its error.
    """

    true: str
    predicted: str
    how: str


class Example(NamedTuple):
    """One example, as the page shows it.

    Args:
        name: Its file name, or its number.
        verdict: The true and the predicted answer.
        picture: The example as a picture, if it is one.
        cells: The example as cells of a row, if it is not a picture.
    """

    name: str
    verdict: Verdict
    picture: Picture | None
    cells: tuple[str, ...]


def worst_examples(
    subject: Subject, order: Iterable[int], verdict: Callable[[int], Verdict]
) -> dict[str, Any]:
    """Return the worst examples as values for the template of mistakes.

    Args:
        subject: The subject of the report.
        order: The indices of the examples, worst first; only the first are shown.
        verdict: Returns the true and the predicted answer for an index.
    """
    data = subject.evidence.data
    pictures = can_be_shown(tuple(subject.splits.input_shape))
    limits = subject.data.limits if pictures else (0.0, 1.0)
    examples = []
    for index in list(map(int, order))[: MOST_PICTURES if pictures else MOST_ROWS]:
        inputs = data.fetch([index]).inputs[0]
        examples.append(
            Example(
                f"no. {index + 1}" if data.names is None else data.names[index],
                verdict(index),
                picture(inputs, limits) if pictures else None,
                () if pictures else tuple(subject.data.cells(inputs)),
            )
        )
    names = [] if pictures else subject.data.cell_names
    part = WORDS[subject.evidence.part]
    return {"examples": examples, "cell_names": names, "noun": subject.noun, "part": part}
