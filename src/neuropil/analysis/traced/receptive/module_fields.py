"""Receptive fields of any PyTorch module, theoretical and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neuropil.analysis.traced.receptive.axis_views import Unknown
from neuropil.analysis.traced.receptive.value_fields import ValueFields, find_call, find_source
from neuropil.analysis.traced.runs.example_inputs import inputs_of, tensors_in
from neuropil.analysis.traced.runs.meta_copy import unwrap
from neuropil.analysis.traced.runs.module_run import failure_message, first_line, trace
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from neuropil.analysis.receptive_field.receptive_propagation import AxisFields
    from neuropil.analysis.traced.runs.example_inputs import Example, Inputs


def module_field(
    module: nn.Module, name: str | None, example: Example | None, input_name: str | None
) -> tuple[AxisFields, tuple[int, ...]]:
    """Return the receptive field of a part on an input, and the shape of that input.

    Args:
        module: Any PyTorch module.
        name: Name of the part; the whole module by default.
        example: Its input, as tensors or shapes.
        input_name: Name of the input, where there are several.

    Raises:
        ShapeError: When the part does not depend on the input.
        ValueError: When an operation has no rule, or the part or input does not exist.
    """
    run = trace(module, example)
    call = find_call(run, name)
    source_name = find_source(run, input_name)
    value_fields = ValueFields(run, source_name)
    axis_fields = value_fields.of(call.results[0]) if call.results else None
    where = repr(name) if name else type(run.module).__name__
    if isinstance(axis_fields, Unknown):
        raise ValueError(
            f"the receptive field of {where} is not known: it runs {axis_fields.reason}."
        )
    if axis_fields is None:
        raise ShapeError(f"{where} does not depend on {source_name!r}.")
    return axis_fields, run.sources[source_name].shape[1:]


class ModuleProbe:
    """Measures gradients of a module with respect to one of its inputs, on random data.

    Args:
        module: The module. It is run itself, not a copy.
        part: Name of the part whose output is differentiated; the whole module by default.
        example: Its input, as tensors or shapes.
        name: Name of the input; ``None`` for the only one.

    Raises:
        ValueError: When the part or input does not exist, or the weights hold no data.
    """

    def __init__(
        self, module: nn.Module, part: str | None, example: Example | None, name: str | None
    ) -> None:
        self.network = unwrap(module)
        run = trace(self.network, example)
        self.part, self.kind = part, type(self.network).__name__
        self.call_name, _, turn = find_call(run, part).name.partition("@")
        self.turn = int(turn or 1)
        self.name = find_source(run, name)
        self.device = device_of(self.network)
        inputs = inputs_of(self.network, example)
        # Inputs made from shapes may have to be integers, as the traced run has found out.
        self.inputs = run.inputs if inputs.made else inputs
        watched = self.inputs.by_name(self.network)[self.name]
        if not watched.is_floating_point():
            raise ValueError(
                f"{self.name!r} holds integers: gradients need floating-point inputs."
            )
        self.watched = watched

    def gradient_sizes(self, generator: torch.Generator) -> Tensor:
        """Return the magnitude of the gradient at each position, for one random input."""
        drawn: list[Tensor] = []

        def draw(tensor: Tensor) -> Tensor:
            if tensor is not self.watched and not tensor.is_meta:
                return tensor.detach().to(self.device)
            if not tensor.is_floating_point():
                return torch.zeros(tensor.shape, dtype=tensor.dtype, device=self.device)
            random = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
            random = random.to(self.device)
            if tensor is self.watched:
                drawn.append(random.requires_grad_())
            return random

        output = self.run(self.inputs.map(draw))
        return middle_gradient(output, drawn[0], generator)

    def run(self, inputs: Inputs) -> Tensor:
        """Run the module and return the output of the part.

        Raises:
            ShapeError: When the module fails on its input.
            ValueError: When no gradient leads from the part's output to the input.
        """
        found: list[Tensor] = []
        part = self.network.get_submodule(self.call_name)
        handle = part.register_forward_hook(
            lambda _module, _inputs, output: found.extend(tensors_in(output)[:1])
        )
        try:
            self.network(*inputs.args, **inputs.kwargs)
        except Exception as error:
            raise ShapeError(
                failure_message(self.network, inputs, first_line(error))
            ) from error
        finally:
            handle.remove()
        output = found[self.turn - 1]
        if not output.requires_grad:
            raise ValueError(
                f"no gradient reaches {self.name!r}: {self.part or self.kind} does not depend "
                f"on it, or detaches its output."
            )
        return output


def middle_gradient(output: Tensor, watched: Tensor, generator: torch.Generator) -> Tensor:
    """Return the magnitude of the gradient of the middle output at each input position."""
    middle = [length // 2 for length in output.shape[2:]]
    values = output[(0, slice(None), *middle)] if output.ndim > 1 else output
    signs = torch.randint(2, values.shape, generator=generator).to(values) * 2 - 1
    (gradient,) = torch.autograd.grad((values * signs).sum(), watched, materialize_grads=True)
    return gradient[0].abs().sum(0).cpu()


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's weights.

    Raises:
        ValueError: When it is the meta device.
    """
    weight = next(module.parameters(), torch.empty(0))
    if weight.is_meta:
        raise ValueError("weights on the meta device hold no data, so gradients do not exist.")
    return weight.device
