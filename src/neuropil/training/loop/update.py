"""One step of a training: from some batches to changed weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, final

import torch
from torch import Generator, Tensor
from torch.nn.utils import clip_grad_norm_
from typing_extensions import override

from neuropil.optim.batch_method import TWICE
from neuropil.training.loop.batches import Portion
from neuropil.training.metrics.meter import Meter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch.optim import Optimizer

    from neuropil.training.metrics.base import Metric
    from neuropil.training.processes import Processes

Augment = Callable[[Any, Any, Generator], tuple[Any, Any]]
# A step takes one batch, or several whose gradients are added up.
Group = tuple[Portion, ...]


class Update(Protocol):
    """One step, given its batches."""

    parts: Parts

    def __call__(self, group: Group) -> None:
        """Train on some batches."""
        ...

    def look(self) -> None:
        """Run the batch at hand forward once more, training nothing."""
        ...


@final
class GradientUpdate(Update):
    """The usual step: forward, backward, and the optimiser moves along the gradient.

    Args:
        parts: What the step is made of.
        forward: Gives scores for inputs.
        mean: Gives the mean loss for scores and targets.
        optimizer: Moves the weights.
        unsynchronized: Gives a context in which gradients add up before the processes exchange
            them.
    """

    def __init__(
        self,
        parts: Parts,
        forward: Callable[..., Any],
        mean: Callable[[Any, Any], Tensor],
        optimizer: Optimizer,
        unsynchronized: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self.parts = parts
        self.unsynchronized = unsynchronized
        self.optimizer = optimizer
        self.trained = [p for g in optimizer.param_groups for p in g["params"]]
        self.evaluate = parts.autocast(evaluation(forward, mean))
        self.weighs = parts.accumulate > 1 or parts.processes.count > 1
        self.backward = backward_on(parts)

    @override
    def __call__(self, group: Group) -> None:
        parts = self.parts
        parts.clear()
        if not self.weighs:
            self.learn(group[0], 1.0)
        else:
            weights = parts.weights(group)
            with self.unsynchronized():
                for portion, weight in zip(group[:-1], weights[:-1], strict=True):
                    self.learn(portion, weight)
            self.learn(group[-1], weights[-1])
        parts.apply(self.optimizer, self.trained)
        parts.rescale()

    def learn(self, portion: Portion, weight: float) -> None:
        """Add the gradient of one batch.

        Raises:
            own_backward: A TypeError when the loss called backward itself.
        """
        parts = self.parts
        batch, rows, _ = portion
        inputs, targets = parts.augment_batch(batch)
        scores, loss = self.evaluate(inputs, targets)
        values = {"loss": loss}
        total = loss
        if parts.penalty is not None:
            values["penalty"] = penalty = parts.penalty()
            total = loss + penalty
        try:
            self.backward(parts.scale(total, weight))
        except RuntimeError as error:
            raise own_backward(error) from None
        parts.record(values, rows, scores, targets)

    @override
    def look(self) -> None:
        self.evaluate(*self.parts.batch)


def own_backward(error: RuntimeError) -> Exception:
    """Return what to say of an error on the way back."""
    if TWICE not in str(error):
        return error
    return TypeError("the loss called backward itself: leave that to the trainer.")


def identity(scores: Any) -> Any:
    """Return scores as they are."""
    return scores


@dataclass
class Parts:
    """What every kind of step is made of.

    Attributes:
        parameters: Whose gradients are cleared before each step.
        processes: Who else trains this network.
        device: Where it is.
        augment: Changes each batch, or None.
        generator: Where `augment` draws from.
        penalty: Gives what is added to the loss, or None.
        root: Gives a vector u with ‖u‖² the penalty, or None where that is no sum of squares.
        project: Runs after each step, or None.
        clip_norm: Largest norm of the gradient over all weights, or None.
        scaler: Scales the loss for half precision, or None.
        autocast: Runs a function in mixed precision, or as it is.
        accumulate: How many batches make a step.
        mixes: Whether augmentation may mix classes, which metrics do not know.
        metrics: What is measured beside the loss.
        meter: Where the figures of this epoch go.
        steps: Steps done.
        batch: The batch at hand, to be looked at when something goes wrong.
        values: What the last batch gave, scalars by name.
        skipped: Whether the last step was left out because half precision overflowed.
        main: Picks the scores that metrics see.
    """

    parameters: list[Tensor]
    processes: Processes
    device: torch.device
    augment: Augment | None
    generator: Generator
    penalty: Callable[[], Tensor] | None
    project: Callable[[], None] | None
    clip_norm: float | None
    scaler: torch.amp.GradScaler | None
    autocast: Callable[[Callable[..., Any]], Callable[..., Any]]
    accumulate: int
    mixes: bool = False
    metrics: tuple[Metric, ...] = ()
    meter: Meter = field(default_factory=Meter)
    steps: int = 0
    batch: Any = None
    values: dict[str, Tensor] = field(default_factory=dict)
    skipped: bool = False
    main: Callable[[Any], Any] = identity
    root: Callable[[], Tensor] | None = None

    def weights(self, group: Group) -> list[float]:
        """Return what each batch counts, so that every example counts the same.

        Gradients are averaged over the processes, hence the factor.
        """
        joint = sum(portion[2] for portion in group)
        return [rows * self.processes.count / joint for _, rows, _ in group]

    def augment_batch(self, batch: Any) -> Any:
        """Return a batch as it is to be learnt."""
        if self.augment is not None:
            inputs, targets = batch if isinstance(batch, tuple) else (batch, None)
            inputs, targets = self.augment(inputs, targets, self.generator)
            batch = (inputs, targets) if isinstance(batch, tuple) else inputs
        self.batch = batch
        return batch

    def record(self, values: dict[str, Tensor], rows: int, scores: Any, targets: Any) -> None:
        """Write down what a batch gave; a stand-in that counts nothing leaves no trace."""
        self.values = values
        if rows:
            meter = self.meter
            meter.add(values, rows, self.steps)
            if meter.metrics:
                if self.mixes and targets.ndim > 1 and targets.is_floating_point():
                    targets = targets.argmax(dim=1)
                meter.keep(self.main(scores), targets)

    def clear(self) -> None:
        """Forget all gradients; an optimiser's own way takes twenty times as long."""
        for parameter in self.parameters:
            parameter.grad = None

    def apply(self, optimizer: Optimizer, parameters: list[Tensor]) -> None:
        """Let an optimiser change the weights by the gradients that are there."""
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
        """Fit the scale of half precision to how the step went."""
        if self.scaler is not None:
            before = self.scaler.get_scale()
            self.scaler.update()
            self.skipped = self.scaler.get_scale() < before

    def scale(self, loss: Tensor, weight: float) -> Tensor:
        """Return a loss with its weight and the scale of half precision."""
        if weight != 1.0:
            loss = loss * weight
        return loss if self.scaler is None else self.scaler.scale(loss)


def backward_on(parts: Parts) -> Callable[[Tensor], None]:
    """Return the way back that costs least: on the CPU, where it matters, without checks.

    `Tensor.backward` looks at what it is given for as long as a small network takes to go back.
    Here it is always the same: a scalar.
    """
    engine = getattr(torch.autograd.Variable, "_execution_engine", None)
    if engine is None or parts.device.type != "cpu" or parts.processes.count > 1:
        return Tensor.backward
    ones: dict[torch.dtype, Tensor] = {}

    def backward(loss: Tensor) -> None:
        one = ones.get(loss.dtype)
        if one is None:
            one = ones[loss.dtype] = torch.ones((), dtype=loss.dtype)
        engine.run_backward(
            (loss,),
            (one,),
            keep_graph=False,
            create_graph=False,
            inputs=(),
            allow_unreachable=True,
            accumulate_grad=True,
        )

    return backward


def evaluation(
    forward: Callable[..., Any], mean: Callable[[Any, Any], Tensor]
) -> Callable[[Any, Any], tuple[Any, Tensor]]:
    """Return a function from inputs and targets to scores and mean loss."""

    def evaluate(inputs: Any, targets: Any) -> tuple[Any, Tensor]:
        scores = forward(*inputs) if type(inputs) is tuple else forward(inputs)
        return scores, mean(scores, targets)

    return evaluate
