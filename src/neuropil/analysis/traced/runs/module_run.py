"""Running a module on the meta device where possible, and on real data otherwise."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.runs.cpu_kernels import without_fast_paths
from neuropil.analysis.traced.runs.example_inputs import Inputs, inputs_of, tensors_in
from neuropil.analysis.traced.runs.meta_copy import copy_module, meta_replica, unwrap
from neuropil.analysis.traced.runs.recurrent_kernels import CELLS, RUNS, RecurrentKernels
from neuropil.analysis.traced.runs.tensor_exports import ExportRecorder
from neuropil.analysis.traced.runs.tracer import Tracer
from neuropil.core import ShapeError
from neuropil.core.free_memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.run_record import Call, Step, Value
    from neuropil.analysis.traced.runs.example_inputs import Example


@dataclass(frozen=True, slots=True)
class Trace:
    """One forward pass of a module in evaluation mode, operation by operation.

    Args:
        module: The module itself, unwrapped.
        replica: The copy that was run in its place.
        inputs: The inputs, on the meta device if the copy ran there.
        sources: The input values by name.
        calls: Calls of its parts in the order in which they began; the first is the module's.
        steps: Operations, in order.
        results: Output values.
        peak: Peak memory of inputs and activations, in bytes.
        notes: Remarks for the reader: that the module ran on real data, what was not counted.
    """

    module: nn.Module
    replica: nn.Module
    inputs: Inputs
    sources: dict[str, Value]
    calls: list[Call]
    steps: list[Step]
    results: tuple[Value, ...]
    peak: int
    notes: tuple[str, ...] = field(default=())


def trace(module: nn.Module, example: Example | None) -> Trace:
    """Run a copy of a module and return the record of the run.

    The copy runs on the meta device, where tensors have shapes but no data. A module whose
    control flow depends on its data cannot run there; a copy of it runs on real data instead.

    Args:
        module: Any PyTorch module. Neither it nor any random state is changed.
        example: Its input, as tensors or shapes.

    Raises:
        ShapeError: When the module does not accept the example.
    """
    module = unwrap(module)
    return trace_inputs(module, inputs_of(module, example))


def trace_inputs(module: nn.Module, inputs: Inputs) -> Trace:
    """Run a copy of a module on given inputs.

    Raises:
        ShapeError: When the module does not accept them.
    """
    failure: Exception | None = None
    kinds = inputs.kinds()
    # A few modules compute gradients in `forward`, which inference mode forbids.
    for gradients, kind in itertools.product((False, True), kinds):
        try:
            replica = meta_replica(module)
            return run_replica(module, replica, kind.on_meta(), (), gradients=gradients)
        except Exception as error:  # noqa: BLE001, RUF100 - modules raise anything
            failure = failure or error
    reason = first_line(failure)
    if not has_data(module):
        needed = "meta" in reason.lower() or "data-dependent" in reason.lower()
        reason += " (its weights are on the meta device and hold no data)" * needed
        raise ShapeError(failure_message(module, inputs, reason)) from failure
    return trace_on_data(module, kinds, reason)


def trace_on_data(module: nn.Module, kinds: Sequence[Inputs], reason: str) -> Trace:
    """Run a copy of a module on real data, drawn at random where the inputs have none.

    Args:
        module: The module to copy.
        kinds: Candidate inputs, tried in order until the module accepts one.
        reason: Why the module cannot run on the meta device.

    Raises:
        MemoryError: When a copy of the module does not fit in memory.
        ShapeError: When it accepts none of the inputs.
    """
    sentence = reason.partition(". ")[0]
    note = f"Run on real data, since it cannot run on the meta device: {sentence}."
    failure: Exception | None = None
    for gradients, kind in itertools.product((False, True), kinds):
        # Copying and running is expensive: try again only where another input may help.
        if failure is not None and not (wants_indices(failure) or "grad" in str(failure)):
            break
        try:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                data = with_data(module, kind)
                return run_replica(
                    module, copy_module(module, {}), data, (note,), gradients=gradients
                )
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001, RUF100
            # If the module wants indices, its failure on indices says more than that on floats.
            failure = error if failure is None or wants_indices(failure) else failure
    raise ShapeError(failure_message(module, kinds[0], first_line(failure))) from failure


def has_data(module: nn.Module) -> bool:
    """Tell whether a module's parameters and buffers hold data."""
    return not any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()])


def wants_indices(error: Exception) -> bool:
    """Tell whether a module failed because it got floats in place of indices."""
    return re.search(f"\\b({INDICES})\\b", str(error)) is not None


INDICES = "indices|index tensor|LongTensor|Long|Int|integers?|integral|dtype|not implemented"


def peak_of(run: Trace) -> int:
    """Return the peak memory of the inputs and activations of a run.

    On a CPU, recurrent layers use working memory that the meta device does not show.
    """
    recurrent = any(name_of(step.operation).name in RECURRENT for step in run.steps)
    if not recurrent or not all(tensor.is_meta for tensor in run.inputs.tensors):
        return run.peak
    with contextlib.suppress(Exception):
        replica = meta_replica(run.module)
        return run_replica(run.module, replica, run.inputs, (), kernels=True).peak
    return run.peak


RECURRENT = frozenset({*RUNS, *CELLS})


def with_data(module: nn.Module, inputs: Inputs) -> Inputs:
    """Return inputs that hold data, on the module's device.

    Raises:
        MemoryError: When a copy of the module and its inputs do not fit in memory.
    """
    tensors = [*module.parameters(), *module.buffers(), *inputs.tensors]
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    require_memory(size, f"{type(module).__name__}, to be run on real data,")
    place = next((tensor.device for tensor in module.parameters()), None)
    return inputs.map(lambda tensor: to_data(tensor, place))


def to_data(tensor: Tensor, place: torch.device | None) -> Tensor:
    """Return a copy of a tensor; for one without data, random floats or indices of 0."""
    if not tensor.is_meta:
        return tensor.detach().clone()
    if tensor.is_floating_point() or tensor.is_complex():
        return torch.randn(tensor.shape, dtype=tensor.dtype, device=place)
    return torch.zeros(tensor.shape, dtype=tensor.dtype, device=place)


def run_replica(
    module: nn.Module,
    replica: nn.Module,
    inputs: Inputs,
    notes: tuple[str, ...],
    *,
    gradients: bool = False,
    kernels: bool = False,
) -> Trace:
    """Run a copy of a module in evaluation mode and return the record of the run.

    Args:
        module: The original module.
        replica: The copy to run.
        inputs: Its inputs.
        notes: Remarks to put first.
        gradients: Whether the module may compute gradients as it runs.
        kernels: Whether recurrent layers allocate the working memory of the CPU's kernels.

    Raises:
        ShapeError: When the output holds no tensor.
    """
    tracer = Tracer(replica.eval(), [*replica.parameters(), *replica.buffers()])
    with torch.inference_mode(mode=not gradients), torch.set_grad_enabled(gradients):
        # A clone made here has no other user, so each operation sees this very tensor.
        seen = inputs.map(torch.clone)
        sources = {
            name: tracer.new_value(tensor, -1) for name, tensor in seen.by_name(module).items()
        }
        whole = tracer.calls[0]
        whole.input_shapes = tuple(source.shape for source in sources.values())
        real = not any(tensor.is_meta for tensor in seen.tensors)
        watching = ExportRecorder(tracer) if real else contextlib.nullcontext()
        recurrent = RecurrentKernels() if kernels else contextlib.nullcontext()
        with without_fast_paths(), recurrent, tracer, watching:
            output = replica(*seen.args, **seen.kwargs)
        tracer.finish(whole, output, 0)
    if not tensors_in(output):
        raise ShapeError(f"its output, a {type(output).__name__}, holds no tensor")
    notes += tuple(
        f"No formula is known for {name}: its multiply–adds are not counted."
        for name in tracer.unknown
    )
    notes += tuple(
        f"Computation on data that leaves PyTorch by {name} is not counted."
        for name in sorted(tracer.exports)
    )
    tracer.close()
    return Trace(
        module, replica, inputs, sources, tracer.calls, tracer.steps, whole.results,
        tracer.allocator.most, notes,
    )  # fmt: skip


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def failure_message(module: nn.Module, inputs: Inputs, reason: str) -> str:
    """Return a one-line message that a module fails on an input, and why."""
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in inputs.tensors)
    batch = ", batch included" if inputs.made else ""
    kind = type(module).__name__
    return f"{kind} fails on an input of {shapes}{batch}: {reason}."
