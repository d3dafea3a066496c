"""Inception-ResNet v2: inception modules with residual connections."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.architectures.inception import (
    HALVES,
    InceptionOptions,
    branch_units,
    classifier,
    inception_a,
    stem,
    unit_keys,
)
from neuropil.architectures.published.architecture_facts import Published
from neuropil.architectures.published.registry import architecture
from neuropil.core import Network, join
from neuropil.layers import InceptionModule, InceptionResNetBlock, Input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuropil.core import Layer

MIXED_5B = inception_a(64, single=96)
MIXED_6A = ((384, 3, 2),), ((256, 1), (256, 3), (384, 3, 2)), (("max", 3, 2),)
MIXED_7A = (
    ((256, 1), (384, 3, 2)),
    ((256, 1), (288, 3, 2)),
    ((256, 1), (288, 3), (320, 3, 2)),
    (("max", 3, 2),),
)
BLOCK_35 = ((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))
BLOCK_17 = ((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))
BLOCK_8 = ((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))

# For each stage: name and branches of its reduction in the published weights; then name,
# branches, number and scale of the residual blocks after it.
STAGES = (
    ("mixed_5b", MIXED_5B, "repeat", BLOCK_35, 10, 0.17),
    ("mixed_6a", MIXED_6A, "repeat_1", BLOCK_17, 20, 0.1),
    ("mixed_7a", MIXED_7A, "repeat_2", BLOCK_8, 9, 0.2),
)
STEM_UNITS = "conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a"


def resnet_v2_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in timm."""
    yield from unit_keys(STEM_UNITS)
    for reduction, branches, blocks, rows, count, _ in STAGES:
        yield from unit_keys(f"{reduction}.{unit}" for unit in branch_units(branches))
        names = [f"{blocks}.{number}" for number in range(count)]
        for block in [*names, "block8"] if rows is BLOCK_8 else names:
            yield from unit_keys(f"{block}.{unit}" for unit in branch_units(rows))
            yield f"{block}.conv2d"
    yield from unit_keys(["conv2d_7b"])
    yield "classif"


@architecture(
    InceptionOptions,
    year=2016,
    paper="Szegedy, Ioffe, Vanhoucke, Alemi, Inception-v4, Inception-ResNet and the impact of "
    "residual connections on learning",
    accuracy="80.5 % ImageNet",
    source="timm",
    keys={"timm": resnet_v2_keys},
    published=Published("timm/inception_resnet_v2.tf_in1k", mean=HALVES, std=HALVES),
)
def inception_resnet_v2(options: InceptionOptions) -> Network:
    """Inception-ResNet v2: 10, 20 and 10 residual inception blocks of three kinds.

    The stem of `inception_v3` shrinks the image by eight, and two reductions between the kinds
    halve it. A 1×1 convolution to 1536 channels, the mean over all positions, Dropout and
    Softmax follow. Images below 75 pixels get a first convolution of stride 1 and no second
    MaxPooling. The last blocks of each kind, with 320, 1088 and 2080 channels, are named
    ``stage1`` to ``stage3``: ``network.upto("stage1", "stage2", "stage3")`` is a pyramid.

    Reference:
        Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning", 2017. Equal outputs under equal weights with timm's
        ``inception_resnet_v2``, whose blocks are those of its authors' published weights, with
        fewer channels and other scales than in the paper.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = inception_resnet_v2(10, input_shape=(1, 32, 32))
        >>> network.upto("stage1").output_shape, network.upto("stage3").output_shape
        ((320, 11, 11), (2080, 2, 2))
    """
    style = options.style
    module = functools.partial(InceptionModule, count_include_pad=False, **options.of_blocks)
    block = functools.partial(InceptionResNetBlock, **options.of_blocks)
    return join(
        Input(*options.input_shape),
        *stem(style, options.input_shape),
        *stages(module, block),
        style.unit(1536, 1),
        *classifier(0.2, options.classes),
    )


def stages(module: Callable[..., Layer], block: Callable[..., Layer]) -> list[Layer]:
    """Return the modules that widen or reduce, each with the residual blocks after it."""
    layers: list[Layer] = []
    for number, (_, branches, _, rows, count, scale) in enumerate(STAGES, start=1):
        end = f"stage{number}"
        layers.append(module(*branches))
        if number < len(STAGES):
            layers += [block(*rows, scale=scale) for _ in range(count - 1)]
            layers.append(block(*rows, scale=scale, name=end))
        else:  # the very last block is neither scaled nor activated
            layers += [block(*rows, scale=scale) for _ in range(count)]
            layers.append(block(*rows, activates=False, name=end))
    return layers
