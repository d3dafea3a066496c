"""The table of all architectures: what is published of each, and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from neuropil.analysis.summaries import summary

if TYPE_CHECKING:
    from neuropil.architectures.registry import Architecture
    from neuropil.core import Shape


class ZooRow(NamedTuple):
    """One architecture with its own options: for 1,000 classes, unless it is for others.

    Args:
        name: The function's name in `neuropil.architectures`.
        year: Of the paper.
        paper: Its authors and title.
        input_shape: What it takes, ``(C, H, W)``.
        parameters: How many.
        multiply_adds: For one picture.
        receptive_field: Side, in pixels, of what an output of the last layer sees that does not
            see all.
        accuracy: As published.
    """

    name: str
    year: int
    paper: str
    input_shape: Shape
    parameters: int
    multiply_adds: int
    receptive_field: int
    accuracy: str


def zoo() -> list[ZooRow]:
    """Return the table of all architectures, the oldest first; no weights are made.

    Shape:
        Each with its own input shape and number of classes.

    Example:
        >>> rows = {row.name: row for row in zoo()}
        >>> rows["resnet18"].year, rows["resnet18"].parameters
        (2015, 11689512)
    """
    from neuropil.architectures.registry import ZOO  # fills while architectures are imported

    with torch.device("meta"):
        rows = map(row_of, ZOO.values())
        return sorted(rows, key=lambda row: (row.year, row.name))


def row_of(architecture: Architecture) -> ZooRow:
    """Return the row of an architecture."""
    network = architecture.build()
    table = summary(network)
    seen = [row.receptive_field or () for row in table.rows if not row.sees_all]
    fields = [side for field in seen for side in field if side is not None]
    return ZooRow(
        architecture.name,
        architecture.year,
        architecture.paper,
        network.input_shape,
        table.totals.parameters or 0,
        table.totals.multiply_adds or 0,
        max(fields, default=1),
        architecture.accuracy,
    )
