"""Base class of the metrics: statistics merged over batches, and a figure of these."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import numbers
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.loss_kinds import definition_of
from neuropil.training.losses.base import Loss
from neuropil.training.metrics.nested import concatenate, each
from neuropil.training.metrics.statistics import add_up, ratio, sum_and_count
from neuropil.training.named_function import Named, check_one_each, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.core.loss_kinds import Takes

# A vector or rows of float64, or the outputs and targets themselves.
Statistics: TypeAlias = "Tensor | tuple[Any, Any]"


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
        with contextlib.suppress(ValueError):  # some functions of torch have no signature
            own = inspect.signature(function)
            self.__signature__ = own.replace(return_annotation="float")
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
    def gather(self, scores: Any, targets: Any) -> Statistics:
        """Return the statistics of these examples: float64, on the device of the scores."""
        return self.function(scores, targets).double()

    def merge(self, parts: Sequence[Any]) -> Statistics:
        """Combine the statistics of several batches."""
        return self.combine([part.double() for part in parts])

    def compute(self, total: Any) -> float:
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
        return FunctionMetric(function)

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

    def with_name(self, name: str) -> Metric:
        """Return this metric under another name."""
        public = self.source is None  # a public metric is not changed
        named = self.with_options(functools.partial(self)) if public else copy.copy(self)
        named.name = name
        return named


class FunctionMetric(Metric):
    """A metric from a loss, or from a user's function of outputs and targets.

    A function that returns one value per example is averaged. One that returns a single number
    is called at the end, with the outputs and targets of all examples, since the mean over
    batches of an area under a curve, or of a ratio, is not that of all examples.

    For a user's function, greater is better, unless its name ends in ``loss`` or ``error`` or
    it has an attribute ``greater_is_better``. It takes the values that `predict` returns,
    unless it has an attribute ``takes = "scores"``.

    Args:
        function: Function from outputs and targets to one value per example, or to one number.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        known = isinstance(function, Loss)
        takes = function.takes if known else definition_of(function)[0]
        super().__init__(function, ratio, greater_is_better=False, takes=takes, source=function)
        costs = known or self.name.endswith(("loss", "error"))
        self.greater_is_better = bool(getattr(function, "greater_is_better", not costs))
        # Whether the function gives a single number; the first examples tell.
        self.needs_all: bool | None = None

    @override
    def __call__(self, scores: Any, targets: Any, **options: Any) -> float:
        with torch.no_grad():
            values = self.source(scores, targets, **options)
            return float(values) if is_number(values) else self.compute(self.sums(values))

    @override
    @torch.no_grad()
    def gather(self, scores: Any, targets: Any) -> Statistics:
        if self.needs_all:
            return scores, targets
        values = self.value_of(scores, targets)
        if self.needs_all is None:
            self.needs_all = is_number(values)
        return (scores, targets) if self.needs_all else self.sums(values)

    @override
    def merge(self, parts: Sequence[Any]) -> Statistics:
        sums = all(isinstance(part, Tensor) for part in parts)
        return super().merge(parts) if sums else concatenate(list(parts))

    @override
    @torch.no_grad()
    def compute(self, total: Any) -> float:
        if isinstance(total, Tensor):
            return super().compute(total)
        return float(self.value_of(*total))

    def value_of(self, scores: Any, targets: Any) -> Any:
        """Return the value of the function; functions of NumPy get tensors on the CPU.

        Raises:
            TypeError: If the function does.
        """
        try:
            return self.source(scores, targets)
        except TypeError:
            if not isinstance(scores, Tensor) or scores.device.type == "cpu":
                raise
            return self.source(scores.cpu(), each(targets, Tensor.cpu))

    def sums(self, values: Any) -> Tensor:
        """Return the sum of one value per example and their number.

        Raises:
            ValueError: If the function returned something else.
        """
        hint = "the metric takes the mean, or return a single number for all examples"
        return sum_and_count(check_one_each(f"Metric {self.name!r}", values, hint)).double()


def is_number(values: Any) -> bool:
    """Tell whether a function returned a single number."""
    if isinstance(values, Tensor):
        return values.dim() == 0
    return isinstance(values, numbers.Real)


def metric(compute: Callable[[Tensor], float], **options: Any) -> Callable[..., Metric]:
    """Decorate a function that gathers statistics to make it a `Metric`.

    Args:
        compute: Function from the statistics of all batches to the figure.
        **options: Options of `Metric`, including `greater_is_better`.
    """
    return functools.partial(Metric, compute=compute, **options)
