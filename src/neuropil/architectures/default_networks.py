"""Default networks: small networks fitted to the shape of the data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.checks import whole
from neuropil.core import Layer, Network, Shape, ShapeError, format_shape, parallel, repeat
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    GlobalPooling,
    GroupNorm,
    Input,
    MaskPadding,
    MaxPooling,
    Relu,
    Softmax,
)

if TYPE_CHECKING:
    from neuropil.core.layer import Composable

# Images up to this side are so cheap that the network may be wide from the start.
SMALL_SIDE = 16
# Stages up to this side are so cheap that they may have two convolutions.
DEEP_SIDE = 8
MAX_WIDTH = 128
# Groups of channels that are normalised together, in place of batch normalisation.
GROUPS = 8


def small_convolutional(
    input_shape: Shape, outputs: int | Layer, *, dropout: float = 0.2
) -> Network:
    """Return a small convolutional network for images of one size.

    Stages of Convolution, BatchNorm and Relu, once or twice, halve the image by MaxPooling and
    double the channels until its side is below 4. One affine map of the features gives the
    output.

    Shape:
        ``input_shape`` to ``(outputs)``.

    Args:
        input_shape: ``(C, H, W)``, every length known.
        outputs: Number of classes, for a network that ends in Softmax; or its last layer, such
            as ``Linear(1)``.
        dropout: Share of the last features dropped in training.

    Raises:
        ShapeError: When the shape is not that of an image.

    Reference:
        The plan of Simonyan and Zisserman, "Very deep convolutional networks for large-scale
        image recognition", 2015, with the batch normalisation of Ioffe and Szegedy, 2015.

    Example:
        >>> small_convolutional((1, 8, 8), 10).output_shape
        (10,)
    """
    if len(input_shape) != 3 or None in input_shape:
        raise ShapeError(
            f"small_convolutional takes images (C, H, W) of one size, got "
            f"{format_shape(input_shape)}."
        )
    side = min(length for length in input_shape[1:] if length is not None)
    wide = side <= SMALL_SIDE
    width = 32 if wide else 16
    network: Composable = Input(*input_shape)
    while side >= 4:
        stage = Convolution(width, 3, padding="same", bias=False) >> BatchNorm() >> Relu()
        depth = 2 if wide or side <= DEEP_SIDE else 1
        network = network >> repeat(stage, depth) >> MaxPooling(2)
        side, width = side // 2, min(2 * width, MAX_WIDTH)
    return network >> Flatten() >> Dropout(dropout) >> last_layer(outputs)


def varied_convolutional(
    input_shape: Shape,
    outputs: int | Layer,
    *,
    masked: bool = False,
    mixed: bool = True,
    dropout: float = 0.2,
) -> Network:
    """Return a small convolutional network for images of any size.

    Four stages of Convolution, BatchNorm and Relu halve the image by MaxPooling and double the
    channels. The mean and the maximum of each channel over all positions are the features; one
    affine map of them gives the output.

    With a mask, the padding is zero before each convolution, and only content is pooled: an
    image has the same output alone and padded at the right and the bottom of a batch, if the
    sides of the batch are multiples of 16. Batch normalisation in training is the exception:
    its means and variances include the padding. If the size of an image goes with its class,
    so that a batch of one size holds few classes, GroupNorm takes its place without a mask.

    Shape:
        ``(C, H, W)``, with a mask ``(H, W)`` of 1 for content and 0 for padding if `masked`, to
        ``(outputs)``.

    Args:
        input_shape: ``(C, H, W)``, with None for free lengths.
        outputs: Number of classes, for a network that ends in Softmax; or its last layer, such
            as ``Linear(1)``.
        masked: Whether the network takes a mask.
        mixed: Whether the batches mix the classes, as batch normalisation needs.
        dropout: Share of the last features dropped in training.

    Raises:
        ShapeError: When the shape is not that of an image.

    Example:
        >>> import torch
        >>> network = varied_convolutional((1, None, None), 10, masked=True)
        >>> network.input_shapes
        ((1, None, None), (None, None))
        >>> network(torch.zeros(2, 1, 32, 48), torch.ones(2, 32, 48)).shape
        torch.Size([2, 10])
    """
    if len(input_shape) != 3:
        raise ShapeError(
            f"varied_convolutional takes images (C, H, W), got {format_shape(input_shape)}."
        )
    masks = Input(*input_shape[1:], dtype="uint8", name="mask") if masked else None

    def zero_padding(network: Composable) -> Composable:
        return network if masks is None else parallel(network, masks) >> MaskPadding()

    network = zero_padding(Input(*input_shape))
    norm = BatchNorm if mixed or masked else partial(GroupNorm, GROUPS)
    for width in (16, 32, 64, MAX_WIDTH):
        stage = Convolution(width, 3, padding="same", bias=False) >> norm() >> Relu()
        network = zero_padding(network >> stage) >> MaxPooling(2, ceil_mode=True)
    pooled = network if masks is None else parallel(network, masks)
    return pooled >> GlobalPooling("both") >> Dropout(dropout) >> last_layer(outputs)


def dense(
    input_shape: Shape,
    outputs: int | Layer,
    *,
    hidden: tuple[int, ...] = (128, 128),
    dropout: float = 0.0,
) -> Network:
    """Return a network of affine maps and ReLU for tables, and for arrays of any other shape.

    x ↦ W_n … max(0, W₂ max(0, W₁ x + b₁) + b₂) … + b_n.

    Shape:
        ``input_shape``, flattened, to ``(outputs)``.

    Args:
        input_shape: Shape of one sample, every length known.
        outputs: Number of classes, for a network that ends in Softmax; or its last layer, such
            as ``Linear(1)``.
        hidden: Units of each hidden layer.
        dropout: Share of hidden units dropped in training.

    Example:
        >>> dense((4,), 3, hidden=(8,))
        Input(4) >> Relu(8) >> Softmax(3)
        >>> from neuropil.layers import Linear
        >>> dense((4,), Linear(2), hidden=(8,))
        Input(4) >> Relu(8) >> Linear(2)
    """
    network: Composable = Input(*input_shape)
    if len(input_shape) > 1:
        network = network >> Flatten()
    for units in hidden:
        network = network >> Relu(units)
        if dropout:
            network = network >> Dropout(dropout)
    return network >> last_layer(outputs)


def last_layer(outputs: int | Layer) -> Layer:
    """Return the last layer: the given one, or Softmax for a number of classes."""
    return outputs if isinstance(outputs, Layer) else Softmax(whole(outputs, "outputs"))
