"""Inception v3: factored filters and parallel reductions; also helpers of its family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.architecture_facts import Published
from neuropil.architectures.published.registry import Options, architecture
from neuropil.core import Layer, Network, Shape, join, parallel
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Dropout,
    GlobalPooling,
    InceptionModule,
    Input,
    MaxPooling,
    Softmax,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neuropil.core.layer import Composable
    from neuropil.layers.blocks.block_style import Style
    from neuropil.layers.blocks.branches import Branch

# Images below this side would vanish in the reductions, so fewer layers shrink them.
SMALL_SIDE = 75
# Side that the windows of the auxiliary head need without padding.
HEAD_SIDE = 17
# Mean and standard deviation that the published weights expect of each channel.
HALVES = (0.5, 0.5, 0.5)


def cross(filters: int) -> tuple[Branch, ...]:
    """Return a branch that splits into a 1×3 and a 3×1 convolution."""
    return ((filters, (1, 3)),), ((filters, (3, 1)),)


def inception_a(pooled: int, single: int = 64) -> tuple[Branch, ...]:
    """Return the branches of v3's first modules, which Inception-ResNet shares.

    Args:
        pooled: Filters after the pooling.
        single: Filters of the branch of a single convolution.
    """
    return (
        ((single, 1),),
        ((48, 1), (64, 5)),
        ((64, 1), (96, 3), (96, 3)),
        ("avg", (pooled, 1)),
    )


def inception_c(width: int) -> tuple[Branch, ...]:
    """Return the branches of v3's modules with 1×7 and 7×1 convolutions."""
    row, column = (width, (1, 7)), (width, (7, 1))
    return (
        ((192, 1),),
        ((width, 1), row, (192, (7, 1))),
        ((width, 1), column, row, column, (192, (1, 7))),
        ("avg", (192, 1)),
    )


INCEPTION_B = ((384, 3, 2),), ((64, 1), (96, 3), (96, 3, 2)), (("max", 3, 2),)
INCEPTION_D = (
    ((192, 1), (320, 3, 2)),
    ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)),
    (("max", 3, 2),),
)
INCEPTION_E = (
    ((320, 1),),
    ((384, 1), cross(384)),
    ((448, 1), (384, 3), cross(384)),
    ("avg", (192, 1)),
)

# Modules by their names in the published weights.
V3 = {
    "5b": inception_a(32),
    "5c": inception_a(64),
    "5d": inception_a(64),
    "6a": INCEPTION_B,
    "6b": inception_c(128),
    "6c": inception_c(160),
    "6d": inception_c(160),
    "6e": inception_c(192),
    "7a": INCEPTION_D,
    "7b": INCEPTION_E,
    "7c": INCEPTION_E,
}
V3_STAGES = {"5d": "stage1", "6e": "stage2", "7c": "stage3"}

# Names of the convolutions of each kind of module in the published weights.
A_UNITS = (
    "branch1x1", "branch5x5_1", "branch5x5_2",
    "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3", "branch_pool",
)  # fmt: skip
B_UNITS = "branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"
C_UNITS = (
    "branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3", "branch7x7dbl_1",
    "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5", "branch_pool",
)  # fmt: skip
D_UNITS = (
    "branch3x3_1", "branch3x3_2",
    "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4",
)  # fmt: skip
E_UNITS = (
    "branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_1",
    "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool",
)  # fmt: skip
V3_UNITS = (*[A_UNITS] * 3, B_UNITS, *[C_UNITS] * 4, D_UNITS, *[E_UNITS] * 2)
V3_STEM = "1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"


def v3_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision and timm, aux head last."""
    units = [f"Conv2d_{name}" for name in V3_STEM]
    for name, own in zip(V3, V3_UNITS, strict=True):
        units += [f"Mixed_{name}.{unit}" for unit in own]
    yield from unit_keys(units)
    yield "fc"
    yield from unit_keys(["AuxLogits.conv0", "AuxLogits.conv1"])
    yield "AuxLogits.fc"


@dataclass(frozen=True, kw_only=True)
class InceptionOptions(Options):
    """Options of the family, whose batch normalisation has a larger ε.

    Attributes:
        normalization: As for `ResidualBlock`; ``"batch"`` is ``BatchNorm(eps=0.001)``. Use
            ``GroupNorm(8)`` for groups that divide all numbers of channels.
    """

    input_shape: Shape = (3, 299, 299)

    @property
    @override
    def of_blocks(self) -> dict[str, Any]:
        batch = BatchNorm(eps=1e-3) if self.normalization == "batch" else self.normalization
        return {"activation": self.activation, "normalization": batch}


@dataclass(frozen=True, kw_only=True)
class InceptionV3Options(InceptionOptions):
    """Options of `inception_v3`, besides those of the family.

    Attributes:
        aux_heads: Whether the output is followed by that of one more classifier, after
            ``stage2``, whose loss, with a weight of 0.4, helps the network train:
            ``Trainer(network, loss=auxiliary(weight=0.4))`` adds them up. For images below
            299 pixels its windows are padded.
    """

    aux_heads: bool = False


@architecture(
    InceptionV3Options,
    year=2015,
    paper="Szegedy et al., Rethinking the Inception architecture for computer vision",
    accuracy="77.3 % ImageNet",
    source="torchvision",
    keys={"torchvision": v3_keys, "timm": v3_keys},
    published=Published("timm/inception_v3.tv_in1k", mean=HALVES, std=HALVES),
)
def inception_v3(options: InceptionV3Options) -> Network:
    """Inception v3: large filters factored into small ones, rows and columns.

    A stem of convolutions and MaxPooling shrinks the image by eight. Inception modules follow
    in three stages, with 288, 768 and 2048 channels, whose reductions halve the image; then the
    mean over all positions, Dropout and Softmax. Images below 75 pixels get a first convolution
    of stride 1 and no second MaxPooling. The modules are named as in the published weights,
    ``mixed_5b`` to ``mixed_7b``, except the ends of the stages, 5d, 6e and 7c, which are
    ``stage1`` to ``stage3``: ``network.upto("stage1", "stage2", "stage3")`` is a pyramid.

    Shape:
        ``input_shape`` to ``(classes)``, probabilities; two of them with an auxiliary head.

    Reference:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for
        computer vision", 2016. Equal outputs under equal weights with
        ``torchvision.models.inception_v3``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = inception_v3(10, input_shape=(1, 32, 32), aux_heads=True)
        >>> network.output_shapes, network.upto("stage3").output_shape
        (((10,), (10,)), (2048, 2, 2))
    """
    style = options.style
    modules = [
        InceptionModule(
            *branches, name=V3_STAGES.get(name, f"mixed_{name}"), **options.of_blocks
        )
        for name, branches in V3.items()
    ]
    network = join(
        Input(*options.input_shape),
        *stem(style, options.input_shape),
        *modules,
        *classifier(0.5, options.classes),
    )
    if not options.aux_heads:
        return network
    trunk = network.upto("stage2")
    head = auxiliary(style, options.classes, trunk.output_shape or ())
    return parallel(network, join(trunk, *head))


def stem(style: Style, input_shape: Shape) -> list[Composable]:
    """Return the layers before the modules, which Inception-ResNet shares."""
    small = is_small(input_shape, SMALL_SIDE)
    end = [] if small else [MaxPooling(3, stride=2)]
    return [
        style.unit(32, 3, stride=1 if small else 2, padding=0),
        style.unit(32, 3, padding=0),
        style.unit(64, 3),
        MaxPooling(3, stride=2),
        style.unit(80, 1),
        style.unit(192, 3, padding=0),
        *end,
    ]


def auxiliary(style: Style, classes: int, shape: Shape) -> list[Composable]:
    """Return the auxiliary head for features of this shape."""
    padding = 2 if is_small(shape, HEAD_SIDE) else 0
    return [
        AveragePooling(5, stride=3, padding=padding),
        style.unit(128, 1),
        style.unit(768, 5, padding=padding),
        GlobalPooling("avg"),
        Softmax(classes, name="aux1"),
    ]


# Helpers of the family


def classifier(rate: float, classes: int) -> list[Layer]:
    """Return the layers after the last module."""
    return [GlobalPooling("avg"), Dropout(rate), Softmax(classes)]


def unit_keys(units: Iterable[str]) -> Iterator[str]:
    """Return the names of each unit's convolution and normalisation."""
    for unit in units:
        yield from (f"{unit}.conv", f"{unit}.bn")


def branch_units(branches: tuple[Branch, ...]) -> Iterator[str]:
    """Return the names of the convolutions of branches in published weights, by position."""
    for place, branch in enumerate(branches):
        for number, step in enumerate(branch):
            if isinstance(step, tuple) and not isinstance(step[0], str):
                yield f"branch{place}" if len(branch) == 1 else f"branch{place}.{number}"
