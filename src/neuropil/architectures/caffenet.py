"""CaffeNet for images of 128 pixels, on which techniques of deep learning were compared."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuropil.architectures.dense_head import dense_head, flatten_features
from neuropil.architectures.image_sizes import shortest_side
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.checks import one_of
from neuropil.core import Layer, Network, Shape, join
from neuropil.layers import (
    AveragePooling,
    Convolution,
    Dropout,
    GlobalPooling,
    Identity,
    Input,
    LocalResponseNorm,
    MaxAveragePooling,
    MaxPooling,
    Softmax,
)
from neuropil.layers.blocks.block_style import HE, Place, Style
from neuropil.layers.layer_options import LECUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from neuropil.core.layer import Composable

# Smallest side: length and stride of the first filters, chosen to leave about 30 positions.
FIRST = {128: (11, 4), 96: (7, 3), 64: (5, 2), 0: (3, 1)}
# For each stage: filters, their length (None: as above) and groups of each convolution.
STAGES = (
    ((96, None, 1),),
    ((256, 5, 2),),
    ((384, 3, 1), (384, 3, 2), (256, 3, 2)),
)
POOLINGS = {"max": MaxPooling, "average": AveragePooling, "max_average": MaxAveragePooling}
HEADS = ("dense", "convolutional")


def caffenet_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in Caffe."""
    yield from ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")


@dataclass(frozen=True, kw_only=True)
class CaffeNetOptions(PlainOptions):
    """Options of `caffenet128`, besides those of every architecture.

    Attributes:
        place: As for `ResidualBlock`.
        pooling: ``"max"``, ``"average"``, ``"max_average"`` for their sum, or None for twice
            the stride in the convolution.
        pool_size: Length of the pooling window; its stride is 2.
        pool_padding: Padding before pooling.
        local_response_norm: Whether `LocalResponseNorm` follows the first two poolings, as in
            CaffeNet; the paper left it out, since it changed nothing.
        head: ``"dense"``; or ``"convolutional"``: the fully connected layers become
            convolutions, the first of 3×3, and the predictions of all positions are averaged.
        units: Units of each of the two layers.
        dropout: Share of their outputs dropped in training.
        width: Factor for all numbers of filters and units.
    """

    input_shape: Shape = (3, 128, 128)
    place: Place = "before"
    pooling: str | None = "max"
    pool_size: int = 3
    pool_padding: int = 0
    local_response_norm: bool = False
    head: str = "dense"
    units: int = 2048
    dropout: float = 0.5
    width: float = 1.0


@architecture(
    CaffeNetOptions,
    year=2016,
    paper="Mishkin, Sergievskiy, Matas, Systematic evaluation of CNN advances on the ImageNet",
    accuracy="47.1 % ImageNet at 128 pixels",
    source="paper",
    keys={"caffe": caffenet_keys},
)
def caffenet128(options: CaffeNetOptions) -> Network:
    """CaffeNet for 128 pixels: the network on which techniques of deep learning were compared.

    The filters are 11×11 with stride 4, then 5×5 and three times 3×3, three of them in two
    groups. Pooling follows the first, the second and the fifth convolution, named ``stage1`` to
    ``stage3``; then come two layers of 2048 units with Dropout. Smaller images get the paper's
    shorter first filters: 7×7 with stride 3 from 96 pixels, 5×5 with stride 2 from 64, 3×3 with
    stride 1 below. Each option below is a row of the paper's comparison.

    Raises:
        ShapeError: When an image is too small.
        ValueError: When an option is out of its range, or the weights do not fit.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of convolution neural network
        advances on the ImageNet", 2017, table 1, after Jia et al., "Caffe", 2014.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = caffenet128(1000)
        >>> network.upto("stage3").output_shape
        (256, 3, 3)
    """
    head, pooling, width = options.head, options.pooling, options.width
    if head not in HEADS:
        raise ValueError(f"head must be one of {', '.join(map(repr, HEADS))}, got {head!r}.")
    style = Style(**options.of_blocks, place=options.place)
    how: dict[str, Any] = {"stride": 2, "padding": options.pool_padding, "ceil_mode": True}
    pool = pooling and functools.partial(pooling_of(pooling), options.pool_size, **how)
    layers: list[Composable] = []
    for number, units_of_stage in enumerate(STAGES, start=1):
        layers += convolutions(style, units_of_stage, options.input_shape, width, not pool)
        name = f"stage{number}"
        layers.append(pool(name=name) if pool else Identity(name=name))
        if options.local_response_norm and number < len(STAGES):
            layers.append(LocalResponseNorm(5, alpha=2e-5, k=1.0))
    body = join(Input(*options.input_shape), *layers)
    hidden = scale_width(options.units, width)
    if head == "convolutional":
        return join(body, *convolutional_head(style, hidden, options.classes, options.dropout))
    return join(
        body,
        flatten_features(body, 6, shrinks=True),
        *dense_head(style, hidden, options.classes, dropout=options.dropout),
    )


def pooling_of(kind: str) -> Callable[..., Layer]:
    """Return the class of a pooling layer by its name.

    Raises:
        ValueError: When the name is unknown.
    """
    return POOLINGS[one_of(kind, "pooling", POOLINGS)]


def convolutions(
    style: Style,
    units: Sequence[tuple[int, int | None, int]],
    input_shape: Shape,
    width: float,
    strided: bool,  # noqa: FBT001 - only the function above calls this
) -> list[Composable]:
    """Return the convolutions of one stage; without pooling, the last one has the stride."""
    layers: list[Composable] = []
    for place, (filters, length, groups) in enumerate(units, start=1):
        step = 2 if strided and place == len(units) else 1
        padding = None
        if length is None:
            side = shortest_side(input_shape, 128)
            length, stride = next(how for least, how in FIRST.items() if side >= least)
            step, padding = step * stride, 0
        unit = style.unit(
            scale_width(filters, width), length, stride=step, padding=padding, groups=groups
        )
        layers.append(unit)
    return layers


def scale_width(number: int, width: float) -> int:
    """Return a number of filters times a width, rounded to an even number for two groups."""
    return max(2, 2 * round(number * width / 2))


def convolutional_head(
    style: Style, width: int, classes: int, dropout: float
) -> list[Composable]:
    """Return the fully connected layers as convolutions, with averaged predictions."""
    layers: list[Composable] = []
    for length in (3, 1):
        layers += [Convolution(width, length, padding="same", weight=HE), *style.activate()]
        layers += [Dropout(dropout)] if dropout else []
    last = Convolution(classes, 1, weight=LECUN)
    return [*layers, last, GlobalPooling("avg"), Softmax()]
