"""Siamese networks: pictures of one thing get embeddings that are close together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import whole
from neuropil.core import ShapeError, format_shape, join
from neuropil.layers import GlobalPooling, Linear, Softmax, UnitNorm

if TYPE_CHECKING:
    from neuropil.core import Network


def siamese(network: Network, *, size: int = 128) -> Network:
    """Siamese network: an embedding of unit length, whose distances tell who is who.

    ``f(x) = u / ‖u‖`` with ``u = W g(x) + b``, where g(x) are the features of the network. A
    last Softmax of the network, and the affine map before it, are left out: they belong to its
    classes. Features with positions are averaged over them; let the network end in `Flatten`
    to keep the positions.

    The two branches of a Siamese network share all weights. They are one network here, which
    is called for each picture of a pair: ``d(x, x′) = ‖f(x) − f(x′)‖``. So a picture can be
    embedded once and be compared with any number of others, and a batch of B embeddings has
    B (B − 1)/2 pairs for `triplet_loss` and `contrastive_loss` of `neuropil.vision`.

    Shape:
        The input of the network to ``(size)``.

    Args:
        network: A network that is joined to an `Input`, such as an architecture; its layers
            and weights are shared.
        size: Length of the embedding.

    Raises:
        ValueError: When `size` is out of its range, or the network has several outputs.
        ShapeError: When the features are not those of a vector or an image, or the network has
            no input.

    Reference:
        Bromley et al., "Signature verification using a 'Siamese' time delay neural network",
        1993; Taigman, Yang, Ranzato, Wolf, "DeepFace: closing the gap to human-level
        performance in face verification", 2014; Schroff, Kalenichenko, Philbin, "FaceNet",
        2015, for 128 values of unit length.

    Example:
        >>> import torch
        >>> from neuropil.architectures import lenet5
        >>> network = siamese(lenet5(10), size=64)
        >>> network.output_shape
        (64,)
        >>> first, second = network(torch.rand(2, *network.input_shape))
        >>> 0 < (first - second).norm() < 2
        tensor(True)
    """
    network.require_built()
    size = whole(size, "siamese: size")
    if len(network.output_shapes) > 1:
        raise ValueError(
            f"siamese needs a network of one output, got {len(network.output_shapes)}: cut it "
            "with network.upto(…)."
        )
    features = without_classes(network)
    shape = features.output_shape or ()
    if len(shape) not in (1, 3):
        raise ShapeError(
            f"siamese needs features (D) or (C, H, W), got {format_shape(shape)}: join layers "
            "to the network that make vectors of them."
        )
    pooling = [GlobalPooling("avg")] if len(shape) == 3 else []
    return join(features, *pooling, Linear(size), UnitNorm())


def without_classes(network: Network) -> Network:
    """Return a network without a last Softmax and the affine map before it."""
    (place,) = network.graph.outputs
    last = network.nodes[place]
    if not isinstance(last.layer, Softmax):
        return network
    (place,) = last.inputs
    before = network.nodes[place]
    if last.layer.units is None and isinstance(before.layer, Linear) and before.layer.units:
        (place,) = before.inputs
    return network.upto(network.node_names[place])
