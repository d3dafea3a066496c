"""Densely connected networks."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.architectures.published.architecture_facts import Published
from neuropil.architectures.published.registry import Options, architecture
from neuropil.architectures.resnet import stem
from neuropil.core import Layer, Network, join
from neuropil.layers import (
    DenseBlock,
    GlobalPooling,
    Input,
    Softmax,
    TransitionLayer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Plan(NamedTuple):
    """Hyperparameters of one network.

    Args:
        growth_rate: Channels that each layer adds.
        layers: Number of layers of each block.
        stem: Channels before the first block.
    """

    growth_rate: int
    layers: tuple[int, ...]
    stem: int


PLANS = {
    121: Plan(32, (6, 12, 24, 16), 64),
    161: Plan(48, (6, 12, 36, 24), 96),
    169: Plan(32, (6, 12, 32, 32), 64),
    201: Plan(32, (6, 12, 48, 32), 64),
}


@dataclass(frozen=True, kw_only=True)
class DenseNetOptions(Options):
    """Options of densely connected networks, besides those of every architecture.

    Attributes:
        dropout: As for `DenseBlock`.
    """

    dropout: float = 0.0


def dense_network(depth: int, options: DenseNetOptions) -> Network:
    """Return a densely connected network of one of the depths in `PLANS`."""
    plan = PLANS[depth]
    style = options.style
    block = functools.partial(DenseBlock, dropout=options.dropout, **options.of_blocks)
    blocks: list[Layer] = []
    for stage, layers in enumerate(plan.layers, start=1):
        if stage > 1:
            blocks.append(TransitionLayer(**options.of_blocks))
        blocks.append(block(layers, plan.growth_rate, name=f"stage{stage}"))
    return join(
        Input(*options.input_shape),
        *stem(style, options.input_shape, plan.stem),
        *blocks,
        *style.normalize(),
        *style.activate(),
        GlobalPooling("avg"),
        Softmax(options.classes),
    )


def imagenet_keys(depth: int) -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision and timm."""
    yield from ("features.conv0", "features.norm0")
    for block, layers in enumerate(PLANS[depth].layers, start=1):
        if block > 1:
            transition = f"features.transition{block - 1}"
            yield from (f"{transition}.norm", f"{transition}.conv")
        for place in range(1, layers + 1):
            layer = f"features.denseblock{block}.denselayer{place}"
            for number in (1, 2):
                yield from (f"{layer}.norm{number}", f"{layer}.conv{number}")
    yield from ("features.norm5", "classifier")


def facts(depth: int, accuracy: str) -> dict[str, Any]:
    """Return the published facts of a densely connected network."""
    keys = functools.partial(imagenet_keys, depth)
    return {
        "year": 2016,
        "paper": "Huang, Liu, van der Maaten, Weinberger, Densely connected convolutional "
        "networks",
        "accuracy": f"{accuracy} % ImageNet",
        "source": "torchvision",
        "keys": {"torchvision": keys, "timm": keys},
        "published": Published(f"timm/densenet{depth}.tv_in1k"),
    }


@architecture(DenseNetOptions, **facts(121, "74.4"))
def densenet121(options: DenseNetOptions) -> Network:
    """DenseNet-121: four dense blocks of 6, 12, 24 and 16 layers that add 32 channels each.

    A 7×7 convolution to 64 channels and MaxPooling shrink the image by four. Between the
    blocks, transition layers halve the channels and the image. Normalisation and activation,
    the mean over all positions, and Softmax follow. Images below 64 pixels get a 3×3
    convolution of stride 1 first instead, and no MaxPooling. The blocks are named ``stage1`` to
    ``stage4``: ``network.upto("stage4")`` gives the features, before the last normalisation,
    and ``network.upto("stage2", "stage3", "stage4")`` a pyramid of them.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, table 1 (DenseNet-BC); dropout of 0.2 is theirs where images are not augmented.
        Equal outputs under equal weights with ``torchvision.models.densenet121``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = densenet121(10, input_shape=(1, 32, 32))
        >>> network.output_shape, network.upto("stage4").output_shape
        ((10,), (1024, 4, 4))
    """
    return dense_network(121, options)


@architecture(DenseNetOptions, **facts(161, "77.1"))
def densenet161(options: DenseNetOptions) -> Network:
    """DenseNet-161: dense blocks of 6, 12, 36 and 24 layers that add 48 channels each.

    The structure of `densenet121`, with 96 channels at the start.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, section 4.4 (the widest, k = 48). Equal outputs under equal weights with
        ``torchvision.models.densenet161``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = densenet161()
        >>> network.upto("stage4").output_shape
        (2208, 7, 7)
    """
    return dense_network(161, options)


@architecture(DenseNetOptions, **facts(169, "75.6"))
def densenet169(options: DenseNetOptions) -> Network:
    """DenseNet-169: dense blocks of 6, 12, 32 and 32 layers that add 32 channels each.

    The structure of `densenet121`.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, table 1. Equal outputs under equal weights with
        ``torchvision.models.densenet169``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = densenet169()
        >>> network.upto("stage4").output_shape
        (1664, 7, 7)
    """
    return dense_network(169, options)


@architecture(DenseNetOptions, **facts(201, "76.9"))
def densenet201(options: DenseNetOptions) -> Network:
    """DenseNet-201: dense blocks of 6, 12, 48 and 32 layers that add 32 channels each.

    The structure of `densenet121`.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, table 1. Equal outputs under equal weights with
        ``torchvision.models.densenet201``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = densenet201()
        >>> network.upto("stage4").output_shape
        (1920, 7, 7)
    """
    return dense_network(201, options)
