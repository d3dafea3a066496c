"""The default training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

import torch
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from typing_extensions import override

from neuropil.training.loop.backward import backward_on, own_backward
from neuropil.training.loop.batches import Portion
from neuropil.training.metrics.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor
    from torch.optim import Optimizer

    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective
    from neuropil.training.metrics.base import Metric
    from neuropil.training.trainer_options import Options

# A step takes one batch, or several whose gradients are accumulated.
Group = tuple[Portion, ...]


class Update(Protocol):
    """A training step."""

    parts: Parts

    def __call__(self, group: Group) -> None:
        """Train on some batches."""
        ...

    def repeat(self) -> None:
        """Repeat the forward pass on the current batch, without training."""
        ...


@final
@dataclass(eq=False)
class GradientUpdate(Update):
    """The default step: forward pass, backward pass, optimiser step.

    Args:
        parts: The parts of the step.
        forward: Function from inputs to scores.
        objective: The mean loss as a function of scores and targets.
        optimizer: The optimiser.
        unsynchronized: Returns a context in which gradients are accumulated without an
            exchange between the processes.
    """

    parts: Parts
    forward: Callable[..., Any]
    objective: Objective
    optimizer: Optimizer
    unsynchronized: Callable[[], AbstractContextManager[Any]]

    def __post_init__(self) -> None:
        parts = self.parts
        self.trained = [p for g in self.optimizer.param_groups for p in g["params"]]
        self.evaluate = parts.autocast(evaluation_of(self.forward, self.objective))
        self.weighs = parts.accumulate > 1 or parts.processes.count > 1
        self.backward = backward_on(parts.device, parts.processes.count)

    @override
    def __call__(self, group: Group) -> None:
        parts = self.parts
        parts.clear()
        if not self.weighs:
            batch, rows, _ = group[0]
            self.learn(parts.augment_batch(batch), rows, 1.0)
        else:
            batches = [(parts.augment_batch(batch), rows) for batch, rows, _ in group]
            totals = [self.objective.total_weight(*batch[1:]) for batch, _ in batches]
            weights = parts.weights(group, totals)
            *first, last = zip(batches, weights, strict=True)
            with self.unsynchronized():
                for own, weight in first:
                    self.learn(*own, weight)
            self.learn(*last[0], last[1])
        parts.apply(self.optimizer, self.trained)
        parts.rescale()

    def learn(self, batch: Any, rows: int, weight: float) -> None:
        """Accumulate the gradient of one batch.

        Args:
            batch: The batch, augmented.
            rows: Its number of examples.
            weight: The weight of its loss.

        Raises:
            own_backward: A TypeError if the loss function called backward.
        """
        parts = self.parts
        parts.batch, parts.processes.idle = batch, not rows
        scores, loss = self.evaluate(*batch)
        values = {"loss": self.objective.per_example(loss, rows)}
        total = loss
        if parts.penalty is not None:
            values["penalty"] = penalty = parts.penalty()
            total = loss + penalty
        try:
            self.backward(parts.scale(total, weight))
        except RuntimeError as error:
            raise own_backward(error) from None
        parts.record(values, rows, scores, batch[1], self.objective.total_weight(*batch[1:]))

    @override
    def repeat(self) -> None:
        own = self.forward
        # Wrapped, it would wait for the other processes, which do not repeat the step.
        own = own.module if isinstance(own, DistributedDataParallel) else own
        self.parts.autocast(evaluation_of(own, self.objective))(*self.parts.batch)


def identity(scores: Any) -> Any:
    """Return the scores unchanged."""
    return scores


class Parts:
    """The parts that all kinds of steps share.

    Args:
        options: The options of the trainer.
        learner: The learner.

    Attributes:
        parameters: The parameters whose gradients are cleared before each step.
        processes: The processes that train the network together.
        device: Device of the network.
        augment: Augments each batch, or None.
        generator: Generator of the augmentation.
        penalty: Returns the penalty to add to the loss, or None.
        root: Returns a vector u with ‖u‖² = penalty; None if it is not a sum of squares.
        project: Projects the weights after each step, or None.
        clip_norm: Maximum norm of the gradient over all weights, or None.
        scaler: Gradient scaler for half precision, or None.
        autocast: Decorator that runs a function in mixed precision, if that is on.
        accumulate: Number of batches per step.
        mixes: Whether augmentation may mix classes, which metrics do not support.
        adds: Whether the loss of a batch is a sum over its examples, not their mean.
        metrics: The metrics.
        meter: The figures of this epoch.
        steps: Number of steps done.
        batch: The current batch, kept to explain errors.
        values: The scalars of the last batch by name.
        skipped: Whether the last step was skipped because half precision overflowed.
        main: Selects the scores that metrics take.
    """

    def __init__(self, options: Options, learner: Learner) -> None:
        self.parameters = learner.parameters
        self.processes, self.device = learner.processes, learner.device
        self.augment, self.generator = options.augment, learner.randomness.augmentation
        wanted = options.regularizer
        bound = None if wanted is None else wanted.bind(learner.module)
        cost = bound if bound is not None and bound.penalizes else None
        self.penalty: Callable[[], Tensor] | None = None if cost is None else cost.penalty
        self.root = cost.root if cost is not None and cost.squares else None
        self.project = bound.project if bound is not None and bound.projects else None
        self.clip_norm, self.accumulate = options.clip_norm, options.accumulate
        self.scaler, self.autocast = learner.scaler, options.autocast(learner.device)
        self.mixes, self.adds, self.skipped = False, False, False
        self.metrics: tuple[Metric, ...] = ()
        self.meter = Meter()
        self.steps = 0
        self.batch: Any = None
        self.values: dict[str, Tensor] = {}
        self.main: Callable[[Any], Any] = identity

    def weights(self, group: Group, totals: Sequence[Tensor | None] = ()) -> list[float]:
        """Return the weight of each batch, so that every example counts the same.

        Gradients are averaged over the processes, hence the factor `count`.

        Args:
            group: The batches of a step.
            totals: The weight of each batch in the mean, if it is not its number of examples.
        """
        count = self.processes.count
        if self.adds:
            return [float(count * bool(rows)) for _, rows, _ in group]
        if any(total is not None for total in totals):
            own = [
                float(rows if total is None or not rows else total)
                for (_, rows, _), total in zip(group, totals, strict=True)
            ]
            joint = self.processes.sum(torch.tensor(sum(own), device=self.device)).item()
            return [weight * count / joint if joint else 0.0 for weight in own]
        joint = sum(portion[2] for portion in group)
        return [rows * count / joint for _, rows, _ in group]

    def augment_batch(self, batch: Any) -> Any:
        """Return a batch after augmentation, and store it as the current one."""
        if self.augment is not None:
            inputs, targets, *weights = batch if isinstance(batch, tuple) else (batch, None)
            inputs, targets = self.augment(inputs, targets, self.generator)
            batch = (inputs, targets, *weights) if isinstance(batch, tuple) else inputs
        self.batch = batch
        return batch

    def record(
        self,
        values: dict[str, Tensor],
        rows: int,
        scores: Any = None,
        targets: Any = None,
        weight: Tensor | None = None,
    ) -> None:
        """Record the figures of a batch; one without own rows is not counted."""
        self.values = values
        if rows:
            meter = self.meter
            meter.add(values, rows, self.steps, weight)
            if meter.metrics:
                if self.mixes and targets.ndim > 1 and targets.is_floating_point():
                    targets = targets.argmax(dim=1)
                meter.keep(self.main(scores), targets)

    def clear(self) -> None:
        """Clear all gradients; `Optimizer.zero_grad` takes twenty times as long."""
        for parameter in self.parameters:
            parameter.grad = None

    def apply(self, optimizer: Optimizer, parameters: list[Tensor]) -> None:
        """Clip the gradients, take the optimiser step, and project the weights."""
        scaler = self.scaler
        if self.clip_norm is not None:
            if scaler is not None:
                scaler.unscale_(optimizer)
            clip_grad_norm_(parameters, self.clip_norm)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
        if self.project is not None:
            self.project()

    def rescale(self) -> None:
        """Update the gradient scaler after a step."""
        if self.scaler is not None:
            before = self.scaler.get_scale()
            self.scaler.update()
            self.skipped = self.scaler.get_scale() < before

    def scale(self, loss: Tensor, weight: float) -> Tensor:
        """Return a loss multiplied by its weight and the scale of half precision."""
        if weight != 1.0:
            loss = loss * weight
        return loss if self.scaler is None else self.scaler.scale(loss)


def evaluation_of(
    forward: Callable[..., Any], objective: Objective
) -> Callable[..., tuple[Any, Tensor]]:
    """Return a function from a batch to scores and mean loss."""
    return evaluation(forward, objective.mean, objective.weighted)


def evaluation(
    forward: Callable[..., Any],
    loss: Callable[[Any, Any], Tensor],
    weighted: Callable[[Any, Any, Tensor], Tensor],
) -> Callable[..., tuple[Any, Tensor]]:
    """Return a function from inputs, targets and perhaps weights to scores and loss.

    Args:
        forward: Function from inputs to scores.
        loss: Function from scores and targets.
        weighted: Function from scores, targets and weights.
    """

    def evaluate(
        inputs: Any, targets: Any, weights: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        scores = forward(*inputs) if type(inputs) is tuple else forward(inputs)
        if weights is None:
            return scores, loss(scores, targets)
        return scores, weighted(scores, targets, weights)

    return evaluate
