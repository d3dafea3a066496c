"""GoogLeNet, the first Inception network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.inception import InceptionOptions, classifier, unit_keys
from neuropil.architectures.published.registry import architecture
from neuropil.core import Network, Shape, join, parallel
from neuropil.layers import (
    Dropout,
    Flatten,
    InceptionModule,
    Input,
    Linear,
    MaxPooling,
    Reshape,
    Softmax,
    SpatialPyramidPooling,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.core.layer import Composable
    from neuropil.layers.blocks.block_style import Style

# Filters by the paper's names: 1×1; 1×1 and 3×3; 1×1 and 5×5 (3×3 here); after the pooling.
MODULES = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
# Modules that end a stage, and their names here.
STAGES = {"3b": "stage1", "4e": "stage2", "5b": "stage3"}
# Pooling after them: window length.
SHRINKS = {"3b": 3, "4e": 2}
# Modules whose outputs the auxiliary heads take.
AUXILIARY = {"aux1": "inception4a", "aux2": "inception4d"}


def googlenet_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision, auxiliary heads last."""
    branches = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
    units = ["conv1", "conv2", "conv3"]
    units += [f"inception{name}.{branch}" for name in MODULES for branch in branches]
    yield from unit_keys(units)
    yield "fc"
    for head in AUXILIARY:
        yield from (f"{head}.conv.conv", f"{head}.conv.bn", f"{head}.fc1", f"{head}.fc2")


@dataclass(frozen=True, kw_only=True)
class GoogLeNetOptions(InceptionOptions):
    """Options of `googlenet`, besides those of the family.

    Attributes:
        aux_heads: Whether the output is followed by those of two more classifiers, after the
            modules 4a and 4d, whose losses, with a weight of 0.3, help the first layers train:
            ``Trainer(network, loss=auxiliary())`` adds them up.
    """

    input_shape: Shape = (3, 224, 224)
    aux_heads: bool = False


@architecture(
    GoogLeNetOptions,
    year=2014,
    paper="Szegedy et al., Going deeper with convolutions",
    accuracy="69.8 % ImageNet",
    source="torchvision",
    keys={"torchvision": googlenet_keys},
)
def googlenet(options: GoogLeNetOptions) -> Network:
    """GoogLeNet: nine inception modules, 22 layers deep, the winner of ILSVRC 2014.

    Convolutions and MaxPooling shrink the image by eight. Inception modules follow in three
    stages, with 480, 832 and 1024 channels at their ends and MaxPooling between them; then the
    mean over all positions, Dropout and Softmax. Images below 64 pixels get a 3×3 convolution
    of stride 1 first and no MaxPooling before the first module. The modules are named
    ``inception3a`` to ``inception5a``, except the ends of the stages, 3b, 4e and 5b, which are
    ``stage1`` to ``stage3``: ``network.upto("stage1", "stage2", "stage3")`` is a pyramid.

    Shape:
        ``input_shape`` to ``(classes)``, probabilities; three of them with auxiliary heads.

    Reference:
        Szegedy et al., "Going deeper with convolutions", 2015. Equal outputs under equal
        weights with ``torchvision.models.googlenet``, which differs from the paper: 3×3
        convolutions in place of 5×5, BatchNorm in place of local response normalisation,
        Dropout of 0.2 in place of 0.4.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = googlenet(10, input_shape=(1, 32, 32), aux_heads=True)
        >>> network.output_shapes, network.upto("stage3").output_shape
        (((10,), (10,), (10,)), (1024, 8, 8))
    """
    style = options.style
    network = join(
        Input(*options.input_shape),
        *stem(style, options.input_shape),
        *modules(options),
        *classifier(0.2, options.classes),
    )
    if not options.aux_heads:
        return network
    heads = [
        join(network.upto(module), *auxiliary(style, options.classes, name))
        for name, module in AUXILIARY.items()
    ]
    return parallel(network, *heads)


def stem(style: Style, input_shape: Shape) -> list[Composable]:
    """Return the layers before the modules."""
    small = is_small(input_shape)
    shrink = [] if small else [pooling()]
    first = style.unit(64, 3) if small else style.unit(64, 7, stride=2)
    end = [] if small else [pooling()]
    return [first, *shrink, style.unit(64, 1), style.unit(192, 3), *end]


def modules(options: GoogLeNetOptions) -> list[Composable]:
    """Return the inception modules, with pooling between the stages."""
    layers: list[Composable] = []
    for name, (ones, threes, fives, pooled) in MODULES.items():
        layers.append(
            InceptionModule(
                ((ones, 1),),
                ((threes[0], 1), (threes[1], 3)),
                ((fives[0], 1), (fives[1], 3)),
                ("max", (pooled, 1)),
                name=STAGES.get(name, f"inception{name}"),
                **options.of_blocks,
            )
        )
        if name in SHRINKS:
            layers.append(pooling(SHRINKS[name]))
    return layers


def pooling(size: int = 3) -> MaxPooling:
    """Return the pooling that halves height and width, rounded up."""
    return MaxPooling(size, stride=2, ceil_mode=True)


def auxiliary(style: Style, classes: int, name: str) -> list[Composable]:
    """Return an auxiliary head, which averages images of any size to a grid of 4×4."""
    return [
        SpatialPyramidPooling(4, "avg"),
        Reshape(-1, 4, 4),
        style.unit(128, 1),
        Flatten(),
        Linear(1024),
        *style.activate(),
        Dropout(0.7),
        Softmax(classes, name=name),
    ]
