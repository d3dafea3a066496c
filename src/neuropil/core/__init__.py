"""The core: shapes, the contract of a layer, networks and how they compose."""

from neuropil.core.layer import Layer
from neuropil.core.network import Network, join, parallel, repeat
from neuropil.core.shape import Shape, ShapeError, format_shape

__all__ = [
    "Layer",
    "Network",
    "Shape",
    "ShapeError",
    "format_shape",
    "join",
    "parallel",
    "repeat",
]
