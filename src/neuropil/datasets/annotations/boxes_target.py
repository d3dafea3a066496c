"""Target of detection: boxes with a class around things in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import optional, text, text_tuple
from neuropil.datasets.target import Target, distinct_names
from neuropil.text import counts_in_words, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = 5
"""Numbers of a box: x₁, y₁, x₂, y₂, class."""
PADDING = -1
"""Class of the rows that are not boxes; boxes that count for nothing have classes below it."""
VISIBLE = 0.2
"""A moved box is dropped if no more than this part of its area is inside the picture."""
SHORTEST = 1.0
"""A moved box is dropped if a side is shorter than this number of pixels."""


@final
@dataclass(frozen=True)
class Boxes(Target):
    """Any number of boxes for each picture, each with a class.

    A box is a row x₁, y₁, x₂, y₂, class number. Coordinates are in pixels of the picture that
    the network takes, x to the right and y down, from (0, 0) at the corner of the first pixel:
    a box around a whole picture is 0, 0, width, height. A box of class c that is neither to be
    found nor an error if it is found (``difficult`` in VOC, ``iscrowd`` in COCO) has the class
    number −2 − c.

    Args:
        classes: Name of each class, by class number.
        name: Name of the target, if it has one.

    Raises:
        DataError: If `classes` is empty, or has the same name twice.

    Example:
        >>> from neuropil.datasets import Boxes
        >>> boxes = Boxes(["cat", "dog"])
        >>> labels = [[[0, 0, 40, 30, 1], [5, 5, 9, 9, 0]], []]
        >>> boxes.collate(labels, "here")
        tensor([[[ 0.,  0., 40., 30.,  1.],
                 [ 5.,  5.,  9.,  9.,  0.]],
        <BLANKLINE>
                [[-1., -1., -1., -1., -1.],
                 [-1., -1., -1., -1., -1.]]])
    """

    kind = "boxes"
    readers: ClassVar = {"name": optional(text), "classes": text_tuple}

    classes: Sequence[str]
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", distinct_names(self.classes, self))

    @classmethod
    @override
    def fit(
        cls,
        labels: Iterable[Any],
        where: str,
        *,
        name: str | None = None,
        classes: Sequence[str] | None = None,
    ) -> Self:
        """Return the target of boxes.

        Args:
            labels: The boxes of each training picture, ``(M, 5)``.
            where: Their source, for the error.
            name: Name of the target, if it has one.
            classes: Name of each class; None to name the classes by their numbers.

        Raises:
            DataError: If no box is to be found in any picture.
        """
        numbers = {int(n) for boxes in labels for n in as_rows(boxes)[:, 4].tolist()}
        if max(numbers, default=PADDING) <= PADDING:
            raise DataError(f"{where} has no boxes: there is nothing to learn.")
        highest = max(max(number, -2 - number) for number in numbers)
        return cls(list(map(str, range(highest + 1))) if classes is None else classes, name)

    @property
    @override
    def outputs(self) -> int:
        """Number of network outputs for one box: objectness, four coordinates, class scores."""
        return 5 + len(self.classes)

    @override
    def collate(self, labels: Sequence[Any] | Tensor, where: str) -> Tensor:
        """Return boxes as one tensor ``(N, M, 5)``; rows of −1 follow the boxes of a picture.

        M is the largest number of boxes in a picture, and at least 1.

        Args:
            labels: The boxes of each picture, ``(M, 5)``.
            where: Their source, for the error.

        Raises:
            DataError: If a row is not a box, or has an unknown class.
        """
        rows = [as_rows(boxes) for boxes in labels]
        targets = torch.full((len(rows), max([1, *map(len, rows)]), COLUMNS), float(PADDING))
        for target, boxes in zip(targets, rows, strict=True):
            target[: len(boxes)] = boxes
        wrong = ~self.are_boxes(targets) & (targets != PADDING).any(dim=-1)
        if wrong.any():
            example, row = wrong.nonzero()[0].tolist()
            values = ", ".join(f"{value:g}" for value in targets[example, row].tolist())
            raise DataError(
                f"{where}, example {example}: box {row} is ({values}); a box is x₁, y₁, x₂, "
                f"y₂, class number, with x₁ < x₂, y₁ < y₂ and a class number below "
                f"{len(self.classes)}."
            )
        return targets

    def are_boxes(self, targets: Tensor) -> Tensor:
        """Return the mask of the rows that are boxes of a known class.

        Args:
            targets: ``(N, M, 5)``.
        """
        number = targets[..., 4]
        number = torch.where(number < PADDING, -2 - number, number)
        known = (number >= 0) & (number < len(self.classes)) & (number == number.floor())
        area = (targets[..., :2] < targets[..., 2:4]).all(dim=-1)
        return known & area & targets.isfinite().all(dim=-1)

    @override
    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        """Return boxes after a change of their pictures, cut off at the borders.

        A moved box is the smallest upright box around the moved corners. It becomes padding if
        at most a fifth of it is inside the picture, or a side is shorter than a pixel.

        Args:
            targets: ``(N, M, 5)``.
            matrix: ``(N, 2, 3)``, from old to new picture coordinates.
            size: Height and width of the new picture.
        """
        hull = moved_hull(targets, matrix)
        height, width = size
        inside = hull.clamp(min=0).minimum(hull.new_tensor([width, height, width, height]))
        sides = inside[..., 2:] - inside[..., :2]
        whole = (hull[..., 2:] - hull[..., :2]).prod(dim=-1)
        seen = (sides.prod(dim=-1) > VISIBLE * whole) & (sides >= SHORTEST).all(dim=-1)
        rows = torch.cat([inside, targets[..., 4:]], dim=-1)
        return torch.where(
            (seen & (targets[..., 4] != PADDING))[..., None], rows, float(PADDING)
        )

    @override
    def lost(self, targets: Tensor, moved: Tensor) -> str | None:
        count = int(((targets[..., 4] != PADDING) & (moved[..., 4] == PADDING)).sum())
        what = number_of(count, "box")
        return f"{what} thinner than a pixel after the resize: not used." if count else None

    @override
    def count(self, targets: Tensor) -> list[int]:
        """Return the number of boxes of each class, without those that count for nothing.

        Args:
            targets: ``(N, M, 5)``.
        """
        numbers = targets[..., 4]
        return numbers[numbers >= 0].long().bincount(minlength=len(self.classes)).tolist()

    @override
    def describe(self, targets: Tensor) -> str:
        counts, ignored = self.count(targets), int((targets[..., 4] < PADDING).sum())
        parts = [f"{number_of(sum(counts), 'box')}: {counts_in_words(self.classes, counts)}"]
        found = targets[..., 4] >= 0
        if found.any():
            sides = (targets[..., 2:4] - targets[..., :2])[found]
            parts.append(
                f"sides {sides.min():.0f} to {sides.max():.0f} pixels, median "
                f"{'×'.join(f'{side:.0f}' for side in sides.median(dim=0).values)}"
            )
        if empty := int((targets[..., 4] == PADDING).all(dim=1).sum()):
            parts.append(f"{number_of(empty, 'picture')} without a box")
        if ignored:
            parts.append(f"{number_of(ignored, 'box')} neither for nor against")
        return "; ".join(parts)


def as_rows(boxes: Any) -> Tensor:
    """Return the boxes of one picture as ``(M, 5)`` in single precision."""
    rows = torch.as_tensor(boxes, dtype=torch.float32)
    return rows.reshape(-1, COLUMNS) if rows.numel() == 0 else rows


def moved_hull(targets: Tensor, matrix: Tensor) -> Tensor:
    """Return the smallest upright boxes around moved boxes, ``(N, M, 4)``, not cut off.

    Args:
        targets: ``(N, M, 5)``.
        matrix: ``(N, 2, 3)``, from old to new picture coordinates.
    """
    matrix = matrix.to(targets)
    # Corners in the order (x₁, y₁), (x₂, y₁), (x₁, y₂), (x₂, y₂): x before y.
    corners = targets[..., [0, 1, 2, 1, 0, 3, 2, 3]].unflatten(-1, (4, 2))
    moved = corners @ matrix[:, None, :, :2].mT + matrix[:, None, None, :, 2]
    return torch.cat([moved.amin(dim=2), moved.amax(dim=2)], dim=-1)
