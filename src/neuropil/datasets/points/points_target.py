"""Target of landmark detection: named points in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import optional, text, text_tuple
from neuropil.datasets.points.point_names import eye_pairs, pairs_by_name
from neuropil.datasets.target import Target
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MISSING, OCCLUDED, SEEN = 0, 1, 2
"""The visibilities of a point, those of COCO."""
COLUMNS = 3
"""Numbers of a point: x, y, visibility."""


@final
@dataclass(frozen=True)
class Points(Target):
    """The same named points in each picture, such as the corners of the eyes of a face.

    A point is a row x, y, visibility. Coordinates are in pixels of the picture that the network
    takes, x to the right and y down, from (0, 0) at the corner of the first pixel. Visibility
    is that of COCO: 0 for a point whose place is unknown, which counts for nothing; 1 for one
    that is hidden, but whose place is known; 2 for one that can be seen.

    Points with a side in their name, such as left_eye and right_eye, swap when the picture is
    mirrored.

    Args:
        points: Name of each point.
        name: Name of the target, if it has one.

    Raises:
        DataError: If `points` is empty, or has the same name twice.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Points
        >>> face = Points(["left_eye", "right_eye", "nose"])
        >>> labels = face.collate([[[40, 20, 2], [10, 20, 1], [25, 30, 2]]], "here")
        >>> mirror = torch.tensor([[[-1.0, 0, 60], [0, 1, 0]]])
        >>> face.move(labels, mirror, (50, 60))
        tensor([[[50., 20.,  1.],
                 [20., 20.,  2.],
                 [35., 30.,  2.]]])
    """

    kind = "points"
    readers: ClassVar = {"name": optional(text), "points": text_tuple}

    points: Sequence[str]
    name: str | None = None

    def __post_init__(self) -> None:
        if not len(set(self.points)) == len(self.points) > 0:
            raise DataError(f"a target needs distinct points; got {self}.")
        object.__setattr__(self, "points", tuple(self.points))

    @classmethod
    @override
    def fit(
        cls,
        labels: Iterable[Any],
        where: str,
        *,
        name: str | None = None,
        points: Sequence[str] | None = None,
    ) -> Self:
        """Return the target of points.

        Args:
            labels: The points of each training picture, ``(P, 3)``.
            where: Their source, for the error.
            name: Name of the target, if it has one.
            points: Name of each point; None to number them.

        Raises:
            DataError: If no point has a place in any picture.
        """
        rows = [as_rows(each) for each in labels]
        if not any((each[:, 2] > MISSING).any() for each in rows):
            raise DataError(f"{where} has no points: there is nothing to learn.")
        numbered = [f"point_{place}" for place in range(1, len(rows[0]) + 1)]
        return cls(numbered if points is None else points, name)

    @property
    @override
    def names(self) -> tuple[str, ...]:
        """The names of the points."""
        return tuple(self.points)

    @property
    @override
    def outputs(self) -> int:
        """Number of network outputs: x, y and a score of visibility for each point."""
        return COLUMNS * len(self.points)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of a left and a right point, which swap in a mirrored picture.

        There are none if the names do not tell them; nothing is then known of mirrored
        pictures.
        """
        return pairs_by_name(self.points)[0]

    @cached_property
    def eyes(self) -> tuple[tuple[int, int], ...]:
        """Those of the pairs that belong to the eyes."""
        return eye_pairs(self.points, self.pairs)

    @cached_property
    def mirrored(self) -> list[int]:
        """The point that each point becomes in a mirrored picture."""
        order = list(range(len(self.points)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return order

    @override
    def collate(self, labels: Sequence[Any] | Tensor, where: str) -> Tensor:
        """Return points as one tensor ``(N, P, 3)``; all numbers of a missing point are 0.

        Args:
            labels: The points of each picture, ``(P, 3)``.
            where: Their source, for the error.

        Raises:
            DataError: If a picture has another number of points, a point is not finite, or its
                visibility is not 0, 1 or 2.
        """
        count = len(self.points)
        rows = [as_rows(each) for each in labels]
        for example, each in enumerate(rows):
            if each.shape != (count, COLUMNS):
                raise DataError(
                    f"{where}, example {example}: points of shape {tuple(each.shape)}; "
                    f"{number_of(count, 'point')} of x, y, visibility are needed."
                )
        targets = torch.stack(rows) if rows else torch.zeros(0, count, COLUMNS)
        state = targets[..., 2]
        known = (state == OCCLUDED) | (state == SEEN)
        wrong = ~(known & targets.isfinite().all(dim=-1)) & (state != MISSING)
        if wrong.any():
            example, place = wrong.nonzero()[0].tolist()
            values = ", ".join(f"{value:g}" for value in targets[example, place].tolist())
            raise DataError(
                f"{where}, example {example}: point {self.points[place]!r} is ({values}); a "
                "point is x, y, visibility, where visibility is 0 for missing, 1 for hidden "
                "and 2 for visible."
            )
        return torch.where(known[..., None], targets, 0.0)

    @override
    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        """Return points after a change of their pictures; those outside become missing.

        Args:
            targets: ``(N, P, 3)``.
            matrix: ``(N, 2, 3)``, from old to new picture coordinates.
            size: Height and width of the new picture.

        Raises:
            ValueError: If a picture is mirrored, and the names do not tell left from right.
        """
        matrix = matrix.to(targets)
        places = targets[..., :2] @ matrix[:, :, :2].mT + matrix[:, None, :, 2]
        height, width = size
        inside = (places >= 0) & (places <= places.new_tensor([width, height]))
        kept = inside.all(dim=-1, keepdim=True) & (targets[..., 2:] > MISSING)
        moved = torch.where(kept, torch.cat([places, targets[..., 2:]], dim=-1), 0.0)
        (a, b), (c, d) = matrix[:, 0, :2].T, matrix[:, 1, :2].T
        mirrors = a * d - b * c < 0
        if not self.pairs:
            if mirrors.any():
                raise ValueError(
                    "points cannot be mirrored with their pictures, since "
                    f"{pairs_by_name(self.points)[1]}: leave the flip out, or name the points "
                    "left_… and right_…."
                )
            return moved
        return torch.where(mirrors[:, None, None], moved[:, self.mirrored], moved)

    @override
    def lost(self, targets: Tensor, moved: Tensor) -> str | None:
        count = int(((targets[..., 2] > MISSING) & (moved[..., 2] == MISSING)).sum())
        return f"{number_of(count, 'point')} outside after the resize: not used." * bool(count)

    @override
    def describe(self, targets: Tensor) -> str:
        state = targets[..., 2]
        parts = [f"{number_of(int((state > MISSING).sum()), 'point')}"]
        for value, word in ((OCCLUDED, "hidden"), (MISSING, "missing")):
            if count := int((state == value).sum()):
                parts.append(f"{count:,} {word}" + " besides" * (value == MISSING))
        if empty := int((state == MISSING).all(dim=1).sum()):
            parts.append(f"{number_of(empty, 'picture')} without a point")
        return f"{', '.join(parts)}; {number_of(len(self.points), 'point')} per picture"


def as_rows(points: Any) -> Tensor:
    """Return the points of one picture in single precision."""
    return torch.as_tensor(points, dtype=torch.float32)
