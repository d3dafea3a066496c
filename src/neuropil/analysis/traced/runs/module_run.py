"""Running a module without numbers where that can be, and with them where it cannot."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.runs.cpu_kernels import part_by_part
from neuropil.analysis.traced.runs.example_inputs import Inputs, inputs_of
from neuropil.analysis.traced.runs.meta_copy import copy_module, twin_on_meta, unwrap
from neuropil.analysis.traced.runs.recurrent_kernels import CELLS, RUNS, RecurrentKernels
from neuropil.analysis.traced.runs.tensor_exports import Leaving
from neuropil.analysis.traced.runs.tracer import Tracer, tensors_in
from neuropil.core import ShapeError
from neuropil.core.free_memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.run_record import Call, Step, Value
    from neuropil.analysis.traced.runs.example_inputs import Example


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
    module = unwrap(module)
    return trace_inputs(module, inputs_of(module, example))


def trace_inputs(module: nn.Module, inputs: Inputs) -> Trace:
    """Run a module's twin on what it is called with.

    Raises:
        ShapeError: When the module does not take it.
    """
    failure: Exception | None = None
    kinds = inputs.kinds()
    # Few modules take gradients as they run, and these cannot do so in inference mode.
    for gradients, kind in itertools.product((False, True), kinds):
        try:
            twin = twin_on_meta(module)
            return run_twin(module, twin, kind.on_meta(), (), gradients=gradients)
        except Exception as error:  # noqa: BLE001, RUF100 - modules raise whatever they like
            failure = failure or error
    reason = first_line(failure)
    if not has_numbers(module):
        needed = "meta" in reason.lower() or "data-dependent" in reason.lower()
        reason += " (its weights hold no numbers)" * needed
        raise ShapeError(failure_message(module, inputs, reason)) from failure
    return trace_with_numbers(module, kinds, reason)


def trace_with_numbers(module: nn.Module, kinds: Sequence[Inputs], reason: str) -> Trace:
    """Run a copy of a module on real numbers: random ones where there are none.

    Args:
        module: What is copied.
        kinds: What it may take; the first that it does is taken.
        reason: Why it cannot run without numbers.

    Raises:
        MemoryError: When a copy of the module does not fit in memory.
        ShapeError: When it takes none of them.
    """
    sentence = reason.partition(". ")[0]
    note = f"Run on real numbers, since it cannot run without: {sentence}."
    failure: Exception | None = None
    for gradients, kind in itertools.product((False, True), kinds):
        # A copy and a run are dear: only what may help is tried again.
        if failure is not None and not (wants_indices(failure) or "grad" in str(failure)):
            break
        try:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                numbers = with_numbers(module, kind)
                return run_twin(
                    module, copy_module(module, {}), numbers, (note,), gradients=gradients
                )
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001, RUF100
            # Who had to be given indices says more of them than of floats.
            failure = error if failure is None or wants_indices(failure) else failure
    raise ShapeError(failure_message(module, kinds[0], first_line(failure))) from failure


def has_numbers(module: nn.Module) -> bool:
    """Tell whether a module's parameters and buffers hold numbers."""
    return not any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()])


def wants_indices(error: Exception) -> bool:
    """Tell whether a module failed because it was given floats in place of indices."""
    return re.search(f"\\b({INDICES})\\b", str(error)) is not None


INDICES = "indices|index tensor|LongTensor|Long|Int|integers?|integral|dtype|not implemented"


def peak_of(run: Trace) -> int:
    """Return the most that inputs and activations of a run take at once.

    Recurrent layers take more on a processor than they show.
    """
    recurrent = any(name_of(step.operation).name in RECURRENT for step in run.steps)
    if not recurrent or not all(tensor.is_meta for tensor in run.inputs.tensors):
        return run.peak
    with contextlib.suppress(Exception):
        twin = twin_on_meta(run.module)
        return run_twin(run.module, twin, run.inputs, (), kernels=True).peak
    return run.peak


RECURRENT = frozenset({*RUNS, *CELLS})


def with_numbers(module: nn.Module, inputs: Inputs) -> Inputs:
    """Return inputs with numbers, where the module is.

    Raises:
        MemoryError: When a copy of the module and its inputs do not fit in memory.
    """
    tensors = [*module.parameters(), *module.buffers(), *inputs.tensors]
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    require_memory(size, f"{type(module).__name__}, to be run on real numbers,")
    place = next((tensor.device for tensor in module.parameters()), None)
    return inputs.mapped(lambda tensor: real_numbers(tensor, place))


def real_numbers(tensor: Tensor, place: torch.device | None) -> Tensor:
    """Return a tensor's numbers, or random ones, or indices of 0, where it has none."""
    if not tensor.is_meta:
        return tensor.detach().clone()
    if tensor.is_floating_point() or tensor.is_complex():
        return torch.randn(tensor.shape, dtype=tensor.dtype, device=place)
    return torch.zeros(tensor.shape, dtype=tensor.dtype, device=place)


def run_twin(
    module: nn.Module,
    twin: nn.Module,
    inputs: Inputs,
    notes: tuple[str, ...],
    *,
    gradients: bool = False,
    kernels: bool = False,
) -> Trace:
    """Run a twin in test mode, mostly without gradients.

    Args:
        module: What it stands for.
        twin: What is run.
        inputs: What it is given.
        notes: What is known already.
        gradients: Whether it may take gradients.
        kernels: Whether recurrent layers take what those on a processor do.

    Raises:
        ShapeError: When it gives no tensor.
    """
    tracer = Tracer(twin.eval(), [*twin.parameters(), *twin.buffers()])
    with torch.inference_mode(mode=not gradients), torch.set_grad_enabled(gradients):
        # Only a tensor made here is seen by every operation as itself.
        seen = inputs.mapped(torch.clone)
        sources = {
            name: tracer.new_value(tensor, -1) for name, tensor in seen.named(module).items()
        }
        whole = tracer.calls[0]
        whole.input_shapes = tuple(source.shape for source in sources.values())
        real = not any(tensor.is_meta for tensor in seen.tensors)
        watching = Leaving(tracer) if real else contextlib.nullcontext()
        recurrent = RecurrentKernels() if kernels else contextlib.nullcontext()
        with part_by_part(), recurrent, tracer, watching:
            output = twin(*seen.args, **seen.kwargs)
        tracer.finish(whole, output, 0)
    if not tensors_in(output):
        raise ShapeError(f"it gives a {type(output).__name__}, which holds no tensor")
    notes += tuple(
        f"No formula is known for {name}: its multiply–adds are not counted."
        for name in tracer.strange
    )
    notes += tuple(
        f"What is done with numbers that leave PyTorch by {name} is not counted."
        for name in sorted(tracer.left)
    )
    tracer.release()
    return Trace(
        module, twin, inputs, sources, tracer.calls, tracer.steps, whole.results,
        tracer.allocator.most, notes,
    )  # fmt: skip


def first_line(error: BaseException | None) -> str:
    """Return what an error says in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def failure_message(module: nn.Module, inputs: Inputs, reason: str) -> str:
    """Return in one line that a module fails on what it is given, and why."""
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in inputs.tensors)
    batch = ", batch included" if inputs.made else ""
    kind = type(module).__name__
    return f"{kind} fails on an input of {shapes}{batch}: {reason}."
