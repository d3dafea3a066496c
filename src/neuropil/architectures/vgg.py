"""VGG: deep networks of 3×3 convolutions only."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from neuropil.architectures.dense_head import dense_head, flatten_features
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.core import Network, join
from neuropil.layers import Convolution, Input, MaxPooling
from neuropil.layers.blocks.block_style import HE

if TYPE_CHECKING:
    from collections.abc import Iterator

# By depth, which counts the layers with weights: number of convolutions in each stage.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
PAPER = (
    "Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition"
)


def vgg(depth: int, options: PlainOptions) -> Network:
    """Return a network of one of the paper's depths."""
    style = options.style
    layers: list[Any] = []
    for stage, (count, width) in enumerate(zip(DEPTHS[depth], WIDTHS, strict=True), start=1):
        # With a bias before normalisation too, as in torchvision's variants.
        convolution = functools.partial(Convolution, width, 3, padding=1, weight=HE)
        layers += [style.around(convolution()) for _ in range(count)]
        layers.append(MaxPooling(2, name=f"stage{stage}"))
    body = join(Input(*options.input_shape), *layers)
    return join(body, flatten_features(body, 7), *dense_head(style, 4096, options.classes))


def vgg_keys(depth: int, *, normalized: bool = False) -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision.

    Args:
        depth: Number of layers with weights, without normalisation.
        normalized: Whether each convolution is followed by BatchNorm.
    """
    place = itertools.count()
    for count in DEPTHS[depth]:
        for _ in range(count):
            yield f"features.{next(place)}"
            if normalized:
                yield f"features.{next(place)}"
            next(place)  # the activation
        next(place)  # the pooling
    yield from ("classifier.0", "classifier.3", "classifier.6")


def facts(depth: int, accuracy: str) -> dict[str, Any]:
    """Return the published facts of a network."""
    return {
        "year": 2014,
        "paper": PAPER,
        "accuracy": f"{accuracy} % ImageNet",
        "source": "torchvision",
        "keys": {
            "torchvision": functools.partial(vgg_keys, depth),
            "torchvision_bn": functools.partial(vgg_keys, depth, normalized=True),
        },
    }


@architecture(PlainOptions, **facts(11, "69.0"))
def vgg11(options: PlainOptions) -> Network:
    """VGG-11: 8 convolutions of 3×3 and three fully connected layers.

    Five stages of 1 + 1 + 2 + 2 + 2 convolutions with 64, 128, 256, 512 and 512 filters each
    end with MaxPooling, named ``stage1`` to ``stage5``; two layers of 4096 units with Dropout
    follow. The features of images of any size from 32 pixels are averaged to 7×7 positions, as
    in torchvision, so that the weights fit all sizes.

    Raises:
        ShapeError: When an image is below 32 pixels.
        ValueError: When an option is out of its range, or the weights do not fit.

    Reference:
        Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
        recognition", 2015, network A. Equal outputs under equal weights with
        ``torchvision.models.vgg11``, and with ``normalization="batch"`` with its ``vgg11_bn``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = vgg11()
        >>> network.upto("stage5").output_shape, sum(p.numel() for p in network.parameters())
        ((512, 7, 7), 132863336)
    """
    return vgg(11, options)


@architecture(PlainOptions, **facts(13, "69.9"))
def vgg13(options: PlainOptions) -> Network:
    """VGG-13: 10 convolutions of 3×3 and three fully connected layers.

    The structure of `vgg11`, with 2 + 2 + 2 + 2 + 2 convolutions.

    Reference:
        Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
        recognition", 2015, network B. Equal outputs under equal weights with
        ``torchvision.models.vgg13``, and with ``normalization="batch"`` with its ``vgg13_bn``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = vgg13()
        >>> sum(p.numel() for p in network.parameters())
        133047848
    """
    return vgg(13, options)


@architecture(PlainOptions, **facts(16, "71.6"))
def vgg16(options: PlainOptions) -> Network:
    """VGG-16: 13 convolutions of 3×3 and three fully connected layers.

    The structure of `vgg11`, with 2 + 2 + 3 + 3 + 3 convolutions.

    Reference:
        Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
        recognition", 2015, network D. Equal outputs under equal weights with
        ``torchvision.models.vgg16``, and with ``normalization="batch"`` with its ``vgg16_bn``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = vgg16()
        >>> sum(p.numel() for p in network.parameters())
        138357544
    """
    return vgg(16, options)


@architecture(PlainOptions, **facts(19, "72.4"))
def vgg19(options: PlainOptions) -> Network:
    """VGG-19: 16 convolutions of 3×3 and three fully connected layers.

    The structure of `vgg11`, with 2 + 2 + 4 + 4 + 4 convolutions.

    Reference:
        Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
        recognition", 2015, network E. Equal outputs under equal weights with
        ``torchvision.models.vgg19``, and with ``normalization="batch"`` with its ``vgg19_bn``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = vgg19()
        >>> sum(p.numel() for p in network.parameters())
        143667240
    """
    return vgg(19, options)
