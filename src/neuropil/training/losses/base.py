"""Base class of the losses."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.loss_kinds import definition_of
from neuropil.training.losses.loss_targets import prepare_numbers
from neuropil.training.named_function import Named, check_one_each, options_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core.loss_kinds import Predicts, Takes


# A function from the name of a loss, scores and targets to checked targets.
Preparation: TypeAlias = "Callable[[str, Tensor, Tensor], Tensor]"


class Loss(Named):
    """A loss function: ``loss(scores, targets)`` returns one value per example.

    Args:
        function: The definition: a function from scores, targets and options to a tensor
            ``(N,)``.
        predicts: Kind of prediction: "class" for the class of the largest score, "binary" for a
            decision per score, or "value" for the scores themselves.
        source: What it was created from, for pickling; None if it is a public name of a module.
        takes: Input of the loss: the "scores" of the network, before a last Softmax or Sigmoid,
            or the "values" that `predict` returns; by default values if it predicts a value.
        mean: The mean over a batch, by a fused kernel; by default the mean of the values.
        prepare: Checks and converts targets, given the name of the loss, scores and targets;
            None leaves them unchecked.

    Example:
        >>> import torch
        >>> from neuropil.training import squared_error
        >>> scores, targets = torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0])
        >>> squared_error(scores, targets)
        tensor([0., 4.])
        >>> squared_error.mean(scores, targets)
        tensor(2.)
        >>> squared_error.predicts
        'value'
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        predicts: Predicts,
        source: Any = None,
        takes: Takes | None = None,
        *,
        mean: Callable[..., Tensor] | None = None,
        prepare: Preparation | None = None,
    ) -> None:
        super().__init__(function, source)
        self.function = function
        self.predicts: Predicts = predicts
        self.takes: Takes = takes or ("values" if predicts == "value" else "scores")
        self.mean: Callable[..., Tensor] = mean or self.mean_of_values
        self.preparation = prepare
        # Whether the mean is in fact the sum over a batch.
        self.adds = False

    @override
    def __call__(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return one value per example."""
        return self.function(scores, targets, **options)

    def mean_of_values(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return the mean over the examples."""
        return self.function(scores, targets, **options).mean()

    @property
    def judge(self) -> Loss:
        """The loss for validation: this one, or that of the main output."""
        return self

    @property
    def is_mean_over_outputs(self) -> bool:
        """Whether the value of an example is the mean over its outputs."""
        return self.predicts != "class" and not isinstance(self, Custom)

    def main(self, scores: Any) -> Any:
        """Return the scores of the main output."""
        return scores

    def weights_in_mean(self, targets: Any) -> Tensor | None:
        """Return the weight of each example in the mean; None if all are equal.

        Args:
            targets: The targets of a batch.
        """
        del targets
        return None

    def prepare(self, targets: Tensor, scores: Any) -> Tensor:
        """Check all targets of a data set and convert them to the form that is fastest.

        Args:
            targets: All targets.
            scores: Some scores of the network, for their type and shape.
        """
        return self.preparation(self.name, scores, targets) if self.preparation else targets

    @classmethod
    @override
    def of_function(cls, function: Any) -> Loss:
        return Custom(function)

    @override
    def with_options(self, source: functools.partial[Any]) -> Self:
        options = options_of(source)
        function, mean = (functools.partial(f, **options) for f in (self.function, self.mean))
        prepare = self.preparation
        return type(self)(
            function, self.predicts, source, self.takes, mean=mean, prepare=prepare
        )


class Custom(Loss):
    """A user's loss: a function of outputs and targets.

    It returns one value per example, of which the mean is taken, or one value for all of them.
    It takes the values that `predict` returns, unless it has an attribute ``takes = "scores"``.

    Args:
        function: The function.

    Raises:
        ValueError: If the function needs more than two arguments.
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        takes, predicts = definition_of(function)
        super().__init__(function, predicts, function, takes)
        check_two_arguments(self.name, function)

    @override
    def __call__(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        values = self.function(scores, in_type_of(scores, targets), **options)
        hint = "weights, metrics and fits of residuals need the loss of each example"
        return check_one_each(f"Loss {self.name!r}", values, hint)

    @override
    def mean_of_values(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        values: Any = self.function(scores, in_type_of(scores, targets), **options)
        if isinstance(values, Tensor) and values.dim() == 0:
            return values
        hint = "return these, or one value for all examples, a tensor ()"
        return check_one_each(f"Loss {self.name!r}", values, hint).mean()


def check_two_arguments(name: str, function: Any) -> None:
    """Check that a function needs no more than outputs and targets.

    Raises:
        ValueError: If it needs more.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of torch without a signature
        return
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind in positional]
    if len(needed) > 2:
        raise ValueError(
            f"the loss {name} takes {', '.join(needed)}, but a loss is given outputs and "
            f"targets: pass a function of these two that calls it."
        )


def in_type_of(scores: Any, targets: Any) -> Any:
    """Return targets from NumPy, in double precision, in the type of other scores."""
    both = isinstance(scores, Tensor) and isinstance(targets, Tensor)
    if both and targets.dtype is torch.float64 and scores.dtype is not torch.float64:
        return targets.float()
    return targets


def loss(
    predicts: Predicts,
    *,
    mean: Callable[..., Tensor] | None = None,
    prepare: Preparation = prepare_numbers,
) -> Callable[[Callable[..., Tensor]], Loss]:
    """Decorate the definition of a loss to make it a `Loss`.

    Args:
        predicts: Kind of prediction; see `Loss`.
        mean: The mean over a batch, by a fused kernel; by default the mean of the values.
        prepare: Checks and converts targets; see `Loss`.
    """
    return functools.partial(Loss, predicts=predicts, mean=mean, prepare=prepare)


def values_of(each: Tensor) -> Tensor:
    """Return the mean over all axes but the batch axis."""
    return each if each.dim() == 1 else each.flatten(1).mean(1)
