"""The loss as a function of all weights, and of a step along a direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import Tensor

from neuropil.optim.line_search.strong_wolfe import LineStep, strong_wolfe

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.optim.batch_method import BatchMethod

SUFFICIENT = 1e-4  # c₁ of the line search


class Point(NamedTuple):
    """A point at which the loss was evaluated.

    Attributes:
        weights: All weights as one vector.
        loss: The loss there.
        gradient: Its gradient.
        steepness: The largest absolute entry of the gradient.
    """

    weights: Tensor
    loss: float
    gradient: Tensor
    steepness: float

    @property
    def finite(self) -> bool:
        """Whether the loss and every entry of its gradient are finite."""
        return math.isfinite(self.loss) and math.isfinite(self.steepness)


@final
class Landscape:
    """A closure's loss as a function of all weights of an optimiser.

    Args:
        method: The optimiser; its parameters hold the last evaluated weights.
        closure: Returns the loss at the current parameters.
    """

    def __init__(self, method: BatchMethod, closure: Callable[[], Any]) -> None:
        self.method = method
        self.closure = closure
        self.vector = method.weights()
        self.evaluations = 0
        self.resolution = torch.finfo(self.vector.dtype).eps

    def start(self) -> Point:
        """Return the point at the current parameters."""
        loss, gradient = self.differentiate()
        steepness = torch.linalg.vector_norm(gradient, math.inf)
        return Point(self.vector.read(), float(loss), gradient, float(steepness))

    def search(
        self, here: Point, direction: Tensor, slope: float, trial: float, **limits: Any
    ) -> LineStep:
        """Search along a direction and leave the parameters at the best point found.

        Args:
            here: The start.
            direction: The direction.
            slope: The slope of the loss along it.
            trial: The first step to try.
            **limits: ``c2``, ``max_evaluations`` and ``narrowest`` of the line search.
        """

        def phi(step: float) -> tuple[float, float, Point]:
            weights = torch.add(here.weights, direction, alpha=step)
            self.vector.write(weights)
            loss, gradient = self.differentiate()
            steepness = torch.linalg.vector_norm(gradient, math.inf)
            # One transfer for all numbers, since each read from an accelerator waits for it.
            asked = torch.stack((loss, torch.dot(gradient, direction), steepness))
            value, inclination, steepest = asked.tolist()
            return value, inclination, Point(weights, value, gradient, steepest)

        try:
            found = strong_wolfe(
                phi,
                trial,
                here.loss,
                slope,
                c1=SUFFICIENT,
                resolution=self.resolution,
                **limits,
            )
        except BaseException:
            self.vector.write(here.weights)
            raise
        if not found.success:  # otherwise the parameters are there already
            self.vector.write(found.payload.weights if found.step else here.weights)
        return found

    def differentiate(self) -> tuple[Tensor, Tensor]:
        """Return the loss at the current parameters, and its gradient."""
        self.evaluations += 1
        with torch.enable_grad():
            loss = self.method.scalar(self.closure())
        return loss.detach().to(self.vector.buffer), self.vector.gradient(loss)
