"""The table of all architectures: what is published of each, and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from neuropil.analysis.block_parts import parts_of
from neuropil.analysis.calls import calls_of
from neuropil.analysis.cost.costs import cost
from neuropil.analysis.cost.parameters import count_parameters
from neuropil.analysis.receptive_field.receptive_propagation import fields_of_parts, widest
from neuropil.architectures.published.zoo_table import zoo_table

if TYPE_CHECKING:
    from neuropil.architectures.published.architecture_facts import Architecture
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
        receptive_field: Receptive field, in pixels, of the last layer whose outputs do not see
            the whole picture; None where every layer's do.
        accuracy: As published; of ImageNet the share of first guesses that are right.
        source: Whose figure that is: the paper's, or that of a library's trained weights.
        weights: The hub's repository that ``weights="imagenet"`` fetches; None where none is
            known.
    """

    name: str
    year: int
    paper: str
    input_shape: Shape
    parameters: int
    multiply_adds: int
    receptive_field: int | None
    accuracy: str
    source: str
    weights: str | None


def zoo() -> list[ZooRow]:
    """Return the table of all architectures, the oldest first; no weights are made.

    Shape:
        Each with its own input shape and number of classes.

    Example:
        >>> rows = {row.name: row for row in zoo()}
        >>> rows["resnet18"].year, rows["resnet18"].parameters
        (2015, 11689512)
    """
    with torch.device("meta"):
        rows = map(row_of, zoo_table().values())
        return sorted(rows, key=lambda row: (row.year, row.name))


def row_of(architecture: Architecture) -> ZooRow:
    """Return the row of an architecture."""
    network = architecture.build()
    parts = parts_of(calls_of(network)).calls
    seen = [
        axis_fields
        for part, axis_fields in zip(parts, fields_of_parts(parts), strict=True)
        if part.inputs
    ]
    sizes = [sizes or () for sizes, everything in map(widest, seen) if not everything]
    fields = [side for field in sizes for side in field if side is not None]
    return ZooRow(
        architecture.name,
        architecture.year,
        architecture.paper,
        network.input_shape,
        count_parameters(network),
        cost(network).multiply_adds,
        max(fields, default=None),
        architecture.accuracy,
        architecture.source,
        architecture.published and architecture.published.repository,
    )
