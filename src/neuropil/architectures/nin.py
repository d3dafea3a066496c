"""Network in network."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.core import Network, join
from neuropil.layers import (
    AveragePooling,
    Dropout,
    GlobalPooling,
    Input,
    MaxPooling,
    NiNBlock,
    Softmax,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def nin_keys(blocks: int = 4) -> Iterator[str]:
    """Return the names of the layers with parameters in the Caffe model zoo.

    Args:
        blocks: Number of blocks: 4 in the network for ImageNet, 3 in the one for CIFAR-10.
    """
    for place in range(1, blocks + 1):
        names = f"conv{place}", f"cccp{2 * place - 1}", f"cccp{2 * place}"
        yield from (f"{name}-1024" if place == 4 else name for name in names)


@architecture(
    PlainOptions,
    year=2013,
    paper="Lin, Chen, Yan, Network in network",
    accuracy="59.4 % ImageNet",
    source="Caffe",
    keys={"caffe": nin_keys, "caffe_cifar": functools.partial(nin_keys, 3)},
)
def nin(options: PlainOptions) -> Network:
    """Network in network: blocks of a convolution and two of 1×1; no fully connected layer.

    The network has four blocks with 96, 256, 384 and 1024 filters, with MaxPooling and one
    Dropout between them. The last one gives a map for each class, whose mean is the class's
    score. Images below 64 pixels get the paper's smaller network of three blocks. The blocks
    are named ``stage1``, ``stage2`` and so on.

    Reference:
        Lin, Chen, Yan, "Network in network", 2014; the network for ImageNet is the authors' in
        the Caffe model zoo, "NIN-Imagenet", the other their ``cifar-10`` definition.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network, small = nin(), nin(10, input_shape=(3, 32, 32))
        >>> [sum(p.numel() for p in each.parameters()) for each in (network, small)]
        [7595176, 966986]
        >>> network.upto("stage4").output_shape, small.upto("stage3").output_shape
        ((1000, 6, 6), (10, 8, 8))
    """
    block = functools.partial(NiNBlock, **options.of_blocks)
    halved = functools.partial(MaxPooling, 3, stride=2, ceil_mode=True)
    if is_small(options.input_shape):
        layers = [
            block((192, 160, 96), 5, padding=2, name="stage1"),
            halved(),
            Dropout(0.5),
            block(192, 5, padding=2, name="stage2"),
            AveragePooling(3, stride=2, ceil_mode=True),
            Dropout(0.5),
            block((192, 192, options.classes), 3, padding=1, name="stage3"),
        ]
    else:
        layers = [
            block(96, 11, stride=4, name="stage1"),
            halved(),
            block(256, 5, padding=2, name="stage2"),
            halved(),
            block(384, 3, padding=1, name="stage3"),
            halved(),
            Dropout(0.5),
            block((1024, 1024, options.classes), 3, padding=1, name="stage4"),
        ]
    return join(Input(*options.input_shape), *layers, GlobalPooling("avg"), Softmax())
