"""Checks of boxes against their pictures: wrong ones are fixed or dropped, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures
    from neuropil.datasets.annotations.label_problems import LabelProblems

    Array = np.ndarray[Any, Any]

LARGEST_PART = 2.0
"""Largest coordinate that may be a part of a picture's size: at its border it is near 1."""
ROUNDING = 0.5
"""Coordinates outside a picture by at most this number of pixels are rounding errors."""


def check_boxes(
    part: AnnotatedPictures, sizes: Array, problems: LabelProblems, numbers: Sequence[int]
) -> list[Array]:
    """Return the boxes of each picture, ``(M, 5)`` in pixels of its file.

    Args:
        part: The pictures and their boxes.
        sizes: Height and width of each picture, ``(N, 2)``; 0 for those that cannot be read.
        problems: Gains the boxes that are dropped or changed.
        numbers: The class number of the target for each of the part's; −1 for those that the
            target does not have.
    """
    checks = BoxChecks(part, sizes, problems)
    checks.number_classes(numbers)
    checks.scale(relative=part.relative)
    checks.order_corners()
    checks.cut_off()
    checks.drop_repeated()
    return checks.by_picture()


@final
class BoxChecks:
    """All boxes of a part, and which of them are used.

    Args:
        part: The pictures and their boxes.
        sizes: Height and width of each picture, ``(N, 2)``; 0 for those that cannot be read.
        problems: Gains the boxes that are dropped or changed.
    """

    def __init__(self, part: AnnotatedPictures, sizes: Array, problems: LabelProblems) -> None:
        self.part = part
        self.problems = problems
        self.rows = part.rows()
        self.owners = np.frombuffer(part.owners, np.int64)
        self.extent = sizes[self.owners][:, [1, 0, 1, 0]].astype(np.float64)
        self.use: Array = np.all(self.extent > 0, axis=1)
        self.drop(
            ~np.isfinite(self.rows).all(axis=1), "with a coordinate that is not a finite number"
        )
        self.rows[~self.use, :4] = 0

    def report(self, wrong: Any, what: str) -> None:
        """Add those of some boxes that are used to the problems.

        Args:
            wrong: Mask of the boxes.
            what: The problem, and what is done about it.
        """
        for box in np.flatnonzero(wrong & self.use):
            place = f"{self.part.unit} {self.part.places[box]}"
            self.problems.add("box", what, self.part.sources[self.owners[box]], place)

    def drop(self, wrong: Any, what: str) -> None:
        """Use some boxes no longer, and report them; the arguments are those of `report`."""
        self.report(wrong, f"{what}: not used")
        self.use &= ~wrong

    def number_classes(self, numbers: Sequence[int]) -> None:
        """Give the boxes the class numbers of the target.

        Args:
            numbers: The class number of the target for each of the part's, or −1.
        """
        found = self.rows[:, 4].astype(np.int64)
        known = np.array([*numbers, -1])
        new = known[np.where(found < 0, -2 - found, found)]
        self.rows[:, 4] = np.where(found < 0, -2 - new, new)
        self.drop(new < 0, "of an unknown class")

    def scale(self, *, relative: bool) -> None:
        """Convert coordinates to pixels.

        Args:
            relative: Whether they are parts of the picture's size.
        """
        corners = self.rows[:, :4]
        largest = np.abs(corners).max(axis=1, initial=0)
        if relative:
            wrong = largest > LARGEST_PART
            self.drop(wrong, "in pixels, where parts of the picture's size (0 to 1) are due")
            corners *= self.extent
        else:
            wrong = (largest <= 1) & (corners % 1 != 0).any(axis=1)
            self.drop(wrong, "in parts of the picture's size, where pixels are due")

    def order_corners(self) -> None:
        """Put the smaller coordinates first, and drop boxes without area."""
        first, second = self.rows[:, :2].copy(), self.rows[:, 2:4].copy()
        turned = (first > second).any(axis=1)
        self.report(turned, "with xmin > xmax or ymin > ymax: their corners are exchanged")
        self.rows[:, :2] = np.minimum(first, second)
        self.rows[:, 2:4] = np.maximum(first, second)
        self.drop((first == second).any(axis=1), "without area")

    def cut_off(self) -> None:
        """Cut boxes off at the border of the picture, and drop those outside."""
        inside = np.clip(self.rows[:, :4], 0, self.extent)
        self.drop((inside[:, :2] >= inside[:, 2:]).any(axis=1), "outside the picture")
        beyond = (np.abs(inside - self.rows[:, :4]) > ROUNDING).any(axis=1)
        self.report(beyond, "partly outside the picture: cut off at its border")
        self.rows[:, :4] = inside

    def drop_repeated(self) -> None:
        """Drop the boxes that equal an earlier one of the same picture."""
        places = np.flatnonzero(self.use)
        keys = np.column_stack([self.owners[places], self.rows[places]])
        _, first = np.unique(keys, axis=0, return_index=True)
        again = self.use.copy()
        again[places[first]] = False
        self.drop(again, "given twice")

    def by_picture(self) -> list[Array]:
        """Return the boxes of each picture that are used, ``(M, 5)`` in single precision."""
        count = len(self.part.pictures)
        order = np.argsort(self.owners, kind="stable")
        order = order[self.use[order]]
        ends = np.searchsorted(self.owners[order], np.arange(1, count))
        return np.split(self.rows[order].astype(np.float32), ends) if count else []
