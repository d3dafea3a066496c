"""What Newton's method and its kin share: second derivatives once a step, then trials."""

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
    """What came of trying steps.

    Attributes:
        reason: Why to stop there, or ``"going on"``.
        loss: The loss after the step that was taken; None where none was.
        evaluations: How often the loss was asked for.
    """

    reason: Reason
    loss: float | None
    evaluations: int


# Takes a step from where the weights were and gives the loss there.
Probe: TypeAlias = Callable[[Tensor], float]


class CurvatureMethod(BatchMethod):
    """A batch method whose steps come from second derivatives, and never raise the loss."""

    @override
    @refusing_backward
    def step(self, closure: Callable[[], Any]) -> Tensor:
        vector = self.weights()
        loss = self.scalar(closure())
        curvature = Curvature(type(self).__name__, loss, vector.parameters)
        value, largest, here = curvature.value, curvature.largest, vector.read()
        plan = self.plan(curvature, here) if curvature.finite else "not finite"
        # The graph goes here: the weights that it was made for are about to change.
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
        """Return what tries steps, or why there is nothing to try.

        Args:
            curvature: The derivatives where the weights are.
            here: The weights.
        """
