"""Residual networks."""

from __future__ import annotations

import functools
import itertools
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.architecture_facts import PictureForm, Published
from neuropil.architectures.published.registry import Options, architecture
from neuropil.checks import shown
from neuropil.core import Layer, Network, Shape, join
from neuropil.layers import (
    BottleneckBlock,
    Convolution,
    GlobalPooling,
    Input,
    MaxPooling,
    ResidualBlock,
    Softmax,
)
from neuropil.layers.blocks.block_style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from neuropil.core.layer import Composable
    from neuropil.layers.blocks.residual import Shortcut

# By depth: the number of blocks of each stage.
BASIC = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
BOTTLENECK = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
WIDTHS = (64, 128, 256, 512)

PAPER = "He, Zhang, Ren, Sun, Deep residual learning for image recognition"


@dataclass(frozen=True, kw_only=True)
class ResNetOptions(Options):
    """Options of residual networks, besides those of every architecture.

    Attributes:
        pre_activation: Whether normalisation and activation come before each convolution.
        shortcut: As for `ResidualBlock`.
        stochastic_depth: Probability that the last block is skipped in training; it grows
            linearly from the first block to the last.
        output_stride: By how much the stages shrink the image at most: 8, 16 or 32. Further
            strides become dilations, which leaves the receptive fields and weights as they
            are and gives features of 4 or 2 times the width, for segmentation.
    """

    pre_activation: bool = False
    shortcut: Shortcut | None = "auto"
    stochastic_depth: float = 0.0
    output_stride: int = 32

    @property
    @override
    def style(self) -> Style:
        return Style(**self.of_blocks, place="first" if self.pre_activation else "before")


def residual_network(depth: int, options: ResNetOptions) -> Network:
    """Return a residual network of one of the paper's depths for ImageNet."""
    style = options.style
    kind, expansion = (ResidualBlock, 1) if depth in BASIC else (BottleneckBlock, 4)
    widths = [expansion * width for width in WIDTHS]
    block = functools.partial(
        kind, **options.of_blocks, place=style.place, shortcut=options.shortcut
    )
    return join(
        Input(*options.input_shape),
        *stem(style, options.input_shape),
        *stages(
            block,
            (BASIC | BOTTLENECK)[depth],
            widths,
            options.stochastic_depth,
            allowed_halvings(options),
        ),
        *head(style, options.classes),
    )


def allowed_halvings(options: ResNetOptions) -> int:
    """Return how many of the stages may halve the image, after the layers before them.

    Raises:
        ValueError: When the output stride is unknown.
    """
    strides = (8, 16, 32)
    if options.output_stride not in strides:
        raise ValueError(
            f"resnet: output_stride must be 8, 16 or 32, got {shown(options.output_stride)}."
        )
    small = is_small(options.input_shape)
    return 3 if small else 1 + strides.index(options.output_stride)


def stem(style: Style, input_shape: Shape, filters: int = WIDTHS[0]) -> list[Composable]:
    """Return the layers before the first block: images from 64 pixels shrink by four.

    Dense networks share it.
    """
    small = is_small(input_shape)
    size, stride = (3, 1) if small else (7, 2)
    front: Composable = style.unit(filters, size, stride=stride)
    if style.place == "first":  # the first block begins with normalisation and activation
        front = Convolution(filters, size, stride=stride, padding=size // 2, bias=False)
    return [front] if small else [front, MaxPooling(3, stride=2, padding=1)]


def stages(
    block: Callable[..., Layer],
    counts: Sequence[int],
    widths: Sequence[int],
    stochastic_depth: float = 0.0,
    halvings: int = 3,
) -> list[Layer]:
    """Return the blocks; the last of each stage is named, ``stage1`` and so on.

    Args:
        block: Makes a block.
        counts: The number of blocks of each stage.
        widths: The number of channels of each stage.
        stochastic_depth: Probability that the last block is skipped.
        halvings: How many of the later stages halve the image; those after them are dilated.
    """
    blocks: list[Layer] = []
    for stage, (count, width) in enumerate(zip(counts, widths, strict=True)):
        halves = 0 < stage <= halvings
        dilation = 2 ** max(0, stage - halvings)
        for place in range(1, count + 1):
            first = place == 1
            blocks.append(
                block(
                    width,
                    stride=2 if halves and first else 1,
                    dilation=dilation,
                    first_dilation=dilation // 2 if first and dilation > 1 else None,
                    stochastic_depth=stochastic_depth * (len(blocks) + 1) / sum(counts),
                    name=f"stage{stage + 1}" if place == count else None,
                )
            )
    return blocks


def head(style: Style, classes: int) -> list[Layer]:
    """Return the layers after the last block."""
    open_end = [*style.normalize(), *style.activate()] if style.place == "first" else []
    return [*open_end, GlobalPooling("avg"), Softmax(classes)]


def imagenet_keys(depth: int) -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision and timm."""
    bottleneck = depth in BOTTLENECK
    yield from ("conv1", "bn1")
    for stage, count in enumerate((BASIC | BOTTLENECK)[depth], start=1):
        for place in range(count):
            block = f"layer{stage}.{place}"
            for number in range(1, 4 if bottleneck else 3):
                yield from (f"{block}.conv{number}", f"{block}.bn{number}")
            if place == 0 and (bottleneck or stage > 1):
                yield from (f"{block}.downsample.0", f"{block}.downsample.1")
    yield "fc"


def facts(depth: int, accuracy: str) -> dict[str, Any]:
    """Return the published facts of a residual network."""
    keys = functools.partial(imagenet_keys, depth)
    return {
        "year": 2015,
        "paper": PAPER,
        "accuracy": f"{accuracy} % ImageNet",
        "source": "torchvision",
        "keys": {"torchvision": keys, "timm": keys},
        "published": Published(f"timm/resnet{depth}.tv_in1k"),
    }


@architecture(ResNetOptions, **facts(18, "69.8"))
def resnet18(options: ResNetOptions) -> Network:
    """ResNet-18: 8 residual blocks of two 3×3 convolutions.

    A 7×7 convolution and MaxPooling shrink the image by four. Four stages of blocks with 64,
    128, 256 and 512 channels halve it three times more. The mean over all positions and Softmax
    follow. Images below 64 pixels get a 3×3 convolution of stride 1 first instead, and no
    MaxPooling. The stages' last blocks are named ``stage1`` to ``stage4``:
    ``network.upto("stage4")`` gives the features, and
    ``network.upto("stage2", "stage3", "stage4")`` a pyramid of them. With
    ``output_stride=8`` or 16 it is a dilated residual network.

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016; the same,
        "Identity mappings in deep residual networks", 2016. Equal outputs under equal weights
        with ``torchvision.models.resnet18``. Yu, Koltun, Funkhouser, "Dilated residual
        networks", 2017, for `output_stride`.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = resnet18(10, input_shape=(1, 32, 32))
        >>> network.output_shape, network.upto("stage4").output_shape
        ((10,), (512, 4, 4))
        >>> with torch.device("meta"):
        ...     dilated = resnet18(output_stride=8).upto("stage4")
        >>> dilated.output_shape
        (512, 28, 28)
    """
    return residual_network(18, options)


@architecture(ResNetOptions, **facts(34, "73.3"))
def resnet34(options: ResNetOptions) -> Network:
    """ResNet-34: 16 residual blocks of two 3×3 convolutions.

    The structure of `resnet18`, with 3 + 4 + 6 + 3 blocks.

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016. Equal outputs
        under equal weights with ``torchvision.models.resnet34``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = resnet34()
        >>> network.upto("stage4").output_shape
        (512, 7, 7)
    """
    return residual_network(34, options)


@architecture(ResNetOptions, **facts(50, "76.1"))
def resnet50(options: ResNetOptions) -> Network:
    """ResNet-50: 16 residual blocks of a 1×1, a 3×3 and a 1×1 convolution.

    The structure of `resnet18`, with 3 + 4 + 6 + 3 blocks. The stride is in the 3×3
    convolution ("v1.5").

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016. Equal outputs
        under equal weights with ``torchvision.models.resnet50``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = resnet50()
        >>> network.upto("stage4").output_shape
        (2048, 7, 7)
    """
    return residual_network(50, options)


@architecture(ResNetOptions, **facts(101, "77.4"))
def resnet101(options: ResNetOptions) -> Network:
    """ResNet-101: 33 residual blocks of a 1×1, a 3×3 and a 1×1 convolution.

    The structure of `resnet18`, with 3 + 4 + 23 + 3 blocks. The stride is in the 3×3
    convolution ("v1.5").

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016. Equal outputs
        under equal weights with ``torchvision.models.resnet101``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = resnet101()
        >>> network.upto("stage4").output_shape
        (2048, 7, 7)
    """
    return residual_network(101, options)


@architecture(ResNetOptions, **facts(152, "78.3"))
def resnet152(options: ResNetOptions) -> Network:
    """ResNet-152: 50 residual blocks of a 1×1, a 3×3 and a 1×1 convolution.

    The structure of `resnet18`, with 3 + 8 + 36 + 3 blocks. The stride is in the 3×3
    convolution ("v1.5").

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016. Equal outputs
        under equal weights with ``torchvision.models.resnet152``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = resnet152()
        >>> network.upto("stage4").output_shape
        (2048, 7, 7)
    """
    return residual_network(152, options)


def cifar_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in the usual weights for CIFAR-10."""
    yield from ("conv1", "bn1")
    for stage, place in itertools.product((1, 2, 3), range(3)):
        for number in (1, 2):
            yield f"layer{stage}.{place}.conv{number}"
            yield f"layer{stage}.{place}.bn{number}"
    yield "linear"


@dataclass(frozen=True)
class ResNet20Options(Options):
    """Options of `resnet20`, whose defaults are those of CIFAR-10."""

    classes: int = 10
    _: KW_ONLY
    input_shape: Shape = (3, 32, 32)


@architecture(
    ResNet20Options,
    year=2015,
    paper=PAPER,
    accuracy="91.3 % CIFAR-10",
    source="paper",
    keys={"cifar": cifar_keys},
    forms={"cifar": PictureForm()},
)
def resnet20(options: ResNet20Options) -> Network:
    """ResNet-20: the paper's small network for images of 32 pixels, 0.27 million parameters.

    A 3×3 convolution is followed by three stages of three residual blocks with 16, 32 and 64
    channels, whose shortcuts have no weights, the mean over all positions, and Softmax. The
    stages' last blocks are named ``stage1`` to ``stage3``.

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016, section 4.2.

    Example:
        >>> resnet20().output_shape
        (10,)
    """
    block = functools.partial(ResidualBlock, shortcut="zeros", **options.of_blocks)
    return join(
        Input(*options.input_shape),
        options.style.unit(16, 3),
        *stages(block, (3, 3, 3), (16, 32, 64)),
        *head(options.style, options.classes),
    )
