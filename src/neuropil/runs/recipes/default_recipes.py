"""Good defaults for a network and its training, chosen for the data."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.analysis import cost
from neuropil.datasets import augmentation
from neuropil.datasets.batch_places import MIXED, variety_in_batches
from neuropil.layers import Flatten, Input, Tanh
from neuropil.runs.recipes.recipe import Recipe
from neuropil.training.loop.closure_step import default_epochs, takes_all

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.core.shape import Shape
    from neuropil.datasets import Splits
    from neuropil.runs.task import Task

# Maximum multiply–adds of a default training: about 90 seconds on two processor cores.
BUDGET = 2.5e12
# Data with fewer examples than this count as small.
FEW = 5000
# Steps of training on a table: a few seconds, whatever its size.
TABLE_STEPS = 6000
# Full-batch optimisers often use a matrix of all pairs of weights, so their default network has
# about this many weights, in a layer with a number of units between these two.
WEIGHTS, LEAST_UNITS, MOST_UNITS = 600, 5, 32
# A forward and a backward pass take three times the multiply–adds of a forward pass.
TRAINING_FACTOR = 3


def recipe(
    splits: Splits,
    task: Task[Any],
    network: Network | None = None,
    optimizer: str | None = None,
) -> Recipe:
    """Return good defaults for the data: a network and the settings of its training.

    The network is the default of the task. The number of epochs follows from its cost and the
    number of examples, so that training ends within about a minute and a half on two processor
    cores.

    Args:
        splits: The data.
        task: The task of the network.
        network: The network, if it is already chosen.
        optimizer: Name of the optimiser, if it is already chosen. A full-batch optimiser gets a
            smaller network without dropout.

    Example:
        >>> from neuropil import datasets
        >>> from neuropil.runs.tasks import task_for
        >>> digits = datasets.load_handwritten_digits()
        >>> recipe(digits, task_for(digits.target)).network.output_shape
        (10,)
    """
    if optimizer is not None and takes_all(optim.by_name(optimizer)):
        return full_batch_recipe(splits, task, network, optimizer)
    network = network or default_network(splits, task)
    pictures = len(splits.input_shape) == 3
    defaults = picture_recipe(splits, network) if pictures else table_recipe(splits, network)
    defaults = task.adapt_recipe(defaults, splits)
    if optimizer is None:
        return defaults
    # A learning rate that suits one optimiser does not suit another.
    return replace(defaults, optimizer=optimizer, **default_rates(optimizer))


def default_network(splits: Splits, task: Task[Any], *, steady: bool = False) -> Network:
    """Return the default network of a task for the data.

    Args:
        splits: The data.
        task: The task of the network.
        steady: Whether the loss function must be the same at each step.
    """
    mixed = variety_in_batches(splits.train) >= MIXED
    masked, shape = splits.preparation.pads, splits.input_shape
    return task.network(shape, masked=masked, mixed=mixed, steady=steady)


def default_rates(optimizer: str) -> dict[str, Any]:
    """Return the default learning rate and weight decay of an optimiser, or None."""
    own = inspect.signature(optim.by_name(optimizer)).parameters
    return {n: own[n].default if n in own else None for n in ("lr", "weight_decay")}


def full_batch_recipe(
    splits: Splits, task: Task[Any], network: Network | None, optimizer: str
) -> Recipe:
    """Return the defaults for a full-batch optimiser."""
    if network is None and (None in splits.input_shape or len(splits.input_shape) == 3):
        network = default_network(splits, task, steady=True)
    return Recipe(
        network=network or small_tanh_network(splits.input_shape, task),
        optimizer=optimizer,
        **default_rates(optimizer),
        schedule=None,
        epochs=default_epochs(optim.by_name(optimizer)),
        batch_size=len(splits.train),
        keep_best=splits.validation is not None,
    )


def small_tanh_network(input_shape: Shape, task: Task[Any]) -> Network:
    """Return a network with one tanh layer: smooth second derivatives and few weights."""
    network = Input(*input_shape)
    flat = network >> Flatten() if len(input_shape) > 1 else network
    each = math.prod(length or 1 for length in input_shape) + 1 + task.outputs
    units = min(MOST_UNITS, max(LEAST_UNITS, WEIGHTS // each))
    return flat >> Tanh(units) >> task.last_layer()


def picture_recipe(splits: Splits, network: Network) -> Recipe:
    """Return the defaults for pictures."""
    examples = len(splits.train)
    few = examples < FEW
    side = min(typical_shape(splits)[1:])
    return Recipe(
        network=network,
        optimizer="adamw",
        lr=4e-3,
        weight_decay=1e-2,
        schedule="one_cycle",
        epochs=min(40, max(2, round(BUDGET / cost_of_epoch(splits, network)))),
        batch_size=64 if few else 128,
        # Small shifts help if there are few examples; with many, each is seen too rarely for
        # shifts to pay off.
        augment=augmentation.RandomShift(max(1, side // 12)) if few else None,
        ema=0.99 if few else None,
    )


def cost_of_epoch(splits: Splits, network: Network, freeze: str | None = None) -> int:
    """Return the multiply–adds of training a network on all training pictures once.

    Args:
        splits: The data.
        network: The network.
        freeze: Name of the last layer whose weights stay as they are: up to it, there is no
            backward pass.
    """
    shape = typical_shape(splits)
    shapes = [shape, shape[1:]][: len(network.input_shapes)]
    each = TRAINING_FACTOR * cost(network, shapes).multiply_adds
    if freeze is not None:
        frozen = cost(network.upto(freeze), shapes).multiply_adds
        each -= (TRAINING_FACTOR - 1) * frozen
    return len(splits.train) * max(1, each)


def typical_shape(splits: Splits) -> tuple[int, ...]:
    """Return the shape of the pictures, with the mean of each size that varies."""
    source = splits.train
    if None not in splits.input_shape:
        return tuple(length or 1 for length in splits.input_shape)
    places = range(0, len(source), max(1, len(source) // 1000))
    sizes = [source.size_of(place) for place in places]
    means = (round(sum(lengths) / len(lengths)) for lengths in zip(*sizes, strict=True))
    return (splits.input_shape[0] or 1, *means)


def table_recipe(splits: Splits, network: Network) -> Recipe:
    """Return the defaults for tables and arrays."""
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
        keep_best=splits.validation is not None,
    )
