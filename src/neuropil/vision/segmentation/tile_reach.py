"""How far the outputs of a network see, and how its grid repeats: what exact tiles need."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import nn

from neuropil.analysis.calls import calls_of
from neuropil.analysis.receptive_field.receptive_propagation import fields_of_calls
from neuropil.core.shape import format_shape
from neuropil.layers import BatchNorm
from neuropil.layers.normalization.sample_norm import Normalization

if TYPE_CHECKING:
    from neuropil.analysis.receptive_field.axis_field import Field
    from neuropil.core import Network

PICTURE_NORMS = (
    nn.GroupNorm,
    nn.LayerNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
)


class TileReach(NamedTuple):
    """How far an output sees along one axis of a picture.

    Attributes:
        before: Number of pixels before its own that it sees.
        after: Number of pixels after its own.
        period: Number of pixels after which the grid of the layers repeats.
    """

    before: int
    after: int
    period: int


def tile_reach(network: Network) -> tuple[TileReach, TileReach]:
    """Return how far the outputs of a network see, down and to the right.

    Args:
        network: A network that gives a value for each pixel.

    Raises:
        whole_picture: A ValueError that names the layer if an output sees the whole picture.
        ValueError: If pictures have one size only, or do not keep their size.
    """
    check_norms(network)
    takes, gives = network.input_shapes, network.output_shapes
    sizes = {tuple((shape or ())[1:]) for shape in (*takes, *gives)}
    if len(takes) != 1 or len(gives) != 1 or sizes != {(None, None)}:
        got = ", ".join(format_shape(shape or ()) for shape in (*takes, *gives))
        raise ValueError(
            "tiles need a network with Input(C, None, None) that gives a value for each pixel; "
            f"its shapes are {got}."
        )
    calls = calls_of(network)
    seen = fields_of_calls(calls)
    for call, fields in zip(calls, seen, strict=True):
        for own in (fields or {}).values():
            if any(field.sees_all for field in own.fields):
                raise whole_picture(call.name, type(call.layer).__name__)
            if not all(field.spans and field.placed for field in own.fields):
                raise ValueError(
                    f"tiles: what {call.name} sees depends on the size of the picture."
                )
    (last,) = (seen[place] or {} for place in network.graph.outputs)
    (down, right) = next(iter(last.values())).fields
    return reach_of(down), reach_of(right)


def reach_of(field: Field) -> TileReach:
    """Return how far the outputs of a field see.

    Raises:
        ValueError: If there is not an output for each pixel.
    """
    period = field.shift or 1
    if len(field.spans) != period:
        raise ValueError("tiles need a network whose outputs have the size of the picture.")
    spans = [(place, span) for place, span in enumerate(field.spans) if span is not None]
    before = max([0, *(place - first for place, (first, _) in spans)])
    after = max([0, *(last - place for place, (_, last) in spans)])
    return TileReach(before, after, period)


def check_norms(network: Network) -> None:
    """Refuse a network that normalises by statistics of the picture.

    Raises:
        whole_picture: A ValueError that names the layer if it does.
    """
    for name, module in network.named_modules():
        own = isinstance(module, Normalization) and not isinstance(module, BatchNorm)
        if own or isinstance(module, PICTURE_NORMS):
            raise whole_picture(name, type(module).__name__)


def whole_picture(name: str, kind: str) -> ValueError:
    """Return the error for a layer that looks at the whole picture."""
    return ValueError(
        f"tiles cannot be exact: {name} ({kind}) looks at the whole picture, so what it gives "
        "depends on the tile. Use layers that look at neighbours only, such as BatchNorm."
    )
