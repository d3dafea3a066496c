"""Regression: one or several numbers for each example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from typing_extensions import override

from neuropil.datasets import Numbers
from neuropil.layers import Linear
from neuropil.runs.figures.decoded_metric import decoding_metric, figure_of
from neuropil.runs.task import Figures, Mistake, Task
from neuropil.text import some_of
from neuropil.training.metrics import value_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from neuropil.core import Layer
    from neuropil.core.loss_kinds import Takes
    from neuropil.training.metrics.base import Metric

MOST, MOST_PLACES = 1e15, 6
# Digits of a number in a table after the first two of its error, for programs that read it.
MORE_DIGITS = 5


@final
@dataclass(frozen=True)
class Regression(Task[Numbers]):
    """One or several numbers for each example; answers are in the units of the labels.

    Shape:
        Outputs and targets ``(N, k)``, or also ``(N)`` if k = 1; answers ``(N)`` if k = 1, else
        ``(N, k)``.

    Args:
        target: Mean and scale of the numbers.
        loss_name: Name of the loss, which is computed on standardised numbers.

    Example:
        >>> import torch
        >>> task = Regression(Numbers((10.0,), (2.0,)))
        >>> task.encode(torch.tensor([12.0])), task.decode(torch.tensor([[1.0]]))
        (tensor([1.]), tensor([12.], dtype=torch.float64))
    """

    name: ClassVar[str] = "regression"
    takes: ClassVar[Takes] = "values"
    losses: ClassVar[tuple[str, ...]] = ("squared_error", "huber", "absolute_error")
    asks: ClassVar[str] = "numbers to predict"
    answers: ClassVar[str] = "numbers"

    target: Numbers
    loss_name: str = "squared_error"

    @override
    def last_layer(self) -> Layer:
        return Linear(self.outputs)

    @override
    def encode(self, targets: Tensor) -> Tensor:
        return self.target.standardize(targets)

    @override
    def restore(self, targets: Tensor) -> Tensor:
        return self.decode(targets)

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        restored = self.target.restore(outputs.reshape(outputs.shape[0], -1))
        return restored.squeeze(1) if self.outputs == 1 else restored

    @override
    def metrics(self) -> tuple[Metric, ...]:
        r2, error = value_metrics.r2, value_metrics.mean_absolute_error
        if not self.target.columns:
            own = (r2, value_metrics.root_mean_squared_error, error)
            return tuple(decoding_metric(self, metric) for metric in own)
        # Errors of different quantities have no common unit.
        each = (
            decoding_metric(self, metric, column)
            for column in range(self.outputs)
            for metric in (r2, error)
        )
        return (decoding_metric(self, r2), *each)

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return all examples, largest error first, in units of the standard deviation."""
        errors = (answers - targets).reshape(len(answers), -1)
        size = (errors / errors.new_tensor(self.target.scale)).abs().amax(1)
        order = size.argsort(descending=True, stable=True).tolist()
        return [Mistake(k, "error", float(size[k])) for k in order]

    @override
    def goal(self) -> str:
        names = self.target.names
        if not names and self.outputs > 1:
            return f"regression of {self.outputs} numbers"
        return f"regression of {some_of(map(repr, names), 5)}" if names else "regression"

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        if self.target.columns:
            return self.verdict_on_columns(figures, examples)
        what = repr(self.target.name) if self.target.name else "the value"
        error, r2 = figures["mean_absolute_error"], figures["r2"]
        off = f"{what} off by {in_full(error or 0)} on average over the {examples}"
        if r2 is None:
            return off
        if r2 <= 0:
            return f"no better than always predicting the mean (R² {r2:.3f}): {off}"
        return f"{off}, R² {r2:.3f}"

    def verdict_on_columns(self, figures: Figures, examples: str) -> str:
        """Return R² and the error of each target column as a sentence."""
        each = []
        for name in self.target.columns:
            error, r2 = (figures[figure_of(m, name)] for m in ("mean_absolute_error", "r2"))
            certain = "R² unknown" if r2 is None else f"R² {r2:.3f}"
            each.append(f"{name!r} off by {in_full(error or 0)} ({certain})")
        return f"{some_of(each, 5)} on average over the {examples}"

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        columns = self.target.columns
        for name, value in zip(names, answers.tolist(), strict=True):
            named = dict(zip(columns, value, strict=True)) if columns else value
            yield {"name": name, "value": named}

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        numbered = [f"value {number + 1}" for number in range(self.outputs)]
        names = self.target.names or (["value"] if self.outputs == 1 else numbered)
        rows = answers.reshape(len(answers), -1).tolist()
        texts = [self.format_numbers(row, figures, MORE_DIGITS) for row in rows]
        return {
            f"predicted {name}": [float(row[k]) for row in texts]
            for k, name in enumerate(names)
        }

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        numbers = self.format_numbers(answer.reshape(-1).tolist(), figures)
        named = zip(self.target.columns, numbers, strict=True) if self.target.columns else ()
        return ", ".join(f"{name} {number}" for name, number in named) or ", ".join(numbers)

    def format_numbers(
        self, numbers: list[float], figures: Mapping[str, Figures], extra: int = 0
    ) -> list[str]:
        """Return predicted numbers as text, each with the digits that its error justifies.

        If the measured error is a mean over all outputs, each output gets a part in proportion
        to its scale.
        """
        scales, columns = self.target.scale, self.target.columns
        error = measured("mean_absolute_error", figures)
        own = [error and error * scale * len(scales) / sum(scales) for scale in scales]
        if columns:
            own = [measured(figure_of("mean_absolute_error", c), figures) for c in columns]
        pairs = zip(numbers, own, strict=True)
        return [with_sensible_digits(number, share, extra) for number, share in pairs]


# The parts of the data, in the order of how well they predict the error on new examples.
PARTS = ("test", "validation", "train")


def measured(name: str, figures: Mapping[str, Figures]) -> float | None:
    """Return a figure of the most independent part that has it; None if none has."""
    values = (figures.get(part, {}).get(name) for part in PARTS)
    return next((value for value in values if value is not None), None)


def with_sensible_digits(value: float, error: float | None, extra: int = 0) -> str:
    """Return a number as text, with the digits that its error justifies.

    Args:
        value: The number.
        error: The mean absolute error of such numbers, if known.
        extra: Number of digits after the first two of the error.
    """
    if not error or not math.isfinite(value):
        return f"{value:.10g}"
    places = 1 - math.floor(math.log10(error)) + extra
    if places <= MOST_PLACES and abs(value) < MOST:
        return f"{value:.{max(0, places)}f}"
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(17, max(1, size + places + 1))}g}"


def in_full(value: float) -> str:
    """Return a number as text, without an exponent if all digits fit.

    Example:
        >>> in_full(27759.12), in_full(0.05), in_full(3.2e12)
        ('27,759', '0.05', '3.2e+12')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
