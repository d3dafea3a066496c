"""What a loss is: one value per example, their mean by a fused kernel, and what it predicts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from typing_extensions import override

from neuropil.core.loss_kinds import definition_of
from neuropil.training.losses.loss_targets import is_single, prepare_numbers
from neuropil.training.losses.torch_losses import one_value_each
from neuropil.training.named_function import Named, check_one_each, options_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from neuropil.core.loss_kinds import Predicts, Takes


# The name of a loss, scores and targets, to targets.
Preparation: TypeAlias = "Callable[[str, Tensor, Tensor], Tensor]"


class Loss(Named):
    """A loss function: ``loss(scores, targets)`` gives one value per example.

    Args:
        function: The definition: scores, targets and options to a tensor ``(N,)``.
        predicts: What a prediction is: the "class" of the largest score, a "binary" decision
            for each score, or the score itself, a "value".
        source: What it was made from where it is no public name of a module; for pickling.
        takes: Whether it is given the network's "scores", before a last Softmax or Sigmoid, or
            the "values" that `predict` gives; by default values where it predicts a value.
        mean: The mean over a batch by a fused kernel; by default that of the values.
        prepare: Its name, scores and targets to checked targets; None leaves them unchecked.

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

    @override
    def __call__(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return one value per example."""
        return self.function(scores, targets, **options)

    def mean_of_values(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return the mean over the examples."""
        return self.function(scores, targets, **options).mean()

    def decide(self, scores: Tensor) -> Tensor:
        """Return the predictions that the scores stand for.

        Args:
            scores: As the loss takes them.

        Returns:
            Class numbers, 0s and 1s, or the scores as they are; see ``predicts``.
        """
        if self.predicts == "value":
            return scores
        if self.predicts == "binary" or is_single(scores):
            return (scores > 0).long()
        return scores.argmax(dim=1)

    @property
    def judge(self) -> Loss:
        """The loss by which the outcome is judged: this one, unless some outputs only help."""
        return self

    @property
    def is_mean_over_outputs(self) -> bool:
        """Whether an example's value is the mean of what it has for each of its outputs."""
        return self.predicts != "class" and not isinstance(self, Custom)

    def main(self, scores: Any) -> Any:
        """Return the scores that count in the end."""
        return scores

    def prepare(self, targets: Tensor, scores: Any) -> Tensor:
        """Check all targets of a data set and return them as the loss takes them fastest.

        Args:
            targets: All of them.
            scores: Any scores of the network; their type, and shape but for the batch, count.
        """
        return self.preparation(self.name, scores, targets) if self.preparation else targets

    @classmethod
    @override
    def of(cls, source: Any) -> Loss:
        """Make a loss of a partial of one, or of any function of scores and targets."""
        if isinstance(source, Loss):
            return source
        if isinstance(source, functools.partial) and isinstance(source.func, Loss):
            return source.func.with_options(source)
        return Custom(source)

    def with_options(self, source: functools.partial[Any]) -> Self:
        """Return this loss with the options of a partial of it."""
        options = options_of(source)
        function, mean = (functools.partial(f, **options) for f in (self.function, self.mean))
        prepare = self.preparation
        return type(self)(
            function, self.predicts, source, self.takes, mean=mean, prepare=prepare
        )


class Custom(Loss):
    """A user's loss: a function of outputs and targets that gives one value per example.

    It sees the values that `predict` gives, unless it has an attribute ``takes = "scores"``.
    Torch's own losses are known: those of scores are given scores, and those of logarithms of
    probabilities are given these.

    Args:
        function: That function.
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        takes, predicts = definition_of(function)
        super().__init__(function, predicts, function, takes)
        self.function = one_value_each(function)

    @override
    def mean_of_values(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        values = self.function(scores, targets, **options)
        hint = "leave the mean to the trainer"
        return check_one_each(f"Loss {self.name!r}", values, hint).mean()


def loss(
    predicts: Predicts,
    *,
    mean: Callable[..., Tensor] | None = None,
    prepare: Preparation = prepare_numbers,
) -> Callable[[Callable[..., Tensor]], Loss]:
    """Turn the definition of a loss into a `Loss`; a decorator.

    Args:
        predicts: What a prediction is; see `Loss`.
        mean: The mean over a batch by a fused kernel; by default that of the values.
        prepare: Checks targets and returns them as the loss takes them fastest.
    """
    return functools.partial(Loss, predicts=predicts, mean=mean, prepare=prepare)


def values_of(each: Tensor) -> Tensor:
    """Return the mean over all but the batch."""
    return each if each.dim() == 1 else each.flatten(1).mean(1)
