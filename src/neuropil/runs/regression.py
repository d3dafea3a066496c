"""Regression: one or several numbers for each example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from typing_extensions import override

from neuropil.datasets import Numbers
from neuropil.layers import Linear
from neuropil.runs.decoded_metric import decoding_metric
from neuropil.runs.task import Figures, Mistake, Task
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
        restored = self.target.restore(outputs.reshape(len(outputs), -1))
        return restored.squeeze(1) if self.outputs == 1 else restored

    @override
    def metrics(self) -> tuple[Metric, ...]:
        own = (
            value_metrics.r2,
            value_metrics.root_mean_squared_error,
            value_metrics.mean_absolute_error,
        )
        return tuple(decoding_metric(self, metric) for metric in own)

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return all examples, largest error first, in units of the standard deviation."""
        errors = (answers - targets).reshape(len(answers), -1)
        size = (errors / errors.new_tensor(self.target.scale)).abs().amax(1)
        order = size.argsort(descending=True, stable=True).tolist()
        return [Mistake(k, "error", float(size[k])) for k in order]

    @override
    def goal(self) -> str:
        of = f" of {self.target.name!r}" if self.target.name else ""
        several = f"regression of {self.outputs} numbers"
        return f"regression{of}" if self.outputs == 1 else several

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        what = repr(self.target.name) if self.target.name else "the value"
        error, r2 = figures["mean_absolute_error"], figures["r2"]
        off = f"{what} off by {in_full(error or 0)} on average over the {examples}"
        if r2 is None:
            return off
        if r2 <= 0:
            return f"no better than always predicting the mean (R² {r2:.3f}): {off}"
        return f"{off}, R² {r2:.3f}"

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for name, value in zip(names, answers.tolist(), strict=True):
            yield {"name": name, "value": value}

    @override
    def columns(self, answers: Tensor, figures: Mapping[str, Figures]) -> dict[str, list[str]]:
        title = f"predicted {self.target.name or 'value'}"
        several = [f"{title} {number + 1}" for number in range(self.outputs)]
        rows = answers.reshape(len(answers), -1).tolist()
        texts = [self.format_numbers(row, figures, MORE_DIGITS) for row in rows]
        titles = [title] if self.outputs == 1 else several
        return {name: [row[k] for row in texts] for k, name in enumerate(titles)}

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        return ", ".join(self.format_numbers(answer.reshape(-1).tolist(), figures))

    def format_numbers(
        self, numbers: list[float], figures: Mapping[str, Figures], extra: int = 0
    ) -> list[str]:
        """Return predicted numbers as text, each with the digits that its error justifies.

        The measured error is a mean over all outputs; each output gets a part in proportion to
        its scale.
        """
        measured = (figures.get(part, {}).get("mean_absolute_error") for part in PARTS)
        error = next((e for e in measured if e is not None), None)
        scales = self.target.scale
        own = [error and error * scale * len(scales) / sum(scales) for scale in scales]
        pairs = zip(numbers, own, strict=True)
        return [with_sensible_digits(number, share, extra) for number, share in pairs]


# The parts of the data, in the order of how well they predict the error on new examples.
PARTS = ("test", "validation", "train")


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
