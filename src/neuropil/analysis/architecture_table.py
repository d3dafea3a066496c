"""The table of all architectures: published facts and computed figures."""

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
    """One architecture with its default options, usually for 1,000 classes.

    Args:
        name: Name of the function in `neuropil.architectures`.
        year: Year of the paper.
        paper: Authors and title of the paper.
        input_shape: Shape of the input, ``(C, H, W)``.
        parameters: Number of parameters.
        multiply_adds: Multiply–adds for one image.
        receptive_field: Receptive field, in pixels, of the last layer whose outputs do not see
            the whole image; None where every layer's do.
        accuracy: Published accuracy; for ImageNet, the top-1 accuracy.
        source: Where the accuracy is from: the paper, or a library's trained weights.
        weights: Repository on the hub that ``weights="imagenet"`` fetches; None where there is
            no known one.
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
    """Return the table of all architectures, the oldest first, without creating weights.

    Shape:
        Each architecture has its own input shape and number of classes.

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
