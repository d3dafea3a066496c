"""The names of PyTorch's operations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch._ops import OpOverload


class Name(NamedTuple):
    """The name of an operation.

    Args:
        space: Whose it is: ``"aten"`` for PyTorch's own.
        name: What it does, without the ``_`` of those that work in place.
        overload: Which form of it.
        in_place: Whether it writes into its first argument.
    """

    space: str
    name: str
    overload: str
    in_place: bool


@functools.cache
def name_of(operation: OpOverload) -> Name:
    """Return the name of an operation."""
    space, _, rest = operation.name().partition("::")
    name, _, overload = rest.partition(".")
    return Name(space, name.removesuffix("_"), overload or "default", name.endswith("_"))
