"""Pictures with points, as label files describe them, and the checks of their points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.points.points_target import COLUMNS, MISSING, SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from neuropil.datasets.annotations.label_problems import LabelProblems

    Array = np.ndarray[Any, Any]

ROUNDING = 0.5
"""Coordinates outside a picture by at most this number of pixels are rounding errors."""

POSITION = " at x {x:g}, y {y:g}; the picture is {width} wide and {height} high"


@final
@dataclass
class PointedPictures:
    """The pictures of one part, each with the same points.

    Args:
        source: The label file.
        unit: The unit of places in it, such as ``"row"``.
        pictures: The pictures.
        places: The place in the label file of the points of each picture.
        rows: The points of each picture, ``(P, 3)``: x, y, visibility as the file states them;
            NaN for what it leaves empty.
    """

    source: Path
    unit: str
    pictures: list[Path] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)

    def add(self, picture: Path, place: int, rows: Any) -> None:
        """Add a picture with its points."""
        self.pictures.append(picture)
        self.places.append(place)
        self.rows.append(np.asarray(rows, np.float64))


@final
@dataclass
class PointLabels:
    """The points of a file or a folder.

    Args:
        root: The folder that names are relative to.
        names: The names of the points.
        parts: The pictures of ``"train"``, ``"validation"`` and ``"test"``; only ``"train"`` if
            the files are not divided.
        problems: The problems found in the files.
        notes: Other notes for the user.
    """

    root: Path
    names: Sequence[str]
    parts: dict[str, PointedPictures]
    problems: LabelProblems
    notes: list[str] = field(default_factory=list)


def checked_points(
    part: PointedPictures, sizes: Array, names: Sequence[str], problems: LabelProblems
) -> Iterator[tuple[int, Array]]:
    """Yield the number of each picture that has points, and these points.

    What cannot be used is missing: its numbers are 0.

    Args:
        part: The pictures and their points.
        sizes: Height and width of each picture, ``(N, 2)``; 0 for those that cannot be read.
        names: The names of the points.
        problems: Gains the points and pictures that are not used.

    Raises:
        DataError: If the coordinates are parts of the sizes of the pictures.
    """
    rows = np.stack(part.rows) if part.rows else np.zeros((0, len(names), COLUMNS))
    places, state = rows[..., :2].copy(), rows[..., 2].copy()
    # Most files leave the visibility out: a point with a place is visible.
    state[np.isnan(state)] = SEEN
    empty = np.isnan(places)
    wanted = ~empty.all(-1) & (state != MISSING)
    refuse_relative(places[wanted], sizes, part)
    places[empty] = 0

    def drop(wrong: Any, what: str, got: str = "") -> None:
        for picture, point in np.argwhere(wrong & wanted & (sizes[:, None, 0] > 0)):
            place = f"{part.unit} {part.places[picture]}: {names[point]}"
            (x, y), (height, width) = places[picture, point], sizes[picture]
            found = got.format(v=state[picture, point], x=x, y=y, width=width, height=height)
            problems.add("point", f"{what}: not used", part.source, place + found)
        wanted[wrong] = False

    drop(empty.any(-1), "with one of its two coordinates missing")
    drop(~np.isfinite(places).all(-1), "with a coordinate that is not a finite number")
    drop(~np.isin(state, (1, 2)), "with a visibility other than 0, 1 and 2", " has {v:g}")
    inside = np.clip(places, 0, sizes[:, None, ::-1])
    beyond = (np.abs(inside - places) > ROUNDING).any(-1)
    drop(beyond, "outside the picture", POSITION)
    found = np.where(wanted[..., None], np.dstack([inside, state]), 0).astype(np.float32)
    for picture in range(len(rows)):
        readable = bool((sizes[picture] > 0).all())
        if not wanted[picture].any() and readable:
            place = f"{part.unit} {part.places[picture]}"
            problems.add("picture", "without points: set aside", part.source, place)
        else:
            # One that cannot be read is reported with its error by those who decode it.
            yield picture, found[picture]


def refuse_relative(places: Array, sizes: Array, part: PointedPictures) -> None:
    """Refuse coordinates that are parts of the sizes of the pictures.

    Args:
        places: Coordinates of points, ``(M, 2)``.
        sizes: Height and width of each picture.
        part: The pictures.

    Raises:
        DataError: If all of them are from 0 to 1, in larger pictures.
    """
    known = places[np.isfinite(places).all(-1)]
    small = len(known) and known.min() >= 0 and known.max() <= 1
    if small and (known % 1).any() and sizes.max() > 2:
        raise DataError(
            f"{part.source}: all coordinates are from 0 to 1; they must be in pixels, not in "
            "parts of the size of a picture."
        )
