"""The predictors of a detector's grid: where each one stands, and the anchor it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, final

import torch

from neuropil.layers import BoxGrid

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core import Network

# The numbers of a predictor before its classes: p_c, b_x, b_y, b_h, b_w.
BOX_NUMBERS = 5


class Predictors(NamedTuple):
    """The k predictors of a cell.

    Attributes:
        corners: Upper left corner of the predictor's own cell in the cell of the grid, in
            pixels, ``(k, 2)``.
        strides: Side of its own cell in pixels, ``(k, 1)``.
        anchors: Width and height of its anchor in pixels, ``(k, 2)``.
    """

    corners: Tensor
    strides: Tensor
    anchors: Tensor


@final
@dataclass(frozen=True)
class GridHead:
    """The predictors of a detector, as plain data of its last layer `BoxGrid`.

    Args:
        classes: Number of classes p.
        strides: For each feature map, the pixels from one cell to the next, smallest first.
        anchors: For each stride, the width and height in pixels of each anchor.

    Example:
        >>> head = GridHead(3, strides=(8, 16), anchors=(((20, 20),), ((50, 50),)))
        >>> head.cell, head.predictors_per_cell
        (16, 5)
        >>> head.predictors().corners.tolist()
        [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [8.0, 8.0], [0.0, 0.0]]
    """

    classes: int
    strides: tuple[int, ...]
    anchors: tuple[tuple[tuple[float, float], ...], ...]

    @classmethod
    def of(cls, network: Network) -> Self | None:
        """Return the predictors of a network, or None if it does not end in a `BoxGrid`."""
        outputs = network.graph.outputs
        last = network.nodes[outputs[0]].layer if len(outputs) == 1 else None
        if not isinstance(last, BoxGrid):
            return None
        return cls(last.classes, last.strides, last.anchors)

    @property
    def cell(self) -> int:
        """Side of a cell of the grid in pixels: the largest stride."""
        return self.strides[-1]

    @property
    def numbers(self) -> int:
        """Number of outputs of a predictor, 5 + p."""
        return BOX_NUMBERS + self.classes

    @property
    def ratios(self) -> tuple[int, ...]:
        """For each stride, its sub-cells along a side of a cell."""
        return tuple(self.cell // stride for stride in self.strides)

    @property
    def predictors_per_cell(self) -> int:
        """Number of predictors of a cell, k."""
        return sum(r * r * len(a) for r, a in zip(self.ratios, self.anchors, strict=True))

    def predictors(self, like: Tensor | None = None) -> Predictors:
        """Return the predictors of a cell, in the order of the outputs.

        Args:
            like: A tensor whose type and device to use.
        """
        rows = [
            (column * stride, row * stride, stride, *anchor)
            for stride, ratio, group in zip(
                self.strides, self.ratios, self.anchors, strict=True
            )
            for row in range(ratio)
            for column in range(ratio)
            for anchor in group
        ]
        table = torch.tensor(rows, dtype=torch.float32)
        table = table if like is None else table.to(like)
        return Predictors(table[:, :2], table[:, 2:3], table[:, 3:])

    def by_predictor(self, values: Tensor) -> Tensor:
        """Return outputs, or targets, as ``(N, G_h, G_w, k, 5 + p)``.

        Args:
            values: ``(N, G_h, G_w, k·(5 + p))``.
        """
        n, height, width = values.shape[:3]
        return values.reshape(n, height, width, self.predictors_per_cell, self.numbers)

    def corners(self, like: Tensor) -> Tensor:
        """Return the upper left corner in pixels of each predictor's own cell.

        Args:
            like: Values by predictor, ``(N, G_h, G_w, k, 5 + p)``.

        Returns:
            ``(G_h, G_w, k, 2)``.
        """
        # The len() of a tensor would be a constant in an exported network.
        height, width = like.shape[1:3]
        rows, columns = (
            torch.arange(length, dtype=like.dtype, device=like.device) * self.cell
            for length in (height, width)
        )
        x = columns[None, :, None].expand(height, -1, 1)
        y = rows[:, None, None].expand(-1, width, 1)
        return torch.stack((x, y), dim=-1) + self.predictors(like).corners
