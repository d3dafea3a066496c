"""The record of a run: calls of modules, operations, and the values between these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import nn
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


class Call:
    """One call of a module.

    Attributes:
        name: The module's name in the whole; the second call of it ends in ``@2``.
        module: What was called.
        place: Its position among all calls; 0 is the whole.
        parent: The place of the call around it; -1 for the whole.
        depth: How many calls are around it.
        children: How many calls were made within it, directly.
        again: Whether the module was called before.
        input_shapes: The shapes of the tensors it took.
        results: The values that it gave.
        multiply_adds: Those of the operations that ran in no call within.
        output_bytes: What those of its outputs take that it made.
        kept_bytes: What training keeps for the backward pass and came to be in it.
    """

    __slots__ = (
        *("again", "children", "depth", "input_shapes", "kept_bytes", "module"),
        *("multiply_adds", "name", "output_bytes", "parent", "place", "results"),
    )

    def __init__(self, name: str, module: nn.Module, parent: Call | None, place: int) -> None:
        self.name, self.module, self.place = name, module, place
        self.parent = -1 if parent is None else parent.place
        self.depth = 0 if parent is None else parent.depth + 1
        self.children = self.multiply_adds = self.output_bytes = self.kept_bytes = 0
        self.again = "@" in name
        self.input_shapes: tuple[tuple[int, ...], ...] = ()
        self.results: tuple[Value, ...] = ()
