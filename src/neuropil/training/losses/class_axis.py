"""Where the classes of a network's scores stand: losses and metrics take them on axis 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import Softmax, Transpose

if TYPE_CHECKING:
    from neuropil.core import Network


def classes_first(network: Network) -> Network:
    """Return a network up to its scores, the classes before the positions.

    A `Softmax` over the last axis of a sequence gives ``(T, K)``, and losses take scores
    ``(K, T)`` as torch does. Which axis holds the classes, the shape alone cannot tell where T
    is K; the layer can. All parameters are shared.

    Args:
        network: Whose scores are wanted.
    """
    scores = network.scores()
    axis = class_axis(network)
    if not axis:
        return scores
    shape = network.output_shape or ()
    return scores >> Transpose(axis, *(k for k in range(len(shape)) if k != axis))


def class_axis(network: Network) -> int | None:
    """Return the axis, counted without the batch, along which a last Softmax adds up to 1.

    None where there is no such layer.
    """
    outputs = network.graph.outputs
    last = network.nodes[outputs[0]]
    if len(outputs) > 1 or not isinstance(last.layer, Softmax) or not last.shape:
        return None
    return axis_of(last.layer, len(last.shape))


def axis_of(layer: Softmax, rank: int) -> int:
    """Return the axis, counted without the batch, along which a layer adds up to 1."""
    if layer.axis is None:
        return rank - 1 if rank < 3 else 0
    return layer.axis % rank
