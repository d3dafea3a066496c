"""The class axis of a network's scores, which losses and metrics expect on axis 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import Softmax, Transpose

if TYPE_CHECKING:
    from neuropil.core import Network


def classes_first(network: Network) -> Network:
    """Return a network up to its scores, with the class axis before the positions.

    A `Softmax` over the last axis of a sequence returns ``(T, K)``, but losses take scores
    ``(K, T)``, as torch's do. The class axis is read from the layer, as the shape is ambiguous
    if T = K. All parameters are shared.

    Args:
        network: The network.
    """
    scores = network.scores()
    axis = class_axis(network)
    if not axis:
        return scores
    shape = network.output_shape or ()
    return scores >> Transpose(axis, *(k for k in range(len(shape)) if k != axis))


def class_axis(network: Network) -> int | None:
    """Return the axis of a last Softmax, not counting the batch axis; None without one."""
    outputs = network.graph.outputs
    last = network.nodes[outputs[0]]
    if len(outputs) > 1 or not isinstance(last.layer, Softmax) or not last.shape:
        return None
    return axis_of(last.layer, len(last.shape))


def axis_of(layer: Softmax, rank: int) -> int:
    """Return the axis along which a Softmax sums to 1, not counting the batch axis."""
    if layer.axis is None:
        return rank - 1 if rank < 3 else 0
    return layer.axis % rank
