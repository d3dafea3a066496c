"""The fully connected layers at the end of the early networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import Dropout, Flatten, Linear, Softmax, SpatialPyramidPooling
from neuropil.layers.blocks.block_style import HE, Style

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.layer import Composable


def flatten_features(body: Network, side: int, *, shrinks: bool = False) -> Layer:
    """Return the layer that turns the features into a vector.

    Args:
        body: The network that computes the features.
        side: Features of other sizes, and of free lengths, are averaged in side×side bins.
        shrinks: Whether smaller images keep all their features, which needs fewer weights.
    """
    lengths = (body.output_shape or ())[1:]
    fits = all(length == side for length in lengths)
    if fits or (shrinks and all(n is not None and n <= side for n in lengths)):
        return Flatten()
    return SpatialPyramidPooling((side,), "avg")


def dense_head(
    style: Style, width: int, classes: int, *, dropout: float = 0.5, first: bool = False
) -> list[Composable]:
    """Return two hidden layers with Dropout and the Softmax after them.

    Args:
        style: Activation and normalisation.
        width: Units of each hidden layer.
        classes: Units of the last layer.
        dropout: Share of values dropped.
        first: Whether Dropout is applied before the hidden layers rather than after them.
    """
    layers: list[Composable] = []
    for _ in range(2):
        hidden = [Linear(width, weight=HE), *style.activate()]
        drop = [Dropout(dropout)] if dropout else []
        layers += [*drop, *hidden] if first else [*hidden, *drop]
    return [*layers, Softmax(classes)]
