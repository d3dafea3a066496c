"""SqueezeNet."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.architecture_facts import PictureForm
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.checks import one_of
from neuropil.core import Network, join
from neuropil.layers import (
    Convolution,
    Dropout,
    FireModule,
    GlobalPooling,
    Input,
    MaxPooling,
    Softmax,
)
from neuropil.layers.blocks.block_style import HE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.layers.blocks.fire_module import Bypass

# Squeezed channels of the modules fire2 to fire9; each half of the expanded channels is four
# times as wide.
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)
# By version: number and length of the first filters; number of modules in each stage.
VERSIONS = {"1.0": ((96, 7), (3, 4, 1)), "1.1": ((64, 3), (2, 2, 4))}
PARTS = ("squeeze", "expand1x1", "expand3x3")
# The authors' images: blue, green, red from 0 to 255, less their means.
CAFFE = PictureForm((123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3, blue_first=True)


def torchvision_keys(version: str = "1.0") -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision."""
    yield "features.0"
    place = itertools.count(2)  # after the first activation
    for count in VERSIONS[version][1]:
        next(place)  # the pooling
        for module in itertools.islice(place, count):
            yield from (f"features.{module}.{part}" for part in PARTS)
    yield "classifier.1"


def caffe_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in the authors' network."""
    yield "conv1"
    for module in range(2, 10):
        yield from (f"fire{module}.{part}" for part in PARTS)
    yield "conv10"


@dataclass(frozen=True, kw_only=True)
class SqueezeNetOptions(PlainOptions):
    """Options of `squeezenet`, besides those of every architecture.

    Attributes:
        version: ``"1.0"`` or ``"1.1"``.
        shortcut: None; ``"identity"``, the simple bypass around modules that keep the number
            of channels; ``"auto"``, the complex bypass, which adds projections around the rest.
        head_padding: Zeros around the input of the last convolution: 1 in the authors' network,
            0 in torchvision's.
    """

    version: str = "1.0"
    shortcut: Bypass | None = None
    head_padding: int = 0


@architecture(
    SqueezeNetOptions,
    year=2016,
    paper=(
        "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, SqueezeNet: AlexNet-level accuracy "
        "with 50x fewer parameters"
    ),
    accuracy="58.1 % ImageNet",
    source="torchvision",
    keys={
        "torchvision": torchvision_keys,
        "torchvision_1_1": functools.partial(torchvision_keys, "1.1"),
        "caffe": caffe_keys,
    },
    forms={"caffe": CAFFE},
)
def squeezenet(options: SqueezeNetOptions) -> Network:
    """SqueezeNet: eight modules of a few 1×1 filters before 1×1 and 3×3 filters.

    A convolution and MaxPooling are followed by eight `FireModule` with two more poolings
    between them, and a 1×1 convolution that gives a map for each class, whose mean is the
    class's score: 1.2 million parameters. Version 1.1 has fewer and shorter first filters and
    pools earlier, at 2.3 times less cost. Images below 64 pixels get first filters of 3×3 with
    stride 1, and no pooling after them. The modules before each pooling, and the last one, are
    named ``stage1`` to ``stage3``.

    Reference:
        Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, "SqueezeNet: AlexNet-level accuracy
        with 50x fewer parameters", 2016. Equal outputs under equal weights with
        ``torchvision.models.squeezenet1_0`` and ``squeezenet1_1``; the authors' own weights
        take ``head_padding=1`` and images of 227 pixels.

    Example:
        >>> network, small = squeezenet(), squeezenet(10, input_shape=(1, 32, 32))
        >>> network.upto("stage3").output_shape, small.upto("stage3").output_shape
        ((512, 13, 13), (512, 8, 8))
        >>> sum(p.numel() for p in network.parameters())
        1248424
    """
    style = options.style
    (filters, length), counts = VERSIONS[one_of(options.version, "version", VERSIONS)]
    small = is_small(options.input_shape)
    length, stride, padding = (3, 1, 1) if small else (length, 2, 0)
    first = style.unit(filters, length, stride=stride, padding=padding)
    body = join(Input(*options.input_shape), first)
    squeezed = iter(SQUEEZED)
    for stage, count in enumerate(counts, start=1):
        if stage > 1 or not small:
            body = body >> MaxPooling(3, stride=2, ceil_mode=True)
        for place in range(1, count + 1):
            name = f"stage{stage}" if place == count else None
            body = body >> module(next(squeezed), body, options, name)
    head = Convolution(options.classes, 1, padding=options.head_padding, weight=HE)
    return join(body, Dropout(0.5), head, *style.activate(), GlobalPooling("avg"), Softmax())


def module(
    squeeze: int, body: Network, options: SqueezeNetOptions, name: str | None
) -> FireModule:
    """Return a module that follows a network, with a bypass only where one is possible."""
    shortcut = options.shortcut
    if shortcut == "identity" and body.output_shape[0] != 8 * squeeze:  # pyright: ignore[reportOptionalSubscript]  # it has an Input
        shortcut = None
    wide = 4 * squeeze
    return FireModule(squeeze, wide, wide, shortcut=shortcut, name=name, **options.of_blocks)
