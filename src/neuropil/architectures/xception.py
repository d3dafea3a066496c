"""Xception: residual blocks of separable convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.registry import Options, architecture
from neuropil.core import Layer, Network, Shape, join
from neuropil.layers import (
    Dropout,
    GlobalPooling,
    Input,
    SeparableBlock,
    Softmax,
    XceptionBlock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Channels after each separable convolution of each block.
ENTRY = ((128, 128), (256, 256), (728, 728))
MIDDLE = ((728, 728, 728),) * 8
EXIT = (728, 1024)
BLOCKS = (*ENTRY, *MIDDLE, EXIT)
TAIL = (1536, 2048)
# Stages that end at each block, counted from 1.
STAGES = {1: "stage1", 2: "stage2", 11: "stage3"}
SHRINKS = (1, 2, 3, 12)


def imagenet_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in timm."""
    yield from ("conv1", "bn1", "conv2", "bn2")
    for number, widths in enumerate(BLOCKS, start=1):
        block = f"block{number}"
        first = 0 if number == 1 else 1
        for place in range(first, first + 3 * len(widths), 3):
            yield from (f"{block}.rep.{place}.conv1", f"{block}.rep.{place}.pointwise")
            yield f"{block}.rep.{place + 1}"
        if number in SHRINKS:
            yield from (f"{block}.skip", f"{block}.skipbn")
    for number in (3, 4):
        yield from (f"conv{number}.conv1", f"conv{number}.pointwise", f"bn{number}")
    yield "fc"


@dataclass(frozen=True, kw_only=True)
class XceptionOptions(Options):
    """Options of `xception`, besides those of every architecture.

    Attributes:
        dropout: Share of the features dropped in training; 0 for none, as in the paper's
            networks for larger data sets than ImageNet.
    """

    input_shape: Shape = (3, 299, 299)
    dropout: float = 0.5


@architecture(
    XceptionOptions,
    year=2016,
    paper="Chollet, Xception: deep learning with depthwise separable convolutions",
    accuracy="79.0 % ImageNet",
    source="paper",
    keys={"timm": imagenet_keys},
)
def xception(options: XceptionOptions) -> Network:
    """Xception: two convolutions, twelve residual blocks, two separable convolutions.

    The first convolution and blocks 1, 2, 3 and 12 halve the image; blocks 4 to 11 keep its
    size and their 728 channels. The mean over all positions, Dropout and Softmax follow. For
    images below 64 pixels the first convolution has stride 1. The ends of blocks 1, 2 and 11
    and of the last separable convolution are named ``stage1`` to ``stage4``:
    ``network.upto("stage4")`` gives the features, and
    ``network.upto("stage2", "stage3", "stage4")`` a pyramid of them.

    Reference:
        Chollet, "Xception: deep learning with depthwise separable convolutions", 2017,
        figure 5. Equal outputs under equal weights with ``legacy_xception`` of ``timm``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = xception(10, input_shape=(1, 32, 32))
        >>> network.output_shape, network.upto("stage4").output_shape
        ((10,), (2048, 2, 2))
    """
    style = options.style
    small = is_small(options.input_shape)
    chosen = options.of_blocks
    return join(
        Input(*options.input_shape),
        style.unit(32, 3, stride=1 if small else 2, padding=0),
        style.unit(64, 3, padding=0),
        *blocks(chosen),
        SeparableBlock(TAIL[0], between=False, **chosen),
        SeparableBlock(TAIL[1], between=False, **chosen, name="stage4"),
        GlobalPooling("avg"),
        *([Dropout(options.dropout)] if options.dropout else []),
        Softmax(options.classes),
    )


def blocks(chosen: dict[str, Any]) -> list[Layer]:
    """Return the residual blocks."""
    return [
        XceptionBlock(
            widths,
            stride=2 if number in SHRINKS else 1,
            opening=number > 1,
            **chosen,
            name=STAGES.get(number),
        )
        for number, widths in enumerate(BLOCKS, start=1)
    ]
