"""An optimiser on a loss of two weights, followed step by step."""

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


def path_of(
    make: Callable[[list[nn.Parameter]], Optimizer],
    surface: Surface,
    start: tuple[float, float],
    steps: int,
    goal: float,
    name: str = "the optimiser",
) -> Path:
    """Return the way of an optimiser.

    Args:
        make: Makes the optimiser from a list of parameters.
        surface: The loss or the residuals.
        start: Where it begins.
        steps: At most so many.
        goal: The loss that ends it.
        name: What it is called in messages.
    """
    walk = Walk(make, surface, start, name)
    path = walk.path
    while path.steps < steps and goal < path.losses[-1] < math.inf:
        walk.step()
        if getattr(walk.optimizer, "outcome", None) and walk.optimizer.outcome.done:
            break
    return path


@final
@dataclass
class Path:
    """The way of one optimiser.

    Args:
        points: Where it stood before its first step and after each, ``(steps + 1, 2)``.
        losses: The loss there.
        evaluations: How often it asked for the loss or the residuals.
    """

    points: list[list[float]]
    losses: list[float]
    evaluations: int = 0

    @property
    def steps(self) -> int:
        """How many steps it took."""
        return len(self.points) - 1


@final
class Walk:
    """An optimiser on a surface, asked for step after step.

    Args:
        make: Makes the optimiser from a list of parameters.
        surface: The loss or the residuals.
        start: Where it begins.
        name: What it is called in messages.
    """

    def __init__(
        self,
        make: Callable[[list[nn.Parameter]], Optimizer],
        surface: Surface,
        start: tuple[float, float],
        name: str,
    ) -> None:
        self.name = name
        self.surface = surface
        self.weights = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.optimizer: Any = make([self.weights])
        self.needs = getattr(self.optimizer, "needs", "gradient")
        if isinstance(self.optimizer, torch.optim.LBFGS):
            self.needs = "backward"
        self.path = Path([], [])
        self.note()

    def step(self) -> None:
        """Take a step and write down where it led."""
        if self.needs == "gradient":
            self.differentiate().backward()
            self.optimizer.step()
        else:
            self.optimizer.step(self.closure)
        self.note()

    def closure(self) -> Tensor:
        """Return what the optimiser asks for.

        Raises:
            ValueError: When it needs residuals, and the surface gives the loss.
        """
        if self.needs == "residuals":
            self.path.evaluations += 1
            residuals = self.surface(self.weights)
            if not residuals.ndim:
                raise ValueError(
                    f"optimizer_paths: {self.name} needs residuals, and the surface gives the "
                    f"loss: let it give r, whose loss is Σ r² / 2."
                )
            return residuals
        loss = self.differentiate()
        if self.needs == "backward":
            loss.backward()
        return loss

    def differentiate(self) -> Tensor:
        """Return the loss, all gradients cleared."""
        self.path.evaluations += 1
        self.weights.grad = None
        return as_loss(self.surface(self.weights))

    def note(self) -> None:
        """Write down where it stands."""
        self.path.points.append(self.weights.tolist())
        self.path.losses.append(loss_of(self.surface, self.weights))


def as_loss(value: Tensor) -> Tensor:
    """Return the loss, be it given as such or as residuals."""
    return value.square().sum(0) / 2 if value.ndim else value


def loss_of(surface: Surface, w: Tensor) -> float:
    """Return the loss at a place."""
    with torch.no_grad():
        return float(as_loss(surface(w)))


def rosenbrock(w: Tensor) -> Tensor:
    """Return the residuals of Rosenbrock's curved valley, whose end is at (1, 1).

    r = (10 (y − x²), 1 − x), so that the loss Σ rᵢ² / 2 is (100 (y − x²)² + (1 − x)²) / 2.

    Shape:
        ``(2, …)`` to the same.

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
