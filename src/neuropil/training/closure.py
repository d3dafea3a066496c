"""The step of algorithms that evaluate the loss several times, such as line searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.training.randomness import global_states, set_global_states
from neuropil.training.update import Group, Parts, Update, evaluation

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim import Optimizer

    from neuropil.training.objective import Objective


@final
class ClosureUpdate(Update):
    """A step of an algorithm that evaluates the loss several times, such as a line search.

    Every evaluation within a step sees the same augmentation and the same random numbers, hence
    the same dropout: otherwise there would be no function to search on.

    Args:
        parts: What the step is made of.
        forward: Gives scores for inputs.
        objective: The loss, as a mean or as residuals.
        algorithm: Moves the weights.
    """

    def __init__(
        self,
        parts: Parts,
        forward: Callable[..., Any],
        objective: Objective,
        algorithm: Optimizer,
    ) -> None:
        self.parts = parts
        self.algorithm = algorithm
        self.needs = needs(algorithm)
        self.residuals = objective.residuals
        self.evaluate = parts.autocast(evaluation(forward, objective.mean))
        check_closure(parts, algorithm)

    @override
    def __call__(self, group: Group) -> None:
        parts = self.parts
        portions = [(parts.augmented(batch), rows) for batch, rows, _ in group]
        weights = parts.weights(group)
        states = global_states(parts.device)
        asked = 0

        def closure() -> Any:
            nonlocal asked
            if asked:
                set_global_states(states, parts.device)
            with torch.enable_grad():
                value = self.value(portions, weights, record=not asked)
            asked += 1
            return value

        self.algorithm.step(closure)
        if parts.project is not None:
            parts.project()

    @override
    def look(self) -> None:
        self.evaluate(*self.parts.batch)

    def value(self, portions: list[Any], weights: list[float], *, record: bool) -> Tensor:
        """Return what the algorithm asks for: the loss, or the residuals."""
        parts = self.parts
        losses: list[Tensor] = []
        residuals: list[Tensor] = []
        for ((inputs, targets), rows), weight in zip(portions, weights, strict=True):
            scores, loss = self.evaluate(inputs, targets)
            losses.append(loss * weight)
            if record:
                parts.record({"loss": loss}, rows, scores, targets)
            if self.needs == "residuals":
                residuals.append(self.residuals(scores, targets))
        if residuals:
            return torch.cat(residuals)
        total = torch.stack(losses).sum()
        if parts.penalty is not None:
            total = total + parts.penalty()
        if self.needs == "backward":
            parts.clear()
            total.backward()
        return total


def needs(algorithm: Optimizer) -> str:
    """Return what an algorithm's step asks for.

    ``"gradient"``, ``"closure"`` (a function that returns the loss), ``"residuals"`` (one that
    returns those), or ``"backward"``: torch's own way, a function that also goes backward.
    """
    if isinstance(algorithm, torch.optim.LBFGS):
        return "backward"
    return getattr(algorithm, "needs", "gradient")


def check_closure(parts: Parts, algorithm: Optimizer) -> None:
    """Refuse what cannot be had together with several evaluations in a step.

    Raises:
        ValueError: When an option needs single gradients.
    """
    refused = {
        "several processes": parts.processes.count > 1,
        "clip_norm": parts.clip_norm is not None,
        "mixed_precision='fp16'": parts.scaler is not None,
        "a regularizer that penalizes": parts.penalty is not None
        and needs(algorithm) == "residuals",
    }
    for option, asked in refused.items():
        if asked:
            raise ValueError(
                f"{type(algorithm).__name__} evaluates the loss several times in a step and "
                f"cannot be combined with {option}."
            )
