"""Base class of the metrics: statistics merged over batches, and a figure of these."""

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
    """A metric: ``metric(scores, targets)`` returns a number.

    Batches are measured one by one: ``gather`` returns the statistics of a batch as a vector,
    ``merge`` combines several vectors, and ``compute`` returns the figure for the result.

    Args:
        function: Function from scores, targets and options to the vector of statistics.
        compute: Function from the vector of all batches to the figure.
        greater_is_better: True for an accuracy, False for an error.
        takes: Input of the metric: the "scores" of the network, before a last Softmax or
            Sigmoid, or the "values" that `predict` returns.
        combine: Function from several vectors to one; the sum by default. A metric that needs
            all examples, such as an area under a curve, gathers a row per example and combines
            them by `torch.cat`.
        short: Another name, such as "mse"; empty for none.
        source: What it was created from, for pickling; None if it is a public name of a module.

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
        # A call returns the figure, not the statistics.
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
        """Return the statistics of these examples: float64, on the device of the scores."""
        return self.function(scores, targets).double()

    def merge(self, parts: Sequence[Tensor]) -> Tensor:
        """Combine the statistics of several batches."""
        return self.combine([part.double() for part in parts])

    def compute(self, total: Tensor) -> float:
        """Return the figure.

        Args:
            total: The statistics of all batches.

        Raises:
            ValueError: If the number of examples is 0.
        """
        try:
            return self.figure(total.double())
        except ZeroDivisionError:
            raise ValueError(f"{self.name}: there are no examples to measure.") from None

    @classmethod
    @override
    def of_function(cls, function: Any) -> Metric:
        if isinstance(function, functools.partial) and isinstance(function.func, Loss):
            function = Loss.of(function)
        return MeanMetric(function)

    @override
    def with_options(self, source: functools.partial[Any]) -> Self:
        """Return this metric with the options that a partial sets, included in its name."""
        options = options_of(source)
        metric = type(self)(
            functools.partial(self.function, **options),
            self.figure,
            greater_is_better=self.greater_is_better,
            takes=self.takes,
            combine=self.combine,
            source=source,
        )
        metric.name = f"{self.name}({', '.join(f'{key}={options[key]!r}' for key in options)})"
        return metric


class MeanMetric(Metric):
    """The mean of a loss, or of a user's function with one value per example.

    For a user's function, greater is better, unless its name ends in ``loss`` or ``error`` or
    it has an attribute ``greater_is_better``. It takes the values that `predict` returns,
    unless it has an attribute ``takes = "scores"``.

    Args:
        function: Function from outputs and targets to one value per example.
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        known = isinstance(function, Loss)
        takes = function.takes if known else definition_of(function)[0]
        super().__init__(function, ratio, greater_is_better=False, takes=takes, source=function)
        costs = known or self.name.endswith(("loss", "error"))
        self.greater_is_better = bool(getattr(function, "greater_is_better", not costs))
        self.function = self.gather_mean

    def gather_mean(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        """Return the sum of the values and their number."""
        values = self.source(scores, targets, **options)
        hint = "the metric takes the mean"
        return sum_and_count(check_one_each(f"Metric {self.name!r}", values, hint))


def metric(compute: Callable[[Tensor], float], **options: Any) -> Callable[..., Metric]:
    """Decorate a function that gathers statistics to make it a `Metric`.

    Args:
        compute: Function from the statistics of all batches to the figure.
        **options: Options of `Metric`, including `greater_is_better`.
    """
    return functools.partial(Metric, compute=compute, **options)
