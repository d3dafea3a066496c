"""Base class of the Newton-type methods: second derivatives once per step, then trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.batch_method import BatchMethod, refusing_backward
from neuropil.optim.second_order.curvature import Curvature

if TYPE_CHECKING:
    from neuropil.optim.outcome import Reason


class Trials(NamedTuple):
    """The result of the trial steps.

    Attributes:
        reason: Why to stop there, or ``"going on"``.
        loss: The loss after the accepted step; None if no step was accepted.
        evaluations: The number of loss evaluations.
    """

    reason: Reason
    loss: float | None
    evaluations: int


# Takes a step from the weights at the start and returns the loss there.
Probe: TypeAlias = Callable[[Tensor], float]


class CurvatureMethod(BatchMethod):
    """A batch method that uses second derivatives and never raises the loss."""

    @override
    @refusing_backward
    def step(self, closure: Callable[[], Any]) -> Tensor:
        vector = self.weights()
        loss = self.scalar(closure())
        curvature = Curvature(type(self).__name__, loss, vector.parameters)
        value, largest, here = curvature.value, curvature.largest, vector.read()
        plan = self.plan(curvature, here) if curvature.finite else "not finite"
        # Free the graph: it belongs to weights that are about to change.
        del curvature
        loss = loss.detach()

        def loss_after(step: Tensor) -> float:
            vector.write(here + step)
            with torch.no_grad():
                return closure().item()

        trials = plan(loss_after) if callable(plan) else Trials(plan, None, 0)
        if trials.loss is None and trials.evaluations:
            vector.write(here)
        after = value if trials.loss is None else trials.loss
        self.note(trials.reason, after, largest, 1 + trials.evaluations)
        return loss

    @abstractmethod
    def plan(self, curvature: Curvature, here: Tensor) -> Reason | Callable[[Probe], Trials]:
        """Return a function that tries steps, or the reason to stop without a trial.

        Args:
            curvature: The derivatives at the current weights.
            here: The current weights.
        """
