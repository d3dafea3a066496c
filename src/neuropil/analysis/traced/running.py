"""Running a module without numbers where that can be, and with them where it cannot."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neuropil.analysis.traced.examples import Inputs, inputs_of
from neuropil.analysis.traced.tracer import Call, Step, Tracer, Value, tensors_in
from neuropil.analysis.traced.twin import copied, twin_on_meta, unwrapped
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from neuropil.analysis.traced.examples import Example


@dataclass(frozen=True, slots=True)
class Trace:
    """One forward pass of a module in test mode, operation by operation.

    Args:
        module: The module itself, unwrapped.
        twin: What was run in its place.
        inputs: What it was given, without numbers where it ran without.
        sources: The inputs by name.
        calls: The calls of its parts in the order in which they began; the first is the whole.
        steps: The operations, in order.
        results: What it gave.
        peak: The most that inputs and activations took at once.
        notes: What the reader should know: that it ran for real, or what was not counted.
    """

    module: nn.Module
    twin: nn.Module
    inputs: Inputs
    sources: dict[str, Value]
    calls: list[Call]
    steps: list[Step]
    results: tuple[Value, ...]
    peak: int
    notes: tuple[str, ...] = field(default=())


def trace(module: nn.Module, example: Example | None) -> Trace:
    """Run a module's twin and return what it did.

    The twin is on the meta device, where tensors have shapes and no numbers. A module that
    cannot run there, because what it does depends on numbers, is run for real, as a copy.

    Args:
        module: Any PyTorch module; neither it nor any random state is changed.
        example: What it takes.

    Raises:
        ShapeError: When the module does not take the example.
    """
    module = unwrapped(module)
    return trace_inputs(module, inputs_of(module, example))


def trace_inputs(module: nn.Module, inputs: Inputs) -> Trace:
    """Run a module's twin on what it is called with.

    Raises:
        ShapeError: When the module does not take it.
    """
    try:
        return traced(module, twin_on_meta(module), inputs.on_meta(), ())
    except Exception as error:  # noqa: BLE001, RUF100 - modules raise whatever they like
        failure = error
    if inputs.made:
        # Shapes do not say whether a module takes numbers or indices.
        with contextlib.suppress(Exception):
            return traced(module, twin_on_meta(module), inputs.whole_numbers(), ())
    reason = first_line(failure)
    if "meta" not in reason.lower() and "data-dependent" not in reason.lower():
        raise ShapeError(failing(module, inputs, reason)) from failure
    if any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()]):
        reason = f"{reason} (its weights hold no numbers)"
        raise ShapeError(failing(module, inputs, reason)) from failure
    return for_real(module, inputs, reason)


def for_real(module: nn.Module, inputs: Inputs, reason: str) -> Trace:
    """Run a copy of a module on real numbers: random ones where there are none.

    Raises:
        ShapeError: When it does not take them.
    """
    note = f"Run on real numbers, since it cannot run without: {reason}."
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            inputs = inputs.mapped(real_numbers)
            return traced(module, copied(module, {}), inputs, (note,))
    except Exception as error:
        raise ShapeError(failing(module, inputs, first_line(error))) from error


def real_numbers(tensor: Tensor) -> Tensor:
    """Return a tensor's numbers, or random ones where it has none."""
    if not tensor.is_meta:
        return tensor.detach().clone()
    return torch.randn(tensor.shape, dtype=tensor.dtype)


def traced(module: nn.Module, twin: nn.Module, inputs: Inputs, notes: tuple[str, ...]) -> Trace:
    """Run a twin in test mode without gradients.

    Raises:
        ShapeError: When it gives no tensor.
    """
    tracer = Tracer(twin.eval(), [*twin.parameters(), *twin.buffers()])
    with torch.inference_mode():
        # Only a tensor made here is seen by every operation as itself.
        seen = inputs.mapped(torch.clone)
        sources = {
            name: tracer.new_value(tensor, -1) for name, tensor in seen.named(module).items()
        }
        whole = tracer.calls[0]
        whole.input_shapes = tuple(source.shape for source in sources.values())
        with tracer:
            output = twin(*seen.args, **seen.kwargs)
        tracer.finish(whole, output, 0)
    if not tensors_in(output):
        raise ShapeError(f"it gives a {type(output).__name__}, which holds no tensor")
    notes += tuple(
        f"{name} is none of PyTorch's own operations: its multiply–adds are not counted."
        for name in tracer.strange
    )
    tracer.release()
    return Trace(
        module, twin, inputs, sources, tracer.calls, tracer.steps, whole.results,
        tracer.allocator.most, notes,
    )  # fmt: skip


def first_line(error: BaseException) -> str:
    """Return what an error says in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def failing(module: nn.Module, inputs: Inputs, reason: str) -> str:
    """Return in one line that a module fails on what it is given, and why."""
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in inputs.tensors)
    batch = ", batch included" if inputs.made else ""
    kind = type(module).__name__
    return f"{kind} fails on an input of {shapes}{batch}: {reason}."
