"""Tracer of a run: it sees every operation, and in which part of the module it ran."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch._C import DispatchKey
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode
from typing_extensions import override

from neuropil.analysis.traced.operations.formula_table import formula_of, multiply_adds
from neuropil.analysis.traced.operations.free_operations import may_multiply
from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.operations.output_shapes import RULES, fast_output
from neuropil.analysis.traced.receptive.rule_table import BY_NAME
from neuropil.analysis.traced.run_record import Call, Step, Value
from neuropil.analysis.traced.runs.allocator import Allocator, shape_of
from neuropil.analysis.traced.runs.example_inputs import tensors_in
from neuropil.analysis.traced.runs.meta_copy import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch._ops import OpOverload

# The attribute of a tensor that holds its Value for as long as the tensor lives.
MARK = "_neuropil_value"


class Tracer(TorchDispatchMode):
    """Records the operations and module calls of a run.

    Args:
        module: The copy to run. Its parts are watched from now on.
        constants: Its parameters and buffers, whose memory is not counted.
        records: Whether steps are recorded; if not, only costs and memory are.

    Attributes:
        steps: Operations, in order.
        calls: Calls of modules, in the order in which they began.
        allocator: The counter of memory.
        unknown: Operations that may multiply and have no formula, with the number of runs.
        exports: Methods by which data left PyTorch.
    """

    supports_higher_order_operators = True

    @classmethod
    @override
    def _should_skip_dynamo(cls) -> bool:
        """Keep PyTorch from loading its compiler, which takes a second."""
        return False

    def __init__(
        self, module: nn.Module, constants: Iterable[Tensor], *, records: bool = True
    ) -> None:
        super().__init__()
        self.records = records
        self.steps: list[Step] = []
        self.allocator = Allocator(constants)
        self.values = 0
        self.unknown: dict[str, int] = {}
        self.exports: set[str] = set()
        self.makers: dict[int, int] = {-1: -1}
        self.times: dict[int, int] = {}
        self.calls = [Call("", module, None, 0)]
        self.stack = self.calls[:]
        self.parts = [(part, vars(part).get("forward")) for part in module.modules()][1:]
        names = names_of(module)
        for part, _ in self.parts:
            watched = functools.partial(self.run_part, part, names[id(part)], part.forward)
            vars(part)["forward"] = watched

    def close(self) -> None:
        """Stop watching the module's parts."""
        for part, forward in self.parts:
            vars(part)["forward"] = forward
            if forward is None:
                del vars(part)["forward"]

    # Calls of modules

    def run_part(
        self, part: nn.Module, name: str, forward: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        """Run a part of the module and record the call."""
        times = self.times.get(id(part), 0) + 1
        self.times[id(part)] = times
        outer = self.stack[-1]
        outer.children += 1
        call = Call(f"{name}@{times}" if times > 1 else name, part, outer, len(self.calls))
        call.input_shapes = tuple(map(shape_of, tensors_in((args, kwargs))))
        before = self.allocator.count
        self.calls.append(call)
        self.stack.append(call)
        try:
            output = forward(*args, **kwargs)
        finally:
            self.stack.pop()
        self.finish(call, output, before)
        return output

    def finish(self, call: Call, output: Any, before: int) -> None:
        """Record the outputs of a call."""
        tensors = tensors_in(output)
        call.results = tuple(map(self.value, tensors))
        fresh = {value.storage for value in call.results if value.storage >= before}
        call.output_bytes = sum(self.allocator.sizes[storage] for storage in fresh)

    # Operations

    @override
    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            return self.run_composite(func, args, named)
        if not is_whole(func):
            with self:
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        args, named = on_one_device(args, named)
        step = Step(
            func, self.with_values(args), self.with_values(named), (), self.stack[-1].place
        )
        output = fast_output(func, args, named)
        if output is None:
            output = func(*args, **named)
        self.record(step, args, output)
        return output

    def run_composite(
        self, func: HigherOrderOperator, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a higher-order operation, such as `cond`, by the operations inside it.

        Raises:
            NotImplementedError: When PyTorch has no composite kernel for it.
        """
        if func is torch.ops.higher_order.cond:
            condition, yes, no, operands = args
            with self:
                return (yes if condition else no)(*operands)
        kernel = func.py_kernels.get(DispatchKey.CompositeExplicitAutograd)
        if kernel is None:
            raise NotImplementedError(f"{func.name()} cannot be split into its operations")
        with self:
            return kernel(*args, **kwargs)

    def record(self, step: Step, args: tuple[Any, ...], output: Any) -> None:
        """Record an operation and count its multiply–adds."""
        func, call = step.operation, self.stack[-1]
        formula = formula_of(func)
        if formula is not None:
            first = output[0] if isinstance(output, tuple) else output
            call.multiply_adds += multiply_adds(formula, args, first)
        elif may_multiply(func):
            self.unknown[str(func)] = self.unknown.get(str(func), 0) + 1
        results = tuple(self.new_value(t, call.place) for t in tensors_in(output))
        if self.records:
            self.steps.append(step._replace(results=results))

    def new_value(self, tensor: Tensor, call: int) -> Value:
        """Return a new value for a tensor, and mark the tensor with it."""
        storage = self.allocator.number(tensor)
        self.makers.setdefault(storage, call)
        value = Value(self.values, shape_of(tensor), storage, call)
        self.values += 1
        setattr(tensor, MARK, value)
        return value

    def value(self, tensor: Tensor) -> Value:
        """Return the value of a tensor; a tensor never seen before is a constant."""
        value = getattr(tensor, MARK, None)
        return self.new_value(tensor, -1) if value is None else value

    def with_values(self, arguments: Any) -> Any:
        """Return arguments with tensors replaced by their values."""
        if isinstance(arguments, Tensor):
            return self.value(arguments)
        if isinstance(arguments, tuple | list):
            return tuple(map(self.with_values, arguments))
        if isinstance(arguments, dict):
            return {name: self.with_values(value) for name, value in arguments.items()}
        return arguments


def on_one_device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the arguments, all moved to the meta device if any of them is there.

    A module that creates tensors as it runs creates them on the CPU, where it may rightly
    expect its input to be.
    """
    meta = real = False
    for value in (*args, *kwargs.values()):
        for tensor in value if isinstance(value, tuple | list) else (value,):
            if isinstance(tensor, Tensor):
                meta, real = meta or tensor.is_meta, real or not tensor.is_meta
    if not (meta and real):
        return args, kwargs
    return tuple(map(to_meta, args)), {name: to_meta(v) for name, v in kwargs.items()}


def to_meta(value: Any) -> Any:
    """Return a tensor, or a list of tensors, on the meta device; other values unchanged."""
    if isinstance(value, tuple | list):
        return type(value)(map(to_meta, value))
    if not isinstance(value, Tensor) or value.is_meta or not value.ndim:
        return value
    empty = torch.empty_like(value, device="meta")
    if hasattr(value, MARK):
        setattr(empty, MARK, getattr(value, MARK))
    return empty


@functools.cache
def is_whole(operation: OpOverload) -> bool:
    """Tell whether an operation is recorded as a whole, even if it is composed of others.

    Operations with a formula for costs or a rule for receptive fields are.
    """
    if operation in RULES or formula_of(operation) is not None:
        return True
    name = name_of(operation)
    return name.space == "aten" and name.name in BY_NAME
