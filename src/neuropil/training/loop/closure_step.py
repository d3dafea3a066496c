"""Training step of optimisers that evaluate the loss several times, such as line searches."""

from __future__ import annotations

import functools
import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]  # the only name of all of them
from typing_extensions import override

from neuropil.optim.second_order.curvature_method import CurvatureMethod
from neuropil.training.loop.rewind import Rewind
from neuropil.training.loop.update import Group, Parts, Update, evaluation, evaluation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch.optim import Optimizer

    from neuropil.training.losses.weighted_loss import Objective

# Limits on a portion of residuals: maximum number of rows, maximum number of entries of its
# Jacobian, and minimum number of rows, which takes precedence.
MOST_ROWS, ENTRIES, LEAST_ROWS = 4096, 2**24, 256


@final
@dataclass(eq=False)
class ClosureUpdate(Update):
    """Step of an optimiser that evaluates the loss several times, such as a line search.

    All evaluations of a step use the same augmentation and the same random numbers, hence the
    same dropout: otherwise they would not evaluate the same function. Running statistics of
    batch normalisation are updated once per step.

    Optimisers that take residuals receive them as one vector or, for many examples, as an
    iterable of vectors, each of which must be consumed before the next is computed.

    Args:
        parts: The parts of the step.
        network: The network; a step updates its buffers once.
        forward: Function from inputs to scores.
        objective: The loss, as a mean or as residuals.
        optimizer: The optimiser.
    """

    parts: Parts
    network: nn.Module
    forward: Callable[..., Any]
    objective: Objective
    optimizer: Optimizer

    def __post_init__(self) -> None:
        parts, forward, objective = self.parts, self.forward, self.objective
        self.needs = needs(self.optimizer)
        residuals = objective.residuals
        self.evaluate = parts.autocast(evaluation_of(forward, objective))
        self.evaluate_residuals = parts.autocast(evaluation(forward, residuals, residuals))
        self.buffers = list(self.network.buffers())
        self.joint = [module for module in self.network.modules() if mixes_rows(module)]
        self.size = sum(p.numel() for p in parts.parameters if p.requires_grad)
        self.rewind = Rewind((), parts.device)
        check_closure(parts, self.optimizer)

    @override
    def __call__(self, group: Group) -> None:
        parts = self.parts
        batches = [(parts.augment_batch(batch), rows) for batch, rows, _ in group]
        weights = parts.weights(group)
        rewind = self.rewind = Rewind(self.buffers, parts.device)

        def closure() -> Any:
            rewind.begin()
            record = rewind.evaluations == 1
            if self.needs == "residuals":
                vectors = self.residuals(batches, record=record)
                return concatenate(list(vectors)) if self.fits(batches) else vectors
            with torch.enable_grad():
                return self.loss(batches, weights, record=record)

        self.optimizer.step(closure)
        rewind.end()
        if parts.project is not None:
            parts.project()

    @override
    def repeat(self) -> None:
        self.evaluate(*self.parts.batch)

    def end_reason(self) -> str:
        """Return why another step on the same examples would change nothing, or ``""``."""
        outcome = getattr(self.optimizer, "outcome", None)
        if outcome is None or not outcome.done:
            return ""
        # Other random numbers would make it another function.
        varied = self.parts.augment is not None or self.rewind.has_drawn()
        return "" if varied else str(outcome)

    # For optimisers that take a loss

    def loss(self, batches: list[Any], weights: list[float], *, record: bool) -> Tensor:
        """Return the mean loss over all batches of a step, plus the penalty."""
        parts = self.parts
        losses: list[Tensor] = []
        for (batch, rows), weight in zip(batches, weights, strict=True):
            scores, loss = self.evaluate(*batch)
            losses.append(loss * weight)
            if record:
                self.record(loss, rows, scores, *batch[1:])
        total = torch.stack(losses).sum()
        if parts.penalty is not None:
            total = total + parts.penalty()
        if self.needs == "backward":
            parts.clear()
            total.backward()
        return total

    # For optimisers that take residuals

    def residuals(self, batches: list[Any], *, record: bool) -> Iterator[Tensor]:
        """Yield the residuals portion by portion, and finally those of the penalty."""
        parts, objective = self.parts, self.objective
        examples, share = 0, 1.0
        for batch, _ in batches:
            for columns, goal, *weights in self.portions(*batch):
                with torch.enable_grad():
                    scores, vector = self.evaluate_residuals(columns, goal, *weights)
                rows = len(goal)
                examples, share = examples + rows, objective.share(scores)
                if record:
                    mean = objective.weighted if weights else objective.mean
                    with torch.no_grad():
                        loss = mean(scores, goal, *weights)
                    self.record(loss, rows, scores, goal, *weights)
                yield vector
                del vector, scores
        if parts.root is not None:
            with torch.enable_grad():
                vector = math.sqrt(2 * share * examples) * parts.root()
            yield vector

    def record(
        self, loss: Tensor, rows: int, scores: Any, targets: Any, *weights: Tensor
    ) -> None:
        """Record the loss of some examples."""
        objective = self.objective
        values = {"loss": objective.per_example(loss, rows)}
        total = objective.total_weight(targets, *weights)
        self.parts.record(values, rows, scores, targets, total)

    def portions(self, inputs: Any, targets: Any, *weights: Tensor) -> Iterator[Any]:
        """Yield a batch in portions, to bound the memory of an evaluation."""
        count = self.cuts(inputs, targets)
        if count == 1:
            yield inputs, targets, *weights
            return
        columns = inputs if isinstance(inputs, tuple) else (inputs,)
        width = len(columns)
        for part in zip(*(c.chunk(count) for c in (*columns, targets, *weights)), strict=True):
            yield part[:width] if isinstance(inputs, tuple) else part[0], *part[width:]

    def cuts(self, inputs: Any, targets: Any) -> int:
        """Return the number of portions of a batch; 1 if its rows depend on one another."""
        columns = inputs if isinstance(inputs, tuple) else (inputs,)
        if not all(isinstance(column, Tensor) for column in (*columns, targets)):
            return 1
        if any(module.training for module in self.joint):
            return 1
        # All chunks but the last have the same length, so there may be fewer than requested.
        length = -(-len(targets) // -(-len(targets) // self.rows(columns)))
        return -(-len(targets) // length)

    def rows(self, columns: tuple[Any, ...]) -> int:
        """Return the maximum number of examples in a portion."""
        width = sum(column[:1].numel() for column in columns)
        return max(LEAST_ROWS, min(MOST_ROWS, ENTRIES // max(1, self.size, width)))

    def fits(self, batches: list[Any]) -> bool:
        """Return whether all residuals fit in one vector; those of a penalty stay separate."""
        if self.parts.root is not None:
            return False
        cuts = [self.cuts(inputs, targets) for (inputs, targets, *_), _ in batches]
        return cuts == [1] or (max(cuts) == 1 and sum(r for _, r in batches) <= LEAST_ROWS)


def concatenate(vectors: list[Tensor]) -> Tensor:
    """Return the vectors as one."""
    return vectors[0] if len(vectors) == 1 else torch.cat(vectors)


def mixes_rows(module: nn.Module) -> bool:
    """Return whether a module's output for a row depends on the other rows while training."""
    return isinstance(module, _BatchNorm) or getattr(module, "running_mean", None) is not None


def needs(optimizer: Any) -> str:
    """Return the kind of evaluation that the step of an optimiser or optimiser class needs.

    ``"gradient"``, ``"closure"`` (a function that returns the loss), ``"residuals"`` (a
    function that returns residuals), or ``"backward"`` (torch's convention: a function that
    returns the loss and also calls backward).
    """
    if issubclass(kind_of(optimizer), torch.optim.LBFGS):
        return "backward"
    return getattr(without_options(optimizer), "needs", "gradient")


def takes_all(optimizer: Any) -> bool:
    """Return whether an optimiser or optimiser class needs all examples in every step."""
    return getattr(without_options(optimizer), "full_batch", needs(optimizer) != "gradient")


def without_options(optimizer: Any) -> Any:
    """Return the class in a partial of an optimiser class; anything else unchanged."""
    return optimizer.func if isinstance(optimizer, functools.partial) else optimizer


def kind_of(optimizer: Any) -> Any:
    """Return the class of an optimiser, optimiser class, or partial of a class."""
    optimizer = without_options(optimizer)
    return optimizer if isinstance(optimizer, type) else type(optimizer)


def check_lr(name: str, optimizer: Any, lr: float | None) -> None:
    """Refuse a learning rate for an optimiser that has none.

    Raises:
        ValueError: If the optimiser has no learning rate and `lr` is given.
    """
    if lr is not None and "lr" not in inspect.signature(optimizer).parameters:
        raise ValueError(f"{name} determines its own step size and has no lr, got {lr!r}.")


def default_epochs(optimizer: Any) -> int:
    """Return the default number of epochs for an optimiser or optimiser class.

    For optimisers that use all examples in every step this is also the number of steps; most
    converge earlier.
    """
    if not takes_all(optimizer):
        return 50
    curved = issubclass(kind_of(optimizer), CurvatureMethod)
    return 100 if curved or needs(optimizer) == "residuals" else 500


def check_closure(parts: Parts, optimizer: Optimizer) -> None:
    """Refuse options that do not work with several evaluations per step.

    Raises:
        ValueError: If there is such an option.
    """
    refused = {
        "several processes": parts.processes.count > 1,
        "clip_norm": parts.clip_norm is not None,
        "mixed_precision='fp16'": parts.scaler is not None,
        "a penalty that is not a sum of squares, such as l1": parts.penalty is not None
        and parts.root is None
        and needs(optimizer) == "residuals",
    }
    for option, asked in refused.items():
        if asked:
            raise ValueError(
                f"{type(optimizer).__name__} evaluates the loss several times in a step and "
                f"cannot be combined with {option}."
            )
