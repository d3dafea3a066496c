"""AlexNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.architectures.dense_head import dense_head, flatten_features
from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.core import Network, join
from neuropil.layers import Input, MaxPooling

if TYPE_CHECKING:
    from collections.abc import Iterator


def alexnet_keys() -> Iterator[str]:
    """Return the names of the layers with parameters in torchvision."""
    yield from (f"features.{place}" for place in (0, 3, 6, 8, 10))
    yield from (f"classifier.{place}" for place in (1, 4, 6))


@architecture(
    PlainOptions,
    year=2012,
    paper=(
        "Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural "
        "networks"
    ),
    accuracy="56.5 % ImageNet",
    source="torchvision",
    keys={"torchvision": alexnet_keys},
)
def alexnet(options: PlainOptions) -> Network:
    """AlexNet: five convolutions and three fully connected layers.

    The filters are 11×11 with stride 4, then 5×5 and three times 3×3. MaxPooling follows the
    first, the second and the fifth convolution, named ``stage1`` to ``stage3``; then come two
    layers of 4096 units with Dropout. For images of other sizes the features are averaged to
    6×6 positions, as in torchvision. Images below 64 pixels get 5×5 filters with stride 1 in
    the first layer instead, and keep all their features if there are fewer than 6×6.

    Reference:
        Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014: the
        single-column variant, without `LocalResponseNorm`, of Krizhevsky, Sutskever, Hinton,
        "ImageNet classification with deep convolutional neural networks", 2012; with 256
        filters in the fourth convolution, as in torchvision. Equal outputs under equal
        weights with ``torchvision.models.alexnet``.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = alexnet()
        >>> network.upto("stage3").output_shape, sum(p.numel() for p in network.parameters())
        ((256, 6, 6), 61100840)
    """
    style = options.style
    small = is_small(options.input_shape)
    body = join(
        Input(*options.input_shape),
        style.unit(64, 5) if small else style.unit(64, 11, stride=4, padding=2),
        MaxPooling(3, stride=2, name="stage1"),
        style.unit(192, 5),
        MaxPooling(3, stride=2, name="stage2"),
        *(style.unit(filters, 3) for filters in (384, 256, 256)),
        MaxPooling(3, stride=2, name="stage3"),
    )
    return join(
        body,
        flatten_features(body, 6, shrinks=small),
        *dense_head(style, 4096, options.classes, first=True),
    )
