"""Preparation of a user's data: checks, normalisation, conversion for the loss, batches."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Generator, Tensor

from neuropil.core import Network
from neuropil.core.moments import describe_unresolved, loses_nothing
from neuropil.datasets import batch_places as places
from neuropil.training.loop.batches import ArrayBatches, Batches
from neuropil.training.loop.closure_step import takes_all
from neuropil.training.loop.memory_examples import Arrays, as_tuple
from neuropil.training.loop.source_batches import SourceBatches
from neuropil.training.loop.source_examples import SourceExamples
from neuropil.training.loop.source_normalization import normalize_streaming
from neuropil.training.loop.streams import open_stream
from neuropil.training.loop.validation import rows_at_once
from neuropil.training.losses.base import Custom

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective

# Default batch size of optimisers that do not need all examples in every step.
BATCH = 32


@final
@dataclass(frozen=True)
class Preparation:
    """Turns data into batches, once the objective is known.

    For arrays, `as_arrays` creates and checks tensors, `normalize` sets the mean and scale of
    the network's inputs, `cast` converts inputs to the network's type, `fit_loss` converts
    targets for the loss, and `ArrayBatches` splits them.

    Args:
        learner: The learner whose network takes the batches.
        objective: The objective that takes the targets; None for a custom step.
        exact: Whether targets stay in double precision, as metrics of values need.
        workers: Number of processes that fetch the batches of a source.
    """

    learner: Learner
    objective: Objective | None
    exact: bool
    workers: int

    def training_batches(
        self, data: Any, batch_size: int | None, *, normalize: bool
    ) -> Batches:
        """Return the training batches.

        Args:
            data: `Arrays`, `SourceExamples`, or an iterable of batches.
            batch_size: Number of examples in a batch; None for the optimiser's default.
            normalize: Whether to set the mean and scale of the network's inputs.

        Raises:
            ValueError: If the data cannot be used.
        """
        order = self.learner.randomness.order
        if not isinstance(data, Arrays | SourceExamples):
            return open_stream(self.learner, data, "training", batch_size or BATCH, order)
        if normalize:
            self.normalize(data)
        whole = any(map(takes_all, self.learner.optimizers.values()))
        if batch_size is None:
            batch_size = len(data) if whole else BATCH
        if whole and batch_size >= len(data):
            order = None  # shuffling would change the rounding of sums in line searches
        return self.cut(data, batch_size, order)

    def evaluation_batches(self, data: Any, title: str, batch_size: int) -> Batches:
        """Return batches in the order of the data.

        Args:
            data: `Arrays`, `SourceExamples`, or an iterable of batches.
            title: Purpose of the data, for messages.
            batch_size: Minimum batch size; small examples get larger batches.

        Raises:
            ValueError: If the data cannot be used.
        """
        if isinstance(data, SourceExamples):
            return self.cut(data, max(batch_size, places.rows_at_once(data.source)))
        if not isinstance(data, Arrays):
            return open_stream(self.learner, data, title, batch_size)
        return self.cut(data, rows_at_once(data.inputs, batch_size))

    def cut(
        self, data: Arrays | SourceExamples, batch_size: int, order: Generator | None = None
    ) -> Batches:
        """Return this process's batches of examples."""
        placement = self.learner.placement
        if isinstance(data, SourceExamples):
            data = self.fit_source(data)
            return SourceBatches(data, batch_size, placement, order, self.workers)
        arrays = self.fit_loss(self.cast(data))
        return ArrayBatches(arrays, batch_size, placement, order)

    def fit_source(self, examples: SourceExamples) -> SourceExamples:
        """Return examples with their targets converted for the loss, if they are known."""
        inputs, targets = examples.head()
        arrays = Arrays(inputs, targets, examples.title)
        arrays.check_finite(as_tuple(targets), "targets")
        arrays = self.fit_loss(arrays)
        known = examples.source.targets is not None
        weights = examples.weights
        if weights is not None:
            weights = weights.to(self.learner.float_type)
        targets = arrays.targets if known else None
        return dataclasses.replace(examples, targets=targets, weights=weights)

    def normalize(self, data: Arrays | SourceExamples) -> None:
        """Set the mean and scale of the network's inputs from the training examples."""
        if isinstance(data, SourceExamples):
            normalize_streaming(self.learner, data, self.workers)
            return
        module, arrays = self.learner.module, data
        setter = getattr(module, "normalize", None)
        if setter is not None:
            weighted = {} if arrays.weights is None else {"weights": arrays.weights}
            setter(*arrays.inputs, **weighted)
            module.to(self.learner.device)
            warn_of_unresolved(module, arrays)

    def cast(self, arrays: Arrays) -> Arrays:
        """Return the arrays with weights and double-precision inputs in the network's type.

        Inputs stay in double precision if an `Input` subtracts a mean far from zero: the
        conversion would round away the differences between examples.

        Raises:
            ValueError: If a number is beyond the range of that type.
        """
        module, dtype = self.learner.module, self.learner.float_type
        sources = module.inputs[: len(arrays.inputs)] if isinstance(module, Network) else ()
        inputs: list[Tensor] = []
        for values, source in zip_longest(arrays.inputs, sources):
            exact = self.doubles and getattr(source, "exact", False)
            if values.dtype == torch.float64 and not exact:
                values = cast_inputs(values, dtype, source, arrays.title)
                # A finite double may be infinite in single precision.
                arrays.check_finite([values], "inputs")
            inputs.append(values)
        weights = None if arrays.weights is None else arrays.weights.to(dtype)
        return dataclasses.replace(arrays, inputs=tuple(inputs), weights=weights)

    def fit_loss(self, arrays: Arrays) -> Arrays:
        """Return the arrays with all targets checked and converted to the form the loss takes.

        Raises:
            ValueError: If the targets are missing, or they do not match the loss.
        """
        if self.objective is None:
            return arrays
        if arrays.targets is None:
            raise ValueError(f"the {arrays.title} data has no targets: give (inputs, targets).")
        if isinstance(arrays.targets, tuple):
            return arrays
        loss = self.objective.loss
        scores = self.learner.sample_scores(arrays.inputs)
        warn_of_lost_digits(arrays, scores)
        try:
            if not isinstance(loss.main(scores), Tensor):
                if not isinstance(loss, Custom):
                    raise ValueError(
                        f"the network has {len(scores)} outputs, but {loss.name} takes one: "
                        f"use loss=auxiliary({loss.name!r}) if the others are auxiliary heads, "
                        f"or a loss function that takes all of them."
                    )
                return arrays
            targets = loss.prepare(arrays.targets, self.objective.seen(scores))
        except ValueError as error:
            raise ValueError(f"{arrays.title} targets: {error}") from None
        if self.exact and self.doubles and arrays.targets.dtype == torch.float64:
            targets = arrays.targets.reshape(targets.shape)
        return dataclasses.replace(arrays, targets=targets)

    @property
    def doubles(self) -> bool:
        """Whether the device has double precision."""
        return self.learner.device.type != "mps"


def cast_inputs(values: Tensor, dtype: torch.dtype, source: Any, title: str) -> Tensor:
    """Convert double-precision inputs to the network's type; warn if that makes values equal.

    Args:
        values: The inputs.
        dtype: The network's type.
        source: The `Input` that takes them, if there is one.
        title: Purpose of the data, for the warning.
    """
    cast = values.to(dtype)
    # An `Input` with a mean that is not `exact` was checked to lose nothing in this type.
    if getattr(source, "mean", None) is None and not loses_nothing(values, cast):
        warnings.warn(
            f"the {title} inputs differ by less than {dtype} can hold at their size: begin the "
            f"network with an Input, which subtracts their mean first, or standardise them.",
            stacklevel=2,
        )
    return cast


def warn_of_unresolved(module: Any, arrays: Arrays) -> None:
    """Warn of columns whose values differ by less than their own type resolves."""
    sources = module.inputs if isinstance(module, Network) else ()
    for source, values in zip(sources, arrays.inputs, strict=False):
        exact = getattr(source, "exact", False) and values.ndim == 2
        if exact and (found := describe_unresolved(values)):
            warnings.warn(
                f"the {arrays.title} inputs: {found}: digits were already lost; pass such "
                f"columns in double precision, or subtract a constant from them first.",
                stacklevel=2,
            )


def warn_of_lost_digits(arrays: Arrays, scores: Any) -> None:
    """Warn of targets that become equal in the type of the scores."""
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
