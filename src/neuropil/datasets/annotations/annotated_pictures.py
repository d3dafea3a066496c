"""Pictures of one part with their boxes, as label files describe them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.annotations.label_problems import LabelProblems


@final
@dataclass
class AnnotatedPictures:
    """Pictures with their boxes, as the label files of one part describe them.

    Boxes are kept in flat arrays: there may be a million.

    Args:
        relative: Whether coordinates are parts of the picture's size instead of pixels.
        unit: The unit of places in a label file, such as ``"line"``.
    """

    relative: bool = False
    unit: str = "line"
    pictures: list[Path] = field(default_factory=list)
    sources: list[Path] = field(default_factory=list)
    values: array[float] = field(default_factory=lambda: array("d"))
    owners: array[int] = field(default_factory=lambda: array("q"))
    places: array[int] = field(default_factory=lambda: array("q"))

    def add_picture(self, picture: Path, source: Path) -> int:
        """Add a picture, and return its number.

        Args:
            picture: The picture.
            source: Its label file.
        """
        self.pictures.append(picture)
        self.sources.append(source)
        return len(self.pictures) - 1

    def add_box(
        self,
        owner: int,
        corners: Sequence[float],
        number: int,
        place: int,
        *,
        ignored: bool = False,
    ) -> None:
        """Add a box.

        Args:
            owner: Number of its picture.
            corners: x₁, y₁, x₂, y₂.
            number: Number of its class.
            place: Its place in the label file.
            ignored: Whether it is neither to be found nor an error if it is found.
        """
        self.values.extend(corners)
        self.values.append(-2 - number if ignored else number)
        self.owners.append(owner)
        self.places.append(place)

    def rows(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return all boxes, ``(B, 5)``."""
        return np.frombuffer(self.values, np.float64).reshape(-1, 5).copy()


@final
@dataclass
class Annotations:
    """The annotations of a folder or a file.

    Args:
        root: The folder that names are relative to.
        classes: Name of each class.
        parts: The pictures of ``"train"``, ``"validation"`` and ``"test"``; only ``"train"`` if
            the files are not divided.
        problems: The problems found in the files.
        listed: Whether the files list the classes; otherwise they are those of the boxes.
        notes: Other notes for the user.
    """

    root: Path
    classes: list[str]
    parts: dict[str, AnnotatedPictures]
    problems: LabelProblems
    listed: bool = True
    notes: list[str] = field(default_factory=list)
