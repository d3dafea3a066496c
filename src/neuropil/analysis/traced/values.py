"""What flows through a run: values between operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch._ops import OpOverload


class Value(NamedTuple):
    """What a tensor holds between two operations.

    Args:
        number: Which one it is, in the order in which they came to be.
        shape: Its shape.
        storage: The number of its storage; negative for parameters and other constants.
        call: The place of the call that made it; -1 for what the module was given.
    """

    number: int
    shape: tuple[int, ...]
    storage: int
    call: int


class Step(NamedTuple):
    """One operation.

    Args:
        operation: Which one.
        args: What it took by position, values in place of tensors.
        kwargs: What it took by name, likewise.
        results: The values that it gave.
        call: The place of the innermost call that ran it.
    """

    operation: OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Value, ...]
    call: int
