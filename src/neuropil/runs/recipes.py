"""Good defaults: which network, and how it is trained, for the data at hand."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.analysis import cost
from neuropil.architectures import dense, small_convolutional
from neuropil.architectures.default_networks import last_layer
from neuropil.datasets import augmentation
from neuropil.layers import Flatten, Input, Tanh
from neuropil.training.callbacks import BestWeights
from neuropil.training.loop.closure_step import default_epochs, takes_all
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.training.callbacks import Callback

# How many multiply–adds a default training may take: about 90 seconds on two processor cores.
BUDGET = 2.5e12
# Fewer examples than this are few.
FEW = 5000
# How many steps a table is trained for: some seconds, whatever the table's size.
TABLE_STEPS = 6000
# An optimiser that takes all examples at once, and often a matrix of all pairs of weights, gets
# a layer of about so many weights, of no fewer and no more units than these.
WEIGHTS, LEAST_UNITS, MOST_UNITS = 600, 5, 32
# A step forward and back takes three times the multiply–adds of a step forward.
TRAINING_FACTOR = 3


@dataclass(frozen=True)
class Recipe:
    """A network and how to train it.

    Args:
        network: The network, built.
        optimizer: Name of the optimiser.
        lr: Its learning rate; the highest, where there is a schedule; None where it has none.
        weight_decay: Share of each weight taken off at each step, times the learning rate; None
            where the optimiser knows no such thing.
        schedule: Name of the learning rate's schedule over the whole training, or None.
        epochs: Passes over the training part.
        batch_size: Examples a step.
        loss: Name of the loss.
        augment: What is done to each training batch, or None.
        ema: Decay of the averaged weights, or None.
        metrics: Names of the figures to follow.
        keep_best: Whether the weights that validated best are kept, not the last.

    Example:
        >>> from neuropil import datasets
        >>> recipe(datasets.load_handwritten_digits()).optimizer
        'adamw'
    """

    network: Network
    optimizer: str
    lr: float | None
    weight_decay: float | None
    schedule: str | None
    epochs: int
    batch_size: int
    loss: str
    augment: Callable[..., Any] | None
    ema: float | None
    metrics: tuple[str, ...]
    keep_best: bool = False

    def trainer(self, callbacks: Sequence[Callback] = (), **options: Any) -> Trainer:
        """Return the trainer that carries this out.

        Args:
            callbacks: What else runs beside it.
            **options: Further options of `Trainer`.
        """
        optimizer = optim.by_name(self.optimizer)
        own = {"lr": self.lr, "weight_decay": self.weight_decay}
        own = {name: value for name, value in own.items() if value is not None}
        return Trainer(
            self.network,
            loss=self.loss,
            optimizer=lambda params: optimizer(params, **own),
            metrics=self.metrics,
            callbacks=[*([BestWeights()] if self.keep_best else ()), *callbacks],
            schedule=self.schedule,
            augment=self.augment,
            ema=self.ema,
            **options,
        )


def recipe(
    splits: Splits, network: Network | None = None, optimizer: str | None = None
) -> Recipe:
    """Return good defaults for data: a network that fits it, and how to train that.

    Pictures get a small convolutional network, everything else a dense one. The number of
    epochs follows from the cost of the network and the number of examples, so that training
    ends within about a minute and a half on two processor cores.

    Args:
        splits: The data.
        network: The network, where it is chosen already.
        optimizer: Name of the optimiser, where it is. One that takes all examples in
            every step gets a smaller network without dropout.

    Example:
        >>> from neuropil import datasets
        >>> recipe(datasets.load_handwritten_digits()).network.output_shape
        (10,)
    """
    pictures = len(splits.input_shape) == 3
    if optimizer is not None and takes_all(optim.by_name(optimizer)):
        return full_batch_recipe(splits, network, optimizer)
    made = picture_recipe(splits, network) if pictures else table_recipe(splits, network)
    if optimizer is None:
        return made
    # What is good for one optimiser is not for another.
    return replace(made, optimizer=optimizer, **own_rates(optimizer))


def own_rates(optimizer: str) -> dict[str, Any]:
    """Return the learning rate and weight decay that an optimiser has by itself, or None."""
    own = inspect.signature(optim.by_name(optimizer)).parameters
    return {n: own[n].default if n in own else None for n in ("lr", "weight_decay")}


def full_batch_recipe(splits: Splits, network: Network | None, optimizer: str) -> Recipe:
    """Return the defaults for an optimiser that takes all examples in every step."""
    if network is None and len(splits.input_shape) == 3:
        # Dropout would make another function of the loss in each step.
        network = small_convolutional(
            splits.input_shape, splits.outputs, task=splits.task, dropout=0.0
        )
    return Recipe(
        network=network or smooth(splits),
        optimizer=optimizer,
        **own_rates(optimizer),
        schedule=None,
        epochs=default_epochs(optim.by_name(optimizer)),
        batch_size=len(splits.train),
        augment=None,
        ema=None,
        keep_best=splits.validation is not None,
        **goal(splits.task),
    )


def smooth(splits: Splits) -> Network:
    """Return a network of one tanh layer: smooth second derivatives, and few weights."""
    network = Input(*splits.input_shape)
    flat = network >> Flatten() if len(splits.input_shape) > 1 else network
    each = math.prod(splits.input_shape) + 1 + splits.outputs
    units = min(MOST_UNITS, max(LEAST_UNITS, WEIGHTS // each))
    return flat >> Tanh(units) >> last_layer(splits.outputs, splits.task)


def picture_recipe(splits: Splits, network: Network | None) -> Recipe:
    """Return the defaults for pictures."""
    network = network or small_convolutional(
        splits.input_shape, splits.outputs, task=splits.task
    )
    examples = len(splits.train)
    a_pass = TRAINING_FACTOR * examples * max(1, cost(network).multiply_adds)
    few = examples < FEW
    side = min(splits.input_shape[1:])
    return Recipe(
        network=network,
        optimizer="adamw",
        lr=4e-3,
        weight_decay=1e-2,
        schedule="one_cycle",
        epochs=min(40, max(2, round(BUDGET / a_pass))),
        batch_size=64 if few else 128,
        # Where examples are few, small shifts make more of them; where they are many, each is
        # seen too seldom for that to pay.
        augment=augmentation.RandomShift(max(1, side // 12)) if few else None,
        ema=0.99 if few else None,
        **goal(splits.task),
    )


def table_recipe(splits: Splits, network: Network | None) -> Recipe:
    """Return the defaults for tables and arrays."""
    network = network or dense(
        splits.input_shape, splits.outputs, task=splits.task, dropout=0.1
    )
    examples = len(splits.train)
    batch_size = 32 if examples < FEW else 128
    return Recipe(
        network=network,
        optimizer="adamw",
        lr=3e-3,
        weight_decay=0.1,
        schedule="one_cycle",
        epochs=min(200, max(5, round(TABLE_STEPS * batch_size / examples))),
        batch_size=batch_size,
        augment=None,
        ema=None,
        **goal(splits.task),
    )


def goal(task: str) -> dict[str, Any]:
    """Return the loss and the metrics of a task."""
    if task == "classification":
        return {"loss": "cross_entropy", "metrics": ("accuracy",)}
    return {"loss": "squared_error", "metrics": ("r2",)}
