"""Inception v4: more uniform, deeper and wider than v3."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.inception import (
    HALVES,
    SMALL_SIDE,
    InceptionOptions,
    branch_units,
    classifier,
    cross,
    unit_keys,
)
from neuropil.architectures.published.architecture_facts import Published
from neuropil.architectures.published.registry import architecture
from neuropil.core import Network, join
from neuropil.layers import InceptionModule, Input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.layers.blocks.branches import Branch

STEM_A = (("max", 3, 2),), ((96, 3, 2),)
STEM_B = (
    ((64, 1), (96, 3, 1, 0)),
    ((64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3, 1, 0)),
)
INCEPTION_A = (
    ((96, 1),),
    ((64, 1), (96, 3)),
    ((64, 1), (96, 3), (96, 3)),
    ("avg", (96, 1)),
)
REDUCTION_A = ((384, 3, 2),), ((192, 1), (224, 3), (256, 3, 2)), (("max", 3, 2),)
INCEPTION_B = (
    ((384, 1),),
    ((192, 1), (224, (1, 7)), (256, (7, 1))),
    ((192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
    ("avg", (128, 1)),
)
REDUCTION_B = (
    ((192, 1), (192, 3, 2)),
    ((256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2)),
    (("max", 3, 2),),
)
INCEPTION_C = (
    ((256, 1),),
    ((384, 1), cross(256)),
    ((384, 1), (448, (3, 1)), (512, (1, 3)), cross(256)),
    ("avg", (256, 1)),
)
BODY = (*[INCEPTION_A] * 4, REDUCTION_A, *[INCEPTION_B] * 7, REDUCTION_B, *[INCEPTION_C] * 3)
# Names of the last modules of each kind, by position in the body.
STAGES = {3: "stage1", 11: "stage2", 15: "stage3"}

# Published names of the modules whose units are not named by position.
C_UNITS = (
    "branch0", "branch1_0", "branch1_1a", "branch1_1b",
    "branch2_0", "branch2_1", "branch2_2", "branch2_3a", "branch2_3b", "branch3.1",
)  # fmt: skip


def stem_c(stride: int) -> tuple[Branch, ...]:
    """Return the branches of the stem's last module."""
    return ((192, 3, stride),), (("max", 3, stride),)


def v4_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in timm."""
    units = ["0", "1", "2", "3.conv", *(f"4.{unit}" for unit in branch_units(STEM_B)), "5.conv"]
    for number, branches in enumerate(BODY, start=6):
        own = C_UNITS if branches is INCEPTION_C else branch_units(branches)
        units += [f"{number}.{unit}" for unit in own]
    yield from unit_keys(f"features.{unit}" for unit in units)
    yield "last_linear"


@architecture(
    InceptionOptions,
    year=2016,
    paper="Szegedy, Ioffe, Vanhoucke, Alemi, Inception-v4, Inception-ResNet and the impact of "
    "residual connections on learning",
    accuracy="80.2 % ImageNet",
    source="timm",
    keys={"timm": v4_keys},
    published=Published("timm/inception_v4.tf_in1k", mean=HALVES, std=HALVES),
)
def inception_v4(options: InceptionOptions) -> Network:
    """Inception v4: 4, 7 and 3 modules of three kinds, after a stem with modules of its own.

    The stem shrinks the image by eight, and two reductions between the kinds halve it. The mean
    over all positions, Dropout and Softmax follow. Images below 75 pixels get a first
    convolution of stride 1 and a last module of the stem that does not shrink them. The last
    modules of each kind, with 384, 1024 and 1536 channels, are named ``stage1`` to ``stage3``:
    ``network.upto("stage1", "stage2", "stage3")`` is a pyramid.

    Reference:
        Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning", 2017. Equal outputs under equal weights with timm's
        ``inception_v4``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = inception_v4(10, input_shape=(1, 32, 32))
        >>> network.upto("stage1").output_shape, network.upto("stage3").output_shape
        ((384, 11, 11), (1536, 2, 2))
    """
    style = options.style
    module = functools.partial(InceptionModule, count_include_pad=False, **options.of_blocks)
    stride = 1 if is_small(options.input_shape, SMALL_SIDE) else 2
    return join(
        Input(*options.input_shape),
        style.unit(32, 3, stride=stride, padding=0),
        style.unit(32, 3, padding=0),
        style.unit(64, 3),
        *(module(*rows) for rows in (STEM_A, STEM_B, stem_c(stride))),
        *(module(*branches, name=STAGES.get(place)) for place, branches in enumerate(BODY)),
        *classifier(0.2, options.classes),
    )
