"""Memory kept for the backward pass and peak memory of a training step, from traced runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from neuropil.analysis.traced.runs.cpu_kernels import fast_attention_kernels, without_fast_paths
from neuropil.analysis.traced.runs.example_inputs import tensors_in
from neuropil.analysis.traced.runs.meta_copy import copy_module, meta_replica
from neuropil.analysis.traced.runs.module_run import has_data, with_data
from neuropil.analysis.traced.runs.recurrent_kernels import RecurrentKernels
from neuropil.analysis.traced.runs.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.run_record import Call
    from neuropil.analysis.traced.runs.example_inputs import Inputs
    from neuropil.analysis.traced.runs.module_run import Trace


class SavedMemory(NamedTuple):
    """Memory that a forward pass keeps for the backward pass.

    Args:
        bytes: Total bytes, each storage once. Parameters and buffers are not counted.
        calls: Calls of the module's parts, each with the bytes made in it.
    """

    bytes: int
    calls: list[Call]


def training_memory(run: Trace) -> SavedMemory | None:
    """Return the memory a module keeps in training; ``None`` where it fails in training mode.

    Args:
        run: The module's run in evaluation mode. Its copy is run again.
    """
    module, inputs = run.module, run.inputs
    # A copy that stored state in evaluation mode may fail now; then a fresh one is tried.
    found = try_copies(module, inputs, (run.replica, None))
    if found is None and has_data(module) and any(t.is_meta for t in inputs.tensors):
        found = try_copies(module, with_data(module, inputs), (None,))
    return found


def try_copies(
    module: nn.Module, inputs: Inputs, replicas: Sequence[nn.Module | None]
) -> SavedMemory | None:
    """Return the memory kept for given inputs; ``None`` where every copy fails."""
    for replica in replicas:
        with contextlib.suppress(Exception):
            return measure_saved_memory(module, inputs, replica)
    if not inputs.made:
        return None
    # Some normalisations need more than one sample. The saved bytes are affine in the batch
    # size, so f(1) = 2·f(2) − f(3).
    try:
        two, three = (measure_saved_memory(module, inputs.batch_of(n)) for n in (2, 3))
    except Exception:  # noqa: BLE001, RUF100 - modules raise anything
        return None
    for one, other in zip(two.calls, three.calls, strict=True):
        one.kept_bytes = 2 * one.kept_bytes - other.kept_bytes
    return SavedMemory(2 * two.bytes - three.bytes, two.calls)


def peak_of_training_step(module: nn.Module, inputs: Inputs) -> int:
    """Return the peak memory of a training step, without parameters, in bytes.

    Args:
        module: The module to train; it is not changed. Where an operator has no backward
            pass, the figure is that of the forward pass.
        inputs: Its inputs. Random data are drawn where it cannot train on the meta device.
    """
    try:
        return TrainingStep(module, inputs).run()
    except Exception:
        if not has_data(module):
            raise
    return TrainingStep(module, with_data(module, inputs)).run(pass_over=RuntimeError)


def measure_saved_memory(
    module: nn.Module, inputs: Inputs, replica: nn.Module | None = None
) -> SavedMemory:
    """Run a copy in training mode and return the memory it keeps for the backward pass."""
    step = TrainingStep(module, inputs, replica)
    _, saved = step.forward_saving()
    return SavedMemory(sum(saved.values()), step.tracer.calls)


class TrainingStep:
    """One training step of a copy of a module, in which memory is counted.

    Args:
        module: The module to train; it is not changed.
        inputs: Its inputs.
        replica: The copy to run; a new one by default.
    """

    def __init__(
        self, module: nn.Module, inputs: Inputs, replica: nn.Module | None = None
    ) -> None:
        if replica is None:
            real = any(not tensor.is_meta for tensor in inputs.tensors)
            replica = copy_module(module, {}) if real else meta_replica(module)
        self.replica = replica.train()
        self.constants = [*self.replica.parameters(), *self.replica.buffers()]
        self.tracer = Tracer(self.replica, self.constants, records=False)
        with torch.inference_mode(mode=False):
            # Autograd cannot save tensors that were made in inference mode.
            self.inputs = inputs.map(torch.clone)
        for tensor in self.inputs.tensors:
            self.tracer.new_value(tensor, -1)

    def forward_saving(self) -> tuple[tuple[Tensor, ...], dict[int, int]]:
        """Run forward; return the outputs and the bytes of each storage saved by autograd.

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
        """Run forward with the kernels of a CPU, and return the outputs."""
        with (
            contextlib.closing(self.tracer),
            torch.random.fork_rng(devices=[]),
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            fast_attention_kernels(),
            without_fast_paths(),
            RecurrentKernels(),
            self.tracer,
        ):
            return tensors_in(self.replica(*self.inputs.args, **self.inputs.kwargs))

    def run(self, pass_over: type[Exception] | None = None) -> int:
        """Run forward and backward; return the peak memory without parameters.

        Args:
            pass_over: An exception that the backward pass may raise; it ends the step.
        """
        outputs = self.forward()
        with torch.inference_mode(mode=False), torch.enable_grad(), self.tracer:
            sums = [output.sum() for output in outputs if output.requires_grad]
            del outputs
            with contextlib.suppress(*(pass_over,) if pass_over else ()):
                if sums:
                    torch.autograd.backward(sums)
        return self.tracer.allocator.most
