"""The receptive fields of anyone's module, in theory and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neuropil.analysis.traced.receptive.axis_views import Unknown
from neuropil.analysis.traced.receptive.module_sights import Sights, call_named, source_named
from neuropil.analysis.traced.runs.example_inputs import inputs_of
from neuropil.analysis.traced.runs.meta_copy import unwrap
from neuropil.analysis.traced.runs.module_run import failure_message, first_line, trace
from neuropil.analysis.traced.runs.tracer import tensors_in
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from neuropil.analysis.receptive_field.receptive_propagation import Sight
    from neuropil.analysis.traced.runs.example_inputs import Example, Inputs


def module_sight(
    module: nn.Module, name: str | None, example: Example | None, input_name: str | None
) -> tuple[Sight, tuple[int, ...]]:
    """Return what the output of a part sees of an input, and the shape of that.

    Args:
        module: Any PyTorch module.
        name: The part; the whole by default.
        example: What it takes.
        input_name: Which of several inputs.

    Raises:
        ShapeError: When nothing of the input is seen.
        ValueError: When an operation is not known, or there is no such part or input.
    """
    run = trace(module, example)
    call = call_named(run, name)
    source_name = source_named(run, input_name)
    sights = Sights(run, source_name)
    sight = sights.of(call.results[0]) if call.results else None
    where = repr(name) if name else type(run.module).__name__
    if isinstance(sight, Unknown):
        raise ValueError(f"what {where} sees is not known: it runs {sight.reason}.")
    if sight is None:
        raise ShapeError(f"{where} sees nothing of {source_name!r}.")
    return sight, run.sources[source_name].shape[1:]


class ModuleProbe:
    """A module with random inputs, one of which is watched.

    Args:
        module: What is run, as it is.
        part: The name of the part whose output is asked about; the whole by default.
        example: What it takes.
        name: The input that is watched; ``None`` for the only one.

    Raises:
        ValueError: When there is no such part or input, or weights have no values.
    """

    def __init__(
        self, module: nn.Module, part: str | None, example: Example | None, name: str | None
    ) -> None:
        self.network = unwrap(module)
        run = trace(self.network, example)
        self.part, self.kind = part, type(self.network).__name__
        self.call_name, _, turn = call_named(run, part).name.partition("@")
        self.turn = int(turn or 1)
        self.name = source_named(run, name)
        self.device = device_of(self.network)
        inputs = inputs_of(self.network, example)
        # What is made of shapes may be integers, as the run has found out.
        self.inputs = run.inputs if inputs.made else inputs
        watched = self.inputs.named(self.network)[self.name]
        if not watched.is_floating_point():
            raise ValueError(f"{self.name!r} holds integers: gradients need floats.")
        self.watched = watched

    def gradient_sizes(self, generator: torch.Generator) -> Tensor:
        """Return the size of the gradient at each position for one random input."""
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

        output = self.run(self.inputs.mapped(draw))
        return middle_gradient(output, drawn[0], generator)

    def run(self, inputs: Inputs) -> Tensor:
        """Return the output of the part in question.

        Raises:
            ShapeError: When the module fails on its input.
            ValueError: When the part gives no floats that depend on anything.
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
                f"on it, or cuts gradients off."
            )
        return output


def middle_gradient(output: Tensor, watched: Tensor, generator: torch.Generator) -> Tensor:
    """Return the size of the gradient of the middle output at each position of an input."""
    middle = [length // 2 for length in output.shape[2:]]
    values = output[(0, slice(None), *middle)] if output.ndim > 1 else output
    signs = torch.randint(2, values.shape, generator=generator).to(values) * 2 - 1
    (gradient,) = torch.autograd.grad((values * signs).sum(), watched, materialize_grads=True)
    return gradient[0].abs().sum(0).cpu()


def device_of(module: nn.Module) -> torch.device:
    """Return where a module's weights are.

    Raises:
        ValueError: When they are on the meta device.
    """
    weight = next(module.parameters(), torch.empty(0))
    if weight.is_meta:
        raise ValueError("weights on the meta device have no values, so gradients have none.")
    return weight.device
