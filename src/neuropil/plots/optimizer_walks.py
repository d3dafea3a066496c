"""The path of an optimiser on a loss of two weights, recorded step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.optim import Optimizer

# The loss of two weights, or its residuals r with loss Σ rᵢ² / 2.
Surface: TypeAlias = Callable[[Tensor], Tensor]


@final
@dataclass
class Path:
    """The path of one optimiser.

    Args:
        points: The starting point and the point after each step, ``(steps + 1, 2)``.
        losses: The loss at each point.
        evaluations: Number of times the optimiser evaluated the loss or the residuals.
    """

    points: list[list[float]]
    losses: list[float]
    evaluations: int = 0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.points) - 1


@final
class Walk:
    """An optimiser on a surface, with the path that it takes.

    Args:
        make: Makes the optimiser from a list of parameters.
        surface: The loss or the residuals.
        start: The starting point.
        name: Name of the optimiser in messages.
    """

    def __init__(
        self,
        make: Callable[[list[nn.Parameter]], Optimizer],
        surface: Surface,
        start: tuple[float, float],
        name: str = "the optimiser",
    ) -> None:
        self.name = name
        self.surface = surface
        self.weights = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.optimizer: Any = make([self.weights])
        self.needs = getattr(self.optimizer, "needs", "gradient")
        if isinstance(self.optimizer, torch.optim.LBFGS):
            self.needs = "backward"
        self.path = Path([], [])
        self.record()

    def follow(self, steps: int, goal: float) -> Path:
        """Take steps until the optimiser stops, and return the path.

        Args:
            steps: Maximum number of steps.
            goal: The loss at which the path ends.
        """
        while self.path.steps < steps and goal < self.path.losses[-1] < math.inf:
            self.step()
            outcome = getattr(self.optimizer, "outcome", None)
            if outcome and outcome.done:
                break
        return self.path

    def step(self) -> None:
        """Take one step and record the new point."""
        if self.needs == "gradient":
            self.differentiate().backward()
            self.optimizer.step()
        else:
            self.optimizer.step(self.closure)
        self.record()

    def closure(self) -> Tensor:
        """Return the loss or the residuals, whichever the optimiser needs.

        Raises:
            ValueError: If it needs residuals, but the surface returns the loss.
        """
        if self.needs == "residuals":
            self.path.evaluations += 1
            residuals = self.surface(self.weights)
            if not residuals.ndim:
                raise ValueError(
                    f"optimizer_paths: {self.name} needs residuals, but the surface returns "
                    "the loss; let it return r, whose loss is Σ r² / 2."
                )
            return residuals
        loss = self.differentiate()
        if self.needs == "backward":
            loss.backward()
        return loss

    def differentiate(self) -> Tensor:
        """Clear the gradient and return the loss."""
        self.path.evaluations += 1
        self.weights.grad = None
        return as_loss(self.surface(self.weights))

    def record(self) -> None:
        """Record the current point and its loss."""
        self.path.points.append(self.weights.tolist())
        self.path.losses.append(loss_of(self.surface, self.weights))


def as_loss(value: Tensor) -> Tensor:
    """Return the loss of a value that is a loss or residuals."""
    return value.square().sum(0) / 2 if value.ndim else value


def loss_of(surface: Surface, w: Tensor) -> float:
    """Return the loss at a point."""
    with torch.no_grad():
        return float(as_loss(surface(w)))


def rosenbrock(w: Tensor) -> Tensor:
    """Return the residuals of Rosenbrock's curved valley, whose minimum is at (1, 1).

    r = (10 (y − x²), 1 − x), so that the loss Σ rᵢ² / 2 is (100 (y − x²)² + (1 − x)²) / 2.

    Shape:
        ``(2, …)`` to ``(2, …)``.

    Args:
        w: (x, y).

    Reference:
        Rosenbrock, "An automatic method for finding the greatest or least value of a function",
        1960.

    Example:
        >>> import torch
        >>> rosenbrock(torch.tensor([-1.5, 1.0])).tolist()
        [-12.5, 2.5]
    """
    return torch.stack([10 * (w[1] - w[0].square()), 1 - w[0]])
