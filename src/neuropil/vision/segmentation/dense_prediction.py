"""A classifier that slides over larger pictures: its units become convolutions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from typing_extensions import TypeIs

from neuropil.core import Network, Shape, join, parallel
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Concatenate,
    Convolution,
    Dropout,
    Elementwise,
    Flatten,
    GlobalPooling,
    Identity,
    Input,
    MaxPooling,
    Softmax,
)
from neuropil.layers.activations.base import Activation

if TYPE_CHECKING:
    from neuropil.core import Layer
    from neuropil.core.layer import Composable

# Layers that work on a vector as they work on each position of a map.
PER_CHANNEL = (BatchNorm, Concatenate, Dropout, Elementwise, Identity)


class Part(NamedTuple):
    """Output of a node of the classifier at each position of a larger picture.

    Attributes:
        network: The layers up to this node.
        shape: The shape that the classifier gives there.
        window: The shape that Flatten had before it; None if it is not flattened.
    """

    network: Network
    shape: Shape
    window: Shape | None = None


def dense_prediction(network: Network, *, average: bool = False) -> Network:
    """Return a classifier that predicts at each position of a picture of any size.

    The first layer with units becomes a convolution whose window is all that Flatten saw, the
    others become 1×1 convolutions, and GlobalPooling becomes pooling over a window of the same
    size. The network then slides over larger pictures in one pass, in steps of its strides, and
    shares what windows have in common. On a picture of its own size the map has one position,
    and there it equals the classifier. Elsewhere, padding of the inner layers shows the
    neighbours where the classifier saw zeros.

    Shape:
        ``(C, H, W)`` of any size from that of the classifier up, to ``(K, M, N)``; with
        `average` to ``(K)``.

    Args:
        network: The classifier, trained on pictures of one size. Its weights are copied.
        average: Whether the predictions of all positions are averaged.

    Raises:
        ValueError: If it does not take pictures of one size, or a layer has no counterpart at
            each position; the message names it.

    Reference:
        Sermanet, Eigen, Zhang, Mathieu, Fergus, LeCun, "OverFeat: integrated recognition,
        localization and detection using convolutional networks", 2014, section 3.5; Long,
        Shelhamer, Darrell, "Fully convolutional networks for semantic segmentation", 2015.

    Example:
        >>> classifier = (
        ...     Input(1, 8, 8) >> Convolution(4, 3) >> MaxPooling(2) >> Flatten() >> Softmax(10)
        ... )
        >>> list(dense_prediction(classifier))[2:]
        [MaxPooling(2), Convolution(10, 3), Softmax(axis=0)]
        >>> dense_prediction(classifier)(torch.zeros(1, 1, 12, 20)).shape
        torch.Size([1, 10, 3, 7])
    """
    shapes = network.input_shapes
    if len(shapes) != 1 or len(shapes[0]) != 3 or None in shapes[0]:
        raise ValueError(
            "dense_prediction takes a classifier of pictures of one size, with Input(C, H, W)."
        )
    if len(network.output_shapes) != 1 or len(network.output_shape or ()) != 1:
        raise ValueError("dense_prediction takes a classifier, which gives one vector.")
    made: list[Part] = []
    for name, node in zip(network.node_names, network.nodes, strict=True):
        inputs = [made[place] for place in node.inputs]
        made.append(convert(name, node.layer, inputs, node.shape or ()))
    whole = made[network.graph.outputs[0]].network
    result = whole >> GlobalPooling("avg") if average else whole
    like = next(network.parameters(), torch.empty(0))
    return result.to(like.device, like.dtype).train(network.training)


def convert(name: str, layer: Layer, inputs: list[Part], shape: Shape) -> Part:
    """Return the counterpart of a node.

    Args:
        name: Name of the node.
        layer: Its layer.
        inputs: The counterparts of its inputs.
        shape: The shape that the classifier gives there.

    Raises:
        ValueError: If there is none.
    """
    if not inputs:
        source = Input(shape[0], None, None)
        source.load_state_dict(layer.state_dict())
        return Part(join(source), shape)
    first = inputs[0]
    window = first.window
    if isinstance(layer, Flatten) and len(first.shape) == 3:
        return Part(first.network, shape, first.shape)
    if len(first.shape) == 3:
        own = on_map(layer, first.shape, shape)
    elif any(part.window is not None for part in inputs):
        own = on_window(layer, first)
        window = None if layer_has_units(layer) else window
    else:
        own = on_vector(layer, first)
    if own is None:
        raise ValueError(
            f"dense_prediction: {name} ({type(layer).__name__}) has no counterpart that works "
            "at each position of a larger picture."
        )
    before = parallel(*(part.network for part in inputs)) if len(inputs) > 1 else first.network
    return Part(before >> own, shape, window)


def on_map(layer: Layer, before: Shape, after: Shape) -> Composable | None:
    """Return the counterpart of a layer that takes a map; None if it has none."""
    if isinstance(layer, GlobalPooling):
        return pooling(layer, before)
    return copied(layer) if len(after) == 3 else None


def on_window(layer: Layer, before: Part) -> Composable | None:
    """Return the counterpart of a layer that takes a flattened window; None if it has none."""
    if layer_has_units(layer):
        return as_convolution(layer, before)
    return copied(layer) if isinstance(layer, Dropout | Identity) else None


def on_vector(layer: Layer, before: Part) -> Composable | None:
    """Return the counterpart of a layer that takes a vector; None if it has none."""
    if layer_has_units(layer):
        return as_convolution(layer, before)
    if isinstance(layer, Activation) and not [*layer.parameters()]:
        return plain_activation(layer)
    return copied(layer) if isinstance(layer, PER_CHANNEL) else None


def layer_has_units(layer: Layer) -> TypeIs[Activation]:
    """Tell whether a layer is an affine map with an activation that has no weights."""
    own = {name for name, _ in layer.named_parameters()} <= {"weight", "bias"}
    return isinstance(layer, Activation) and layer.units is not None and own


def copied(layer: Layer) -> Layer:
    """Return a copy of a layer with its weights."""
    return copy.deepcopy(layer)


def pooling(layer: GlobalPooling, shape: Shape) -> Composable:
    """Return pooling over a window of the size that the classifier pools."""
    size = (shape[1] or 1, shape[2] or 1)
    mean, largest = AveragePooling(size, stride=1), MaxPooling(size, stride=1)
    if layer.mode == "both":
        return parallel(mean, largest) >> Concatenate()
    return mean if layer.mode == "avg" else largest


def as_convolution(layer: Activation, before: Part) -> Composable:
    """Return a layer with units as a convolution, followed by its activation.

    Args:
        layer: The layer.
        before: What it takes: a flattened window, or a vector.
    """
    _, height, width = before.window or (before.shape[0], 1, 1)
    size = (height or 1, width or 1)
    units = layer.units or 1
    made = Convolution(units, size[0] if size[0] == size[1] else size, bias=layer.has_bias)
    source = Input(layer.weight.shape[1] // (size[0] * size[1]), *size)
    join(source, made)  # which builds it
    with torch.no_grad():
        made.to(layer.weight.dtype)
        made.weight.copy_(layer.weight.unflatten(1, (-1, *size)))
        if layer.has_bias and made.bias is not None and layer.bias is not None:
            made.bias.copy_(layer.bias)
    return made >> plain_activation(layer)


def plain_activation(layer: Activation) -> Layer:
    """Return the function of a layer, without units, over the channels of a map."""
    options: dict[str, Any] = {
        name: value
        for name, value in layer.arguments.items()
        if name not in ("units", "bias", "weight", "name", "axis")
    }
    if isinstance(layer, Softmax):
        options["axis"] = 0
    return type(layer)(**options)
