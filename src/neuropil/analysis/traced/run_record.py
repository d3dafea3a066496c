"""The record of a run: module calls, operations, and the values between operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import nn
    from torch._ops import OpOverload


class Value(NamedTuple):
    """The content of a tensor between two operations.

    Args:
        number: Its number, in the order of creation.
        shape: Its shape.
        storage: The number of its storage; negative for parameters and other constants.
        call: The place of the call that made it; -1 for the module's inputs.
    """

    number: int
    shape: tuple[int, ...]
    storage: int
    call: int


class Step(NamedTuple):
    """One operation.

    Args:
        operation: The operator.
        args: Positional arguments, with values in place of tensors.
        kwargs: Keyword arguments, with values in place of tensors.
        results: Output values.
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
        name: The module's qualified name; its second call ends in ``@2``.
        module: The module that was called.
        place: Its position among all calls; 0 is the whole module.
        parent: The place of the call around it; -1 for the whole module.
        depth: Number of calls around it.
        children: Number of calls made directly within it.
        again: Whether the module was called before.
        input_shapes: Shapes of the input tensors.
        results: Output values.
        multiply_adds: Multiply–adds of its operations, without those of inner calls.
        output_bytes: Bytes of the outputs that were allocated in this call.
        kept_bytes: Bytes made in this call that training keeps for the backward pass.
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
