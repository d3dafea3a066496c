"""Problems in label files: each is named with its place, and each kind is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from neuropil.datasets.pictures.source_opening import name_below
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 5
"""Number of places that a note names."""


@final
class LabelProblems:
    """The problems that were found in label files, by kind.

    Args:
        root: The folder that names in notes are relative to.

    Example:
        >>> from pathlib import Path
        >>> problems = LabelProblems(Path("cells"))
        >>> problems.add("box", "without area not used", Path("cells/a.xml"), "line 12")
        >>> problems.add("box", "without area not used", Path("cells/b.xml"), "line 40")
        >>> problems.notes()
        ['2 boxes without area not used: a.xml (line 12), b.xml (line 40).']
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.places: dict[tuple[str, str], list[str]] = {}

    def add(self, noun: str, what: str, file: Path, place: str = "") -> None:
        """Add a problem.

        Args:
            noun: Name of the things with the problem, in the singular.
            what: The problem, and what is done about it.
            file: The file that has it.
            place: The place in the file, such as ``"line 3"``, or a reason.
        """
        name = name_below(self.root, file)
        self.places.setdefault((noun, what), []).append(f"{name} ({place})" if place else name)

    def notes(self) -> list[str]:
        """Return one line for each kind, with the number and the first places."""
        return [
            f"{number_of(len(places), noun)} {what}: {some_of(places, SHOWN)}."
            for (noun, what), places in self.places.items()
        ]
