"""MobileNet, version 1: a chain of depthwise separable convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.architecture_facts import Published
from neuropil.architectures.published.registry import Options, architecture
from neuropil.checks import number
from neuropil.core import Layer, Network, join
from neuropil.layers import GlobalPooling, Input, Relu, SeparableBlock, Softmax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.layers.blocks.block_style import Choice

# Channels and blocks of each stage; the first block of each stage after the first has stride 2.
STEM = 32
STAGES = ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2))
# Numbers of channels are multiples of this.
MULTIPLE = 8
RELU6 = Relu(maximum=6)


def scale_width(channels: int, width: float) -> int:
    """Return channels times a width, as a multiple of 8 that is at least 90 % of it.

    Example:
        >>> scale_width(32, 0.5), scale_width(32, 0.3), scale_width(32, 0.1)
        (16, 16, 8)
    """
    wanted = channels * width
    near = max(MULTIPLE, int(wanted + MULTIPLE / 2) // MULTIPLE * MULTIPLE)
    return near if near >= 0.9 * wanted else near + MULTIPLE


def imagenet_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in timm."""
    yield from ("conv_stem", "bn1")
    for stage, (_, count) in enumerate(STAGES):
        for place in range(count):
            for part in ("conv_dw", "bn1", "conv_pw", "bn2"):
                yield f"blocks.{stage}.{place}.{part}"
    yield "classifier"


@dataclass(frozen=True, kw_only=True)
class MobileNetOptions(Options):
    """Options of `mobilenet`, besides those of every architecture.

    Attributes:
        activation: As for `ResidualBlock`; by default ReLU6, ``Relu(maximum=6)``.
        width: Factor for all numbers of channels, which are then rounded to multiples of 8: the
            paper's α.
    """

    activation: Choice = RELU6
    width: float = 1.0


@architecture(
    MobileNetOptions,
    year=2017,
    paper="Howard et al., MobileNets: efficient convolutional neural networks for mobile "
    "vision applications",
    accuracy="75.4 % ImageNet",
    source="timm",
    keys={"timm": imagenet_keys},
    published=Published("timm/mobilenetv1_100.ra4_e3600_r224_in1k", (0.5,) * 3, (0.5,) * 3),
)
def mobilenet(options: MobileNetOptions) -> Network:
    """MobileNet (v1): a convolution and thirteen depthwise separable ones.

    The first convolution and four of the separable ones halve the image while the channels grow
    from 32 to 1024. The mean over all positions and Softmax follow. For images below 64 pixels
    the first convolution has stride 1. The last block before each halving and the very last are
    named ``stage1`` to ``stage5``: ``network.upto("stage5")`` gives the features, and
    ``network.upto("stage3", "stage4", "stage5")`` a pyramid of them.

    Raises:
        ShapeError: When `input_shape` is not that of an image.
        ValueError: When an option is out of its range, or the weights do not fit.

    Reference:
        Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
        applications", 2017, table 1; the paper says ReLU, its authors' code and weights have
        ReLU6. Equal outputs under equal weights with ``mobilenetv1_100`` of ``timm``, and with
        ``mobilenetv1_125`` for ``width=1.25``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = mobilenet(10, width=0.5, input_shape=(1, 32, 32))
        >>> network.output_shape, network.upto("stage5").output_shape
        ((10,), (512, 2, 2))
    """
    width = number(options.width, "mobilenet: width", "(0, inf)")
    style = options.style
    small = is_small(options.input_shape)
    return join(
        Input(*options.input_shape),
        style.unit(scale_width(STEM, width), 3, stride=1 if small else 2),
        *blocks(options, width),
        GlobalPooling("avg"),
        Softmax(options.classes),
    )


def blocks(options: MobileNetOptions, width: float) -> list[Layer]:
    """Return the separable blocks; the last of each stage is named, ``stage1`` and so on."""
    return [
        SeparableBlock(
            scale_width(channels, width),
            stride=2 if stage > 1 and place == 1 else 1,
            **options.of_blocks,
            name=f"stage{stage}" if place == count else None,
        )
        for stage, (channels, count) in enumerate(STAGES, start=1)
        for place in range(1, count + 1)
    ]
