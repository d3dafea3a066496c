"""The names of PyTorch's operations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch._ops import OpOverload


class Name(NamedTuple):
    """The name of an operation.

    Args:
        space: Namespace: ``"aten"`` for PyTorch's own operations.
        name: Name without the trailing ``_`` of in-place operations.
        overload: Name of the overload.
        in_place: Whether the operation writes into its first argument.
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


def written_arguments(
    operation: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return the arguments that an operation writes into."""
    return tuple(
        args[place] if place < len(args) else kwargs.get(name)
        for place, name in written_parameters(operation)
    )


@functools.cache
def written_parameters(operation: OpOverload) -> tuple[tuple[int, str], ...]:
    """Return position and name of each argument that an operation writes into."""
    schema = getattr(operation, "_schema", None)
    return tuple(
        (place, argument.name)
        for place, argument in enumerate(schema.arguments if schema else ())
        if argument.alias_info is not None and argument.alias_info.is_write
    )
