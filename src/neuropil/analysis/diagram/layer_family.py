"""The families of layers, by which a picture colours them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neuropil.core import Layer


class Family(NamedTuple):
    """Layers of one kind.

    Args:
        title: What they are called.
        fill: The colour of their boxes.
        edge: The colour of the boxes' edges.
    """

    title: str
    fill: str
    edge: str


INPUT = Family("input", "#e4e7eb", "#7b8794")
CONVOLUTION = Family("convolution", "#dcebfb", "#3b7dc4")
UNITS = Family("units", "#e7e1fa", "#7a5cc9")
ACTIVATION = Family("activation", "#fdebd3", "#cf8a2e")
POOLING = Family("pooling", "#fadcdc", "#c75454")
NORMALIZATION = Family("normalisation", "#d9f2e3", "#3f9d6b")
RECURRENT = Family("recurrent and attention", "#f6dcf0", "#b3559c")
MERGE = Family("merge", "#d5f1f3", "#2f97a0")
OTHER = Family("other", "#f5f7fa", "#9aa5b1")
FAMILIES = (
    INPUT,
    CONVOLUTION,
    UNITS,
    ACTIVATION,
    POOLING,
    NORMALIZATION,
    RECURRENT,
    MERGE,
    OTHER,
)

# By a part of the class name, or of a base class's: users' own layers are coloured too.
BY_NAME = (
    ("convolution", CONVOLUTION),
    ("pooling", POOLING),
    ("norm", NORMALIZATION),
    ("lstm", RECURRENT),
    ("gru", RECURRENT),
    ("attention", RECURRENT),
)


def family_of(layer: Layer) -> Family:
    """Return the family of a layer."""
    names = [cls.__name__.lower() for cls in type(layer).__mro__]
    _, most = layer.inputs_taken
    if most == 0:
        return INPUT
    for part, family in BY_NAME:
        if any(part in name for name in names):
            return family
    if any(name == "activation" for name in names):
        return UNITS if getattr(layer, "units", None) else ACTIVATION
    return MERGE if most is None or most > 1 else OTHER
