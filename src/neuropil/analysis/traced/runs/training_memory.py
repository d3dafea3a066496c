"""What training keeps, and the most that a step takes: from runs with gradients."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from neuropil.analysis.traced.runs.cpu_kernels import kernels_of_devices, part_by_part
from neuropil.analysis.traced.runs.meta_copy import copy_module, twin_on_meta
from neuropil.analysis.traced.runs.module_run import has_numbers, with_numbers
from neuropil.analysis.traced.runs.recurrent_kernels import RecurrentKernels
from neuropil.analysis.traced.runs.tracer import Tracer, tensors_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.run_record import Call
    from neuropil.analysis.traced.runs.example_inputs import Inputs
    from neuropil.analysis.traced.runs.module_run import Trace


class Kept(NamedTuple):
    """What a forward pass keeps for the backward pass.

    Args:
        bytes: All of it, each storage once; parameters and buffers are not counted.
        calls: The calls of the module's parts, each with what came to be in it.
    """

    bytes: int
    calls: list[Call]


def kept_by_training(run: Trace) -> Kept | None:
    """Return what a module keeps in training; ``None`` where it cannot be told.

    Args:
        run: The module's run in test mode, whose twin is run again.
    """
    module, inputs = run.module, run.inputs
    # A twin that keeps what it saw in test mode may fail now: then another one is tried.
    found = saved_or_none(module, inputs, (run.twin, None))
    if found is None and has_numbers(module) and any(t.is_meta for t in inputs.tensors):
        found = saved_or_none(module, with_numbers(module, inputs), (None,))
    return found


def saved_or_none(
    module: nn.Module, inputs: Inputs, twins: Sequence[nn.Module | None]
) -> Kept | None:
    """Return what a module keeps of what it is given; ``None`` where it fails."""
    for twin in twins:
        with contextlib.suppress(Exception):
            return saved_in_training(module, inputs, twin)
    if not inputs.made:
        return None
    # One sample is too few for the statistics of some normalisations. What is saved is a
    # constant and a part for each sample: f(1) = 2·f(2) − f(3).
    try:
        two, three = (saved_in_training(module, inputs.batch_of(n)) for n in (2, 3))
    except Exception:  # noqa: BLE001, RUF100 - modules raise whatever they like
        return None
    for one, other in zip(two.calls, three.calls, strict=True):
        one.kept_bytes = 2 * one.kept_bytes - other.kept_bytes
    return Kept(2 * two.bytes - three.bytes, two.calls)


def step_of_training(module: nn.Module, inputs: Inputs) -> int:
    """Return the most that a step of training takes beside parameters.

    Args:
        module: What is trained; it is not changed. One that gradients cannot pass, such as
            through an operator that has none, takes what its forward pass does.
        inputs: What it is given; numbers are drawn where it cannot be trained without.
    """
    try:
        return TrainingStep(module, inputs).run()
    except Exception:
        if not has_numbers(module):
            raise
    return TrainingStep(module, with_numbers(module, inputs)).run(pass_over=RuntimeError)


def saved_in_training(module: nn.Module, inputs: Inputs, twin: nn.Module | None = None) -> Kept:
    """Run a twin in training mode and see what it keeps."""
    step = TrainingStep(module, inputs, twin)
    _, saved = step.saving()
    return Kept(sum(saved.values()), step.tracer.calls)


class TrainingStep:
    """One step of training of a twin, in which memory is counted.

    Args:
        module: What is trained; it is not changed.
        inputs: What it is given.
        twin: What is run in its place; a new twin by default.
    """

    def __init__(
        self, module: nn.Module, inputs: Inputs, twin: nn.Module | None = None
    ) -> None:
        if twin is None:
            real = any(not tensor.is_meta for tensor in inputs.tensors)
            twin = copy_module(module, {}) if real else twin_on_meta(module)
        self.twin = twin.train()
        self.constants = [*self.twin.parameters(), *self.twin.buffers()]
        self.tracer = Tracer(self.twin, self.constants, records=False)
        with torch.inference_mode(mode=False):
            # Those of inference mode cannot be saved.
            self.inputs = inputs.mapped(torch.clone)
        for tensor in self.inputs.tensors:
            self.tracer.new_value(tensor, -1)

    def saving(self) -> tuple[tuple[Tensor, ...], dict[int, int]]:
        """Run forward; return the outputs and the bytes of each storage that is saved.

        Parameters and buffers are not counted.
        """
        tracer = self.tracer
        saved: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            storage = tracer.allocator.number(tensor)
            if storage >= 0 and storage not in saved:
                saved[storage] = tracer.allocator.sizes[storage]
                maker = tracer.makers.get(storage, -1)
                # The module's inputs are attributed to the first part that needs them.
                call = tracer.stack[-1] if maker < 0 else tracer.calls[maker]
                call.kept_bytes += saved[storage]
            return tensor

        with saved_tensors_hooks(pack, lambda packed: packed):
            return self.forward(), saved

    def forward(self) -> tuple[Tensor, ...]:
        """Run forward while the parts are watched, and return the outputs."""
        try:
            return self.watched()
        finally:
            self.tracer.release()

    def watched(self) -> tuple[Tensor, ...]:
        """Run forward with the kernels that a processor would take."""
        with (
            torch.random.fork_rng(devices=[]),
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            kernels_of_devices(),
            part_by_part(),
            RecurrentKernels(),
            self.tracer,
        ):
            return tensors_in(self.twin(*self.inputs.args, **self.inputs.kwargs))

    def run(self, pass_over: type[Exception] | None = None) -> int:
        """Run forward and backward; return the most that took memory beside parameters.

        Args:
            pass_over: What may end the way back.
        """
        outputs = self.forward()
        with torch.inference_mode(mode=False), torch.enable_grad(), self.tracer:
            sums = [output.sum() for output in outputs if output.requires_grad]
            del outputs
            with contextlib.suppress(*(pass_over,) if pass_over else ()):
                if sums:
                    torch.autograd.backward(sums)
        return self.tracer.allocator.most
