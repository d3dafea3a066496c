"""Base class of the optimisers that evaluate the loss themselves, several times per step."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.optimizer_options import CheckedOptions, some_parameters
from neuropil.optim.outcome import REASONS, Outcome, Reason
from neuropil.optim.parameter_vector import WeightVector

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT


# Parts of torch's messages when the graph was freed by an earlier backward, or is missing.
TWICE = "backward through the graph a second time"
NO_GRAPH = "does not require grad and does not have a grad_fn"


def refusing_backward(step: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a step so that a closure that calls ``backward`` raises a clear TypeError.

    Args:
        step: A method of an optimiser that takes a closure and runs the backward pass itself.
    """

    @functools.wraps(step)
    def method(self: Any, closure: Callable[[], Any], *args: Any, **options: Any) -> Any:
        try:
            return step(self, closure, *args, **options)
        except RuntimeError as error:
            if TWICE not in str(error) and NO_GRAPH not in str(error):
                raise
            raise TypeError(
                f"{type(self).__name__}: the closure called backward, as torch.optim.LBFGS "
                f"requires; here it must only return the "
                f"{'residuals' if self.needs == 'residuals' else 'loss'}."
            ) from None

    return method


class BatchMethod(CheckedOptions, torch.optim.Optimizer):
    """An optimiser that evaluates the loss itself and treats all weights as one vector.

    ``step(closure)`` calls ``closure()`` as often as it needs; the closure never calls
    ``backward``. All parameter groups are moved together, so they share their options. Frozen
    parameters do not change.

    Args:
        params: Parameters, or groups of them as dicts.
        **options: The optimiser's own options.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or the options of a
            group differ from the optimiser's.
    """

    needs: Literal["closure", "residuals"] = "closure"
    vector: WeightVector | None = None  # the last result of `weights`

    def __init__(self, params: ParamsT, **options: Any) -> None:
        self.check(options)
        super().__init__(some_parameters(type(self).__name__, params), options)
        self.complete()

    def complete(self) -> None:
        """Replace the options that are None by what suits the weights and other options."""

    @override
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        own = sorted(set(param_group) & set(self.defaults))
        differing = [option for option in own if param_group[option] != self.defaults[option]]
        if differing:
            raise ValueError(
                f"{type(self).__name__} moves all weights together: a group cannot have "
                f"{differing[0]!r} of its own, got {param_group[differing[0]]!r}."
            )
        super().add_param_group(param_group)

    @override
    @abstractmethod
    def step(self, closure: Callable[[], Any]) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]  # the closure is required here
        """Move the weights once and return the loss from before the step.

        Args:
            closure: Returns the loss, a scalar; it does not call ``backward``.
        """

    def minimize(self, closure: Callable[[], Any], max_steps: int = 1000) -> Outcome:
        """Take steps until the optimiser stops.

        Args:
            closure: Returns the loss, as for `step`.
            max_steps: The largest number of steps.
        """
        for _ in range(max_steps):
            self.step(closure)
            if self.outcome.done:
                break
        return self.outcome

    @property
    def options(self) -> dict[str, Any]:
        """The options, the same for all groups."""
        return self.param_groups[0]

    @property
    def memory(self) -> dict[str, Any]:
        """State that passes from step to step; it is part of ``state_dict``."""
        return self.state[self.param_groups[0]["params"][0]]

    @property
    def outcome(self) -> Outcome:
        """How far the optimiser has come, and why it stopped if it did."""
        memory = self.memory
        return Outcome(
            reason=REASONS[memory.get("reason", 0)],
            loss=memory.get("loss", math.nan),
            gradient=memory.get("gradient", math.nan),
            steps=memory.get("steps", 0),
            evaluations=memory.get("evaluations", 0),
        )

    def note(self, reason: Reason, loss: float, gradient: float, evaluations: int) -> None:
        """Record the result of a step.

        Args:
            reason: Why the optimiser stops, or ``"going on"``.
            loss: The loss after the step.
            gradient: The largest absolute entry of its gradient.
            evaluations: The number of loss evaluations in this step.
        """
        memory = self.memory
        memory["reason"] = REASONS.index(reason)  # torch cannot load a state with text in it
        memory["loss"], memory["gradient"] = loss, gradient
        memory["steps"] = memory.get("steps", 0) + 1
        memory["evaluations"] = memory.get("evaluations", 0) + evaluations

    def weights(self) -> WeightVector:
        """Return all weights that are not frozen, as one vector."""
        parameters = [p for group in self.param_groups for p in group["params"]]
        if self.vector is None or not self.vector.fits(parameters):
            self.vector = WeightVector(type(self).__name__, parameters)
        return self.vector

    def scalar(self, value: Any) -> Tensor:
        """Return the closure's loss, after checking that it is a differentiable scalar.

        Raises:
            TypeError: If the value is anything else.
        """
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
            got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(
                f"{type(self).__name__}: the closure must return the loss, a scalar tensor "
                f"that depends on the parameters, without calling backward; got {got}."
            )
        return value.reshape(())
