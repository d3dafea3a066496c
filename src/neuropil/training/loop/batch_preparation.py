"""From what the user gives to batches: checked, normalised, in the form that losses take."""

from __future__ import annotations

import dataclasses
import warnings
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

from neuropil.core import Network
from neuropil.core.moments import describe_unresolved, loses_nothing
from neuropil.core.prediction import in_test_mode
from neuropil.training.loop.batches import ArrayBatches, Batches, Placement
from neuropil.training.loop.closure_step import takes_all
from neuropil.training.loop.memory_examples import Arrays, as_arrays
from neuropil.training.loop.streams import StreamBatches
from neuropil.training.loop.validation import rows_at_once
from neuropil.training.losses.base import Custom
from neuropil.training.losses.loss_targets import is_single
from neuropil.training.losses.losses import resolve
from neuropil.training.losses.score_views import warn_of_probabilities
from neuropil.training.losses.weighted_loss import Objective, class_weights, default_loss

if TYPE_CHECKING:
    from neuropil.training.trainer import Trainer

# Examples in a batch, for optimisers that do not want all of them.
BATCH = 32


def training_batches(trainer: Trainer, data: Any, batch_size: int | None) -> Batches:
    """Return the training batches; normalise the network and settle the loss on the way.

    Args:
        trainer: Gets its objective here if it has none yet.
        data: What the user gave.
        batch_size: Examples in a batch; None for what suits the optimiser.

    Raises:
        ValueError: When the data cannot be trained on.
    """
    order = trainer.learner.randomness.order
    arrays = as_arrays(data, "training")
    if arrays is None:
        settle_objective(trainer, data, "training")
        return stream(trainer, data, "training", batch_size or BATCH, order)
    settle_objective(trainer, arrays, "training")
    normalize(trainer, arrays)
    arrays = in_network_type(trainer, arrays)
    whole = any(map(takes_all, trainer.learner.optimizers.values()))
    if batch_size is None:
        batch_size = len(arrays) if whole else BATCH
    if whole and batch_size >= len(arrays):
        order = None  # it would change the last bits of sums, which lines are searched by
    return cut(trainer, arrays, batch_size, order)


def evaluation_batches(trainer: Trainer, data: Any, batch_size: int, title: str) -> Batches:
    """Return batches in the data's own order.

    Args:
        trainer: Whose network they are for.
        data: What the user gave.
        batch_size: The batch size of the training; more examples go at once where they fit.
        title: What the examples are for.

    Raises:
        ValueError: When the data cannot be evaluated.
    """
    arrays = as_arrays(data, title)
    if arrays is None:
        settle_objective(trainer, data, title)
        return stream(trainer, data, title, batch_size)
    arrays = in_network_type(trainer, arrays)
    settle_objective(trainer, arrays, title)
    return cut(trainer, arrays, rows_at_once(arrays.inputs, batch_size))


def cut(
    trainer: Trainer, arrays: Arrays, batch_size: int, order: Generator | None = None
) -> ArrayBatches:
    """Return this process's batches of arrays."""
    return ArrayBatches(
        in_loss_form(trainer, arrays),
        batch_size,
        placement(trainer),
        order=order,
        rank=trainer.learner.processes.rank,
        processes=trainer.learner.processes.count,
    )


def stream(
    trainer: Trainer, data: Any, title: str, batch_size: int, order: Generator | None = None
) -> StreamBatches:
    """Return the batches of an iterable; single examples of a torch data set are collected."""
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        data = DataLoader(data, batch_size, shuffle=order is not None, generator=order)
    processes = trainer.learner.processes
    return StreamBatches(
        data, placement(trainer), title, rank=processes.rank, processes=processes.count
    )


def data_generator(data: Any) -> Generator | None:
    """Return the generator that the data itself shuffles with, such as a DataLoader's."""
    generator = getattr(data, "generator", None)
    return generator if isinstance(generator, Generator) else None


def placement(trainer: Trainer) -> Placement:
    """Return where batches go; our own networks convert bytes themselves."""
    dtype = None
    if not trainer.options.step and not isinstance(trainer.learner.module, Network):
        dtype = float_type(trainer.learner.module)
    return Placement(trainer.learner.device, dtype)


def float_type(module: nn.Module) -> torch.dtype:
    """Return the floating-point type that a network computes in."""
    types = (p.dtype for p in module.parameters() if p.is_floating_point())
    return next(types, torch.get_default_dtype())


def in_network_type(trainer: Trainer, arrays: Arrays) -> Arrays:
    """Return arrays whose double-precision inputs have the network's own type.

    Inputs stay in double precision where an `Input` takes off a mean that is far from zero:
    the cast would round what tells the examples apart.

    Raises:
        ValueError: When a number is beyond the range of that type.
    """
    module = trainer.learner.module
    double = trainer.device.type != "mps"  # which has no double precision
    sources = module.inputs[: len(arrays.inputs)] if isinstance(module, Network) else ()
    inputs = tuple(
        values
        if values.dtype != torch.float64 or (double and getattr(source, "exact", False))
        else cast_inputs(values, float_type(module), source, arrays.title)
        for values, source in zip_longest(arrays.inputs, sources)
    )
    arrays = dataclasses.replace(arrays, inputs=inputs)
    arrays.check()  # what double precision holds may be infinite in single precision
    return arrays


def cast_inputs(values: Tensor, dtype: torch.dtype, source: Any, title: str) -> Tensor:
    """Return double-precision inputs in the network's type; warn where that makes them alike.

    Args:
        values: The inputs.
        dtype: The network's type.
        source: The `Input` that takes them, if there is one.
        title: What the examples are for.
    """
    cast = values.to(dtype)
    # An `Input` that takes off a mean in single precision was found to lose nothing by it.
    if getattr(source, "mean", None) is None and not loses_nothing(values, cast):
        warnings.warn(
            f"the {title} inputs differ by less than {dtype} can hold at their size: begin the "
            f"network with an Input, which takes off their mean first, or standardise them.",
            stacklevel=2,
        )
    return cast


def normalize(trainer: Trainer, arrays: Arrays) -> None:
    """Set the mean and scale of the network's inputs from the training examples."""
    setter = getattr(trainer.learner.module, "normalize", None)
    if trainer.options.normalize and setter is not None:
        setter(*arrays.inputs)
        trainer.learner.module.to(trainer.learner.device)
        say_unresolved(trainer, arrays)


def say_unresolved(trainer: Trainer, arrays: Arrays) -> None:
    """Warn of columns whose values their own type cannot tell apart."""
    module = trainer.learner.module
    sources = module.inputs if isinstance(module, Network) else ()
    for source, values in zip(sources, arrays.inputs, strict=False):
        exact = getattr(source, "exact", False) and values.ndim == 2
        if exact and (found := describe_unresolved(values)):
            warnings.warn(
                f"the {arrays.title} inputs: {found}: digits were lost before; give such "
                f"columns in double precision, or subtract a fixed number from them first.",
                stacklevel=2,
            )


def settle_objective(trainer: Trainer, data: Any, title: str) -> None:
    """Decide what is minimised, once: the user's loss, or the one that suits the data.

    Args:
        trainer: Gets the objective.
        data: `Arrays`, or what yields batches.
        title: What the data are for.

    Raises:
        ValueError: When the loss or the weights need targets that are not there.
    """
    options = trainer.options
    if trainer.objective is not None or (options.step is not None and options.loss is None):
        return
    loss, weights = options.loss, None
    if loss is None or options.class_weight is not None:
        inputs, targets = some_examples(trainer, data, title)
        scores = sample_scores(trainer, inputs)
        if loss is None:
            loss = default_loss(trainer.learner.module, scores, targets)
        scores = resolve(loss).main(scores)
        weights = class_weights(options.class_weight, targets, class_count(scores))
        weights = None if weights is None else weights.to(trainer.device)
    trainer.settle(Objective(loss, weights, trainer.learner.views))
    takers = [resolve(loss), *trainer.metrics]
    if taker := next((each for each in takers if each.takes == "scores"), None):
        warn_of_probabilities(trainer.learner.module, taker.name)


def some_examples(trainer: Trainer, data: Any, title: str) -> tuple[Any, Any]:
    """Return the first inputs with all targets in memory, or the first batch of others.

    Raises:
        ValueError: When there are no targets, or not all of them where all are needed.
    """
    if isinstance(data, Arrays):
        inputs, targets = data.inputs, data.targets
    elif isinstance(trainer.options.class_weight, str):
        raise ValueError("class_weight='balanced' needs all targets in memory.")
    else:
        batch, _, _ = next(stream(trainer, data, title, 1).epoch())
        inputs, targets = (
            batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)
        )
    if targets is None:
        raise ValueError(
            f"the {title} data has no targets: give (inputs, targets), or a step that needs "
            f"none."
        )
    return inputs, targets


def class_count(scores: Any) -> int | None:
    """Return how many classes scores tell apart; a single one tells two."""
    if not isinstance(scores, Tensor):
        return None
    return 2 if is_single(scores) else scores.shape[1]


def in_loss_form(trainer: Trainer, arrays: Arrays) -> Arrays:
    """Return arrays whose targets the loss takes without conversion; checks them all.

    Raises:
        ValueError: When there are no targets, or they do not fit the loss.
    """
    if trainer.objective is None:
        return arrays
    if arrays.targets is None:
        raise ValueError(f"the {arrays.title} data has no targets: give (inputs, targets).")
    if isinstance(arrays.targets, tuple):
        return arrays
    loss = trainer.objective.loss
    scores = sample_scores(trainer, arrays.inputs)
    say_lost_digits(arrays, scores)
    try:
        if not isinstance(loss.main(scores), Tensor):
            if not isinstance(loss, Custom):
                raise ValueError(
                    f"the network has {len(scores)} outputs and {loss.name} is the loss of "
                    f"one: give loss=auxiliary({loss.name!r}) where the others are auxiliary "
                    f"heads, or a function of all of them."
                )
            return arrays
        targets = loss.prepare(arrays.targets, trainer.objective.seen(scores))
    except ValueError as error:
        raise ValueError(f"{arrays.title} targets: {error}") from None
    if keeps_precision(trainer, arrays.targets):
        targets = arrays.targets.reshape(targets.shape)
    return dataclasses.replace(arrays, targets=targets)


def keeps_precision(trainer: Trainer, targets: Tensor) -> bool:
    """Tell whether targets stay in double precision, which metrics of numbers are due."""
    exact = targets.dtype == torch.float64 and trainer.device.type != "mps"
    return exact and any(metric.takes == "values" for metric in trainer.metrics)


def sample_scores(trainer: Trainer, inputs: Any) -> Any:
    """Return the scores of the first examples; no random state and no weight changes."""
    place = placement(trainer)
    columns = inputs if isinstance(inputs, tuple) else (inputs,)
    module = trainer.learner.module
    heads = (column[:2] for column in columns)
    # Only the shape of the scores matters here, not the digits of the inputs.
    heads = (h.to(float_type(module)) if h.dtype == torch.float64 else h for h in heads)
    sample = tuple(place.cast(place.move(head)) for head in heads)
    with in_test_mode(module), torch.no_grad(), torch.random.fork_rng(devices=[]):
        return trainer.learner.scores(*sample)


def say_lost_digits(arrays: Arrays, scores: Any) -> None:
    """Warn of targets that become alike in the type of the scores."""
    targets = arrays.targets
    if not isinstance(targets, Tensor) or not isinstance(scores, Tensor):
        return
    exact = targets.dtype == torch.float64
    if exact and not loses_nothing(targets, targets.to(scores.dtype)):
        warnings.warn(
            f"the {arrays.title} targets differ by less than {scores.dtype} can hold at their "
            f"size: subtract their mean in double precision first, or use NetworkRegressor, "
            f"which does.",
            stacklevel=2,
        )
