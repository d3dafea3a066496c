"""How far the outputs of a network see, and how its grid repeats: what exact tiles need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from torch import nn

from neuropil.analysis.calls import calls_of
from neuropil.analysis.receptive_field.receptive_propagation import fields_of_calls
from neuropil.core.shape import format_shape
from neuropil.layers import BatchNorm, CellPadding
from neuropil.layers.normalization.sample_norm import Normalization

if TYPE_CHECKING:
    from neuropil.analysis.receptive_field.axis_field import Field
    from neuropil.core import Network

# Lengths on which a network is tried: any backbone has features there.
LEAST_LENGTH = 256
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
    *_, (_, fields) = fields_of(network, None)
    if not all(field.placed for field in fields):
        # Padding may depend on the length, and yet be the same for all lengths in whole cells.
        trials = [fields_of(network, length) for length in trial_lengths(fields)]
        for (name, first), *others in zip(*trials, strict=True):
            if any(other != first for _, other in others):
                raise ValueError(
                    f"tiles cannot be exact: what {name} sees depends on the size of the "
                    "picture. Begin the network with "
                    f"CellPadding({math.lcm(*map(period_of, fields))})."
                )
        *_, (_, fields) = trials[0]
    cells = [each.cell for each in network.modules() if isinstance(each, CellPadding)]
    down, right = (reach_of(field) for field in fields)
    return (
        down._replace(period=math.lcm(down.period, *cells)),
        right._replace(period=math.lcm(right.period, *cells)),
    )


def fields_of(network: Network, length: int | None) -> list[tuple[str, tuple[Field, ...]]]:
    """Return the name of each layer and what its outputs see, those of the network last.

    Args:
        network: The network.
        length: Height and width of the picture; None if they are free.

    Raises:
        whole_picture: A ValueError that names the layer if an output sees the whole picture.
        ValueError: If it is not known what an output sees.
    """
    (channels, *_), *_ = network.input_shapes
    calls = calls_of(network, None if length is None else (channels, length, length))
    seen = fields_of_calls(calls)
    found = []
    for call, views in zip(calls, seen, strict=True):
        for own in (views or {}).values():
            if any(field.sees_all for field in own.fields):
                raise whole_picture(call.name, type(call.layer).__name__)
            if not all(field.spans for field in own.fields):
                raise ValueError(f"tiles: it is not known what {call.name} sees.")
            found.append((call.name, own.fields))
    return found


def trial_lengths(fields: tuple[Field, ...]) -> list[int]:
    """Return lengths of pictures that are even and odd after each halving."""
    period = math.lcm(*map(period_of, fields))
    start = -(-LEAST_LENGTH // period) * period
    rests = {0, period - 1, *(1 << power for power in range(period.bit_length() - 1))}
    return [start + rest for rest in sorted(rests)]


def period_of(field: Field) -> int:
    """Return the number of pixels after which the grid of the layers repeats."""
    return field.shift or 1


def reach_of(field: Field) -> TileReach:
    """Return how far the outputs of a field see.

    Raises:
        ValueError: If there is not an output for each pixel.
    """
    period = period_of(field)
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
