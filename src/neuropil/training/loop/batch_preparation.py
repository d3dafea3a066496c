"""From what the user gives to batches: checked, normalised, in the form that losses take."""

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
from neuropil.training.loop.batches import ArrayBatches, Batches
from neuropil.training.loop.closure_step import takes_all
from neuropil.training.loop.memory_examples import Arrays
from neuropil.training.loop.streams import open_stream
from neuropil.training.loop.validation import rows_at_once
from neuropil.training.losses.base import Custom

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective

# Examples in a batch, for optimisers that do not want all of them.
BATCH = 32


@final
@dataclass(frozen=True)
class Preparation:
    """Makes batches of data, once the objective is known.

    Arrays take one way: `as_arrays` makes tensors and checks them, `normalize` sets the
    network's mean and scale by them, `cast` gives them the network's type, `fit_loss` gives the
    targets the loss's form, and `ArrayBatches` cuts them.

    Args:
        learner: Whose network the batches are for.
        objective: What takes the targets; None for a step of the user's own.
        exact: Whether targets stay in double precision, which metrics of numbers are due.
    """

    learner: Learner
    objective: Objective | None
    exact: bool

    def training_batches(
        self, data: Any, batch_size: int | None, *, normalize: bool
    ) -> Batches:
        """Return the training batches.

        Args:
            data: `Arrays`, or what yields batches.
            batch_size: Examples in a batch; None for what suits the optimiser.
            normalize: Whether the examples set the mean and scale of the network's inputs.

        Raises:
            ValueError: When the data cannot be trained on.
        """
        order = self.learner.randomness.order
        if not isinstance(data, Arrays):
            return open_stream(self.learner, data, "training", batch_size or BATCH, order)
        if normalize:
            self.normalize(data)
        whole = any(map(takes_all, self.learner.optimizers.values()))
        if batch_size is None:
            batch_size = len(data) if whole else BATCH
        if whole and batch_size >= len(data):
            order = None  # it would change the last bits of sums, which lines are searched by
        return self.cut(data, batch_size, order)

    def evaluation_batches(self, data: Any, title: str, batch_size: int) -> Batches:
        """Return batches in the data's own order.

        Args:
            data: `Arrays`, or what yields batches.
            title: What the examples are for.
            batch_size: The batch size of the training; more examples go at once where they fit.

        Raises:
            ValueError: When the data cannot be evaluated.
        """
        if not isinstance(data, Arrays):
            return open_stream(self.learner, data, title, batch_size)
        return self.cut(data, rows_at_once(data.inputs, batch_size))

    def cut(self, arrays: Arrays, batch_size: int, order: Generator | None = None) -> Batches:
        """Return this process's batches of arrays."""
        arrays = self.fit_loss(self.cast(arrays))
        return ArrayBatches(arrays, batch_size, self.learner.placement, order)

    def normalize(self, arrays: Arrays) -> None:
        """Set the mean and scale of the network's inputs from the training examples."""
        module = self.learner.module
        setter = getattr(module, "normalize", None)
        if setter is not None:
            setter(*arrays.inputs)
            module.to(self.learner.device)
            warn_of_unresolved(module, arrays)

    def cast(self, arrays: Arrays) -> Arrays:
        """Return arrays whose double-precision inputs have the network's own type.

        Inputs stay in double precision where an `Input` takes off a mean that is far from zero:
        the cast would round what tells the examples apart.

        Raises:
            ValueError: When a number is beyond the range of that type.
        """
        module, dtype = self.learner.module, self.learner.float_type
        sources = module.inputs[: len(arrays.inputs)] if isinstance(module, Network) else ()
        inputs: list[Tensor] = []
        for values, source in zip_longest(arrays.inputs, sources):
            exact = self.doubles and getattr(source, "exact", False)
            if values.dtype == torch.float64 and not exact:
                values = cast_inputs(values, dtype, source, arrays.title)
                # What double precision holds may be infinite in single precision.
                arrays.check_finite([values], "inputs")
            inputs.append(values)
        return dataclasses.replace(arrays, inputs=tuple(inputs))

    def fit_loss(self, arrays: Arrays) -> Arrays:
        """Return arrays whose targets the loss takes without conversion; checks them all.

        Raises:
            ValueError: When there are no targets, or they do not fit the loss.
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
                        f"the network has {len(scores)} outputs and {loss.name} is the loss of "
                        f"one: give loss=auxiliary({loss.name!r}) where the others are "
                        f"auxiliary heads, or a function of all of them."
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


def warn_of_unresolved(module: Any, arrays: Arrays) -> None:
    """Warn of columns whose values their own type cannot tell apart."""
    sources = module.inputs if isinstance(module, Network) else ()
    for source, values in zip(sources, arrays.inputs, strict=False):
        exact = getattr(source, "exact", False) and values.ndim == 2
        if exact and (found := describe_unresolved(values)):
            warnings.warn(
                f"the {arrays.title} inputs: {found}: digits were lost before; give such "
                f"columns in double precision, or subtract a fixed number from them first.",
                stacklevel=2,
            )


def warn_of_lost_digits(arrays: Arrays, scores: Any) -> None:
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
