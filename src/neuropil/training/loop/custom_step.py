"""Custom training steps."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.batch_method import TWICE
from neuropil.training.loop.closure_step import needs
from neuropil.training.loop.update import Group, Parts, Update
from neuropil.training.nonfinite import NotFinite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch.optim import Optimizer

# The result of a custom step for a batch: scalars by name.
Values = dict[str, Tensor]


@final
@dataclass(eq=False)
class CustomUpdate(Update):
    """A step written by the user, which may train several networks in turn.

    Args:
        parts: The parts of the step.
        optimizers: The optimisers by name.
        step: The user's function, bound to the trainer.
        idle: The same function, with `minimize` switched off.
    """

    parts: Parts
    optimizers: dict[str, Optimizer]
    step: Callable[[Any], Values]
    idle: Callable[[Any], object]

    def __post_init__(self) -> None:
        optimizers = self.optimizers
        self.step = self.parts.autocast(self.step)
        self.trained = {
            name: [p for g in optimizer.param_groups for p in g["params"] if p.requires_grad]
            for name, optimizer in optimizers.items()
        }
        self.searching = {name for name, a in optimizers.items() if needs(a) != "gradient"}
        self.begun: set[str] = set()
        self.asked: set[str] = set()
        self.weight, self.last = 1.0, True

    @override
    def __call__(self, group: Group) -> None:
        parts = self.parts
        parts.clear()
        self.begun.clear()
        weights = parts.weights(group)
        for position, ((batch, rows, _), weight) in enumerate(zip(group, weights, strict=True)):
            self.weight, self.last = weight, position == len(group) - 1
            parts.processes.idle = not rows
            self.asked.clear()
            values = check_values(self.step(parts.augment_batch(batch)))
            loss = values.get("loss")
            if not self.asked and loss is not None and loss.requires_grad:
                self.minimize(loss, None)
            parts.record(values, rows)
        if self.begun:
            parts.rescale()

    @override
    def repeat(self) -> None:
        self.idle(self.parts.batch)

    def minimize(self, loss: Tensor, name: str | None) -> None:
        """Take a step of one optimiser on a loss.

        Raises:
            TypeError: If the step called backward on the loss.
            ValueError: If the name is unknown, the optimiser evaluates the loss several times
                per step, or it is used twice for a batch while gradients are accumulated.
            NotFinite: If the loss is not finite.
        """
        name = self.known(name)
        if name in self.searching:
            raise ValueError(
                f"{type(self.optimizers[name]).__name__} evaluates the loss several times per "
                f"step, and trainer.minimize takes its value: call its step with a closure "
                f"yourself, or use the default step of the trainer."
            )
        parts, parameters = self.parts, self.trained[name]
        if parts.accumulate > 1 and name in self.asked:
            raise ValueError(
                f"with accumulate={parts.accumulate} a step can minimise only one loss with "
                f"{name!r}: add the losses, or use accumulate=1."
            )
        if parts.meter.waits and not torch.isfinite(loss):
            raise NotFinite(f"the loss is {loss.item()}", parts.steps)
        if name not in self.begun or name in self.asked:
            for parameter in parameters:
                parameter.grad = None
        self.begun.add(name)
        self.asked.add(name)
        if parts.penalty is not None:
            loss = loss + parts.penalty()
        # Gradients for these parameters only: the loss of one network depends on others too.
        with graph_of(loss):
            parts.scale(loss, self.weight).backward(inputs=parameters)
        if self.last:
            parts.processes.average_gradients(parameters)
            parts.apply(self.optimizers[name], parameters)

    def known(self, name: str | None) -> str:
        """Return the name of an optimiser; by default the only one.

        Raises:
            ValueError: If the name is unknown.
        """
        if name is None and len(self.optimizers) == 1:
            return next(iter(self.optimizers))
        if name not in self.optimizers:
            raise ValueError(
                f"minimize needs the name of an optimiser, one of {list(self.optimizers)}, got "
                f"{name!r}."
            )
        return name


@contextlib.contextmanager
def graph_of(loss: Tensor) -> Iterator[None]:
    """Report in one line that the graph of a loss was already freed.

    Raises:
        TypeError: If backward was called on the loss before.
        RuntimeError: For any other error inside the context.
    """
    try:
        yield
    except RuntimeError as error:
        if TWICE not in str(error):
            raise
        raise TypeError(
            f"backward was already called on the loss ({loss.item():g}): the trainer does "
            f"that. Return the loss itself, or detach it if it should not be minimised."
        ) from None


def check_values(values: Any) -> Values:
    """Return the result of a custom step after checking that it is scalars by name.

    Raises:
        TypeError: If it is something else.
    """
    if not isinstance(values, dict):
        raise TypeError(
            f"a step must return a dict of scalars by name, got a {type(values).__name__}."
        )
    for name, value in values.items():
        if not isinstance(value, Tensor) or value.numel() != 1:
            got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"a step must return scalar tensors; {name!r} is {got}.")
    return {name: value.squeeze() for name, value in values.items()}
