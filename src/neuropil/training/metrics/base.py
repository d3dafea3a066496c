"""What a metric is: statistics that are merged over batches, and a figure made of all."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.loss_kinds import definition_of
from neuropil.training.losses.base import Loss
from neuropil.training.metrics.statistics import add_up, ratio, sum_and_count
from neuropil.training.named_function import Named, check_one_each, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.core.loss_kinds import Takes


class Metric(Named):
    """A figure of merit: ``metric(scores, targets)`` gives a number.

    Data that comes in parts is measured in parts: ``gather`` turns each into a vector,
    ``merge`` makes one vector of several, and ``compute`` makes the figure of it.

    Args:
        function: Scores, targets and options to the vector.
        compute: The vector of all parts to the figure.
        greater_is_better: True for an accuracy, False for an error.
        takes: Whether it is given the network's "scores", before a last Softmax or Sigmoid, or
            the "values" that `predict` gives.
        combine: The vectors of several parts to one; by default they add up. A figure of all
            rows, such as an area under a curve, gathers a row per example and has `torch.cat`.
        short: Another name, such as "mse"; none if empty.
        source: What it was made from where it is no public name of a module; for pickling.

    Example:
        >>> import torch
        >>> from neuropil.training import accuracy
        >>> part = accuracy.gather(torch.tensor([[2.0, 1.0], [2.0, 1.0]]), torch.tensor([0, 1]))
        >>> part
        tensor([1., 2.], dtype=torch.float64)
        >>> accuracy.compute(accuracy.merge([part, part]))
        0.5
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        compute: Callable[[Tensor], float],
        *,
        greater_is_better: bool,
        takes: Takes = "scores",
        combine: Callable[[list[Tensor]], Tensor] = add_up,
        short: str = "",
        source: Any = None,
    ) -> None:
        super().__init__(function, source)
        # The call gives the figure, not what the function gives.
        self.__signature__ = inspect.signature(function).replace(return_annotation="float")
        self.function = function
        self.figure = compute
        self.greater_is_better = greater_is_better
        self.takes: Takes = takes
        self.combine = combine
        self.short = short

    @override
    def __call__(self, scores: Any, targets: Any, **options: Any) -> float:
        """Return the figure for these examples."""
        with torch.no_grad():
            return self.compute(self.function(scores, targets, **options))

    @torch.no_grad()
    def gather(self, scores: Any, targets: Any) -> Tensor:
        """Return the vector of these examples: float64, on the device of the scores."""
        return self.function(scores, targets).double()

    def merge(self, parts: Sequence[Tensor]) -> Tensor:
        """Return one vector of the vectors of some parts."""
        return self.combine([part.double() for part in parts])

    def compute(self, total: Tensor) -> float:
        """Return the figure.

        Args:
            total: The vector of all parts.

        Raises:
            ValueError: If there were no examples.
        """
        try:
            return self.figure(total.double())
        except ZeroDivisionError:
            raise ValueError(f"{self.name}: there are no examples to measure.") from None

    @classmethod
    @override
    def of(cls, source: Any) -> Metric:
        """Make a metric of a partial of one, or of any function of scores and targets."""
        if isinstance(source, Metric):
            return source
        if isinstance(source, functools.partial) and isinstance(source.func, Metric):
            return source.func.with_options(source)
        if isinstance(source, functools.partial) and isinstance(source.func, Loss):
            source = Loss.of(source)
        return MeanMetric(source)

    def with_options(self, source: functools.partial[Any]) -> Self:
        """Return this metric with the options of a partial of it, and a name that says so."""
        options = options_of(source)
        made = type(self)(
            functools.partial(self.function, **options),
            self.figure,
            greater_is_better=self.greater_is_better,
            takes=self.takes,
            combine=self.combine,
            source=source,
        )
        made.name = f"{self.name}({', '.join(f'{key}={options[key]!r}' for key in options)})"
        return made


class MeanMetric(Metric):
    """The mean of what a function gives for each example: a loss, or a user's own.

    A user's figure is the better the greater it is, unless its name says ``loss`` or ``error``,
    or the function has an attribute ``greater_is_better``. It sees the values that `predict`
    gives, unless the function has an attribute ``takes = "scores"``.

    Args:
        function: Outputs and targets to one value per example.
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        known = isinstance(function, Loss)
        takes = function.takes if known else definition_of(function)[0]
        super().__init__(function, ratio, greater_is_better=False, takes=takes, source=function)
        costs = known or self.name.endswith(("loss", "error"))
        self.greater_is_better = bool(getattr(function, "greater_is_better", not costs))
        self.function = self.gather_mean

    def gather_mean(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return the sum of the values and how many there are."""
        values = self.source(scores, targets, **options)
        hint = "the mean is taken for you"
        return sum_and_count(check_one_each(f"Metric {self.name!r}", values, hint))


def metric(compute: Callable[[Tensor], float], **options: Any) -> Callable[..., Metric]:
    """Turn a function that gathers statistics into a `Metric`; a decorator.

    Args:
        compute: The vector of all parts to the figure.
        **options: Those of `Metric`, `greater_is_better` among them.
    """
    return functools.partial(Metric, compute=compute, **options)
