"""Rows of the health table: the outputs and gradients of each layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from markupsafe import Markup
from torch import Tensor, nn

from neuropil.analysis.health.layer_recorder import (
    RANGES,
    OutputRecord,
    Recorder,
    is_activation,
    own_parameters,
    real_values,
)
from neuropil.analysis.quantities import table_lines
from neuropil.notebook_html import notebook_page, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HEALTHY = "Healthy: gradients reach every layer, and none explode."


class LayerHealth(NamedTuple):
    """Outputs and gradients of one layer; ``None`` where a figure does not apply.

    Args:
        name: The layer's name in the network.
        kind: Its type.
        parameters: Number of its trainable weights.
        gradient: Root mean square of their gradient; None where the loss does not depend on
            them, or none is trainable.
        weight: Root mean square of these weights.
        mean: Mean of the outputs.
        deviation: Standard deviation of the outputs.
        units: Number of units or channels of an activation, counted at each call.
        dead: Number of units that are 0 for every example and position.
        values: Number of values recorded for each unit.
        saturated: Share of an activation's outputs near the ends of its range.
        finite: Whether all outputs and all entries of the gradient are finite.
    """

    name: str
    kind: str
    parameters: int
    gradient: float | None
    weight: float | None
    mean: float | None
    deviation: float | None
    units: int | None
    dead: int | None
    values: int
    saturated: float | None
    finite: bool

    @property
    def title(self) -> str:
        """The name, followed by the type where the name is only a number."""
        numbered = self.name.rpartition(".")[2].isdigit()
        return f"{self.name} ({self.kind})" if numbered else self.name

    @property
    def relative(self) -> float | None:
        """Norm of the gradient over that of the weights; None where either is missing."""
        return (
            self.gradient / self.weight if self.gradient is not None and self.weight else None
        )

    @property
    def size(self) -> float | None:
        """Root mean square of the outputs."""
        if self.mean is None or self.deviation is None:
            return None
        return math.hypot(self.mean, self.deviation)


def rows_of(
    recorder: Recorder, gradients: Mapping[int, Tensor | None]
) -> tuple[LayerHealth, ...]:
    """Return a row for each layer that has weights, is an activation or is not finite.

    Args:
        recorder: The record of the forward pass.
        gradients: Gradient of each trainable parameter, by the parameter's id.
    """
    rows: list[LayerHealth] = []
    counted: set[int] = set()
    for name in recorder.names():
        module = recorder.modules[name]
        own = [p for p in own_parameters(module) if id(p) in gradients and id(p) not in counted]
        counted.update(map(id, own))
        row = row_of(name, module, recorder.seen[name], own, gradients)
        if own_parameters(module) or is_activation(module) or not row.finite:
            rows.append(row)
    return tuple(rows)


def row_of(
    name: str,
    module: nn.Module,
    seen: Sequence[OutputRecord],
    own: Sequence[nn.Parameter],
    gradients: Mapping[int, Tensor | None],
) -> LayerHealth:
    """Return the row of one layer."""
    mean, deviation, dead, saturated = pool_calls(seen)
    found = [g for p in own if (g := gradients[id(p)]) is not None]
    count = sum(p.numel() for p in own)
    units = sum(call.units for call in seen)
    gradient = norm(found) / math.sqrt(count) if found else None
    return LayerHealth(
        name=name,
        kind=type(module).__name__,
        parameters=count,
        gradient=gradient,
        weight=norm(own) / math.sqrt(count) if own else None,
        mean=mean,
        deviation=deviation,
        units=units or None,
        dead=round(dead) if units else None,
        values=min((call.values // max(1, call.units) for call in seen), default=0),
        saturated=saturated if type(module) in RANGES and seen else None,
        finite=math.isfinite(mean or 0.0) and math.isfinite(gradient or 0.0),
    )


def pool_calls(seen: Sequence[OutputRecord]) -> tuple[float | None, float | None, float, float]:
    """Return mean, deviation, number of dead units and saturated share over all calls."""
    if not seen:
        return None, None, 0.0, 0.0
    calls = torch.stack([call.figures for call in seen]).double().tolist()
    means, deviations, dead, saturated = zip(*calls, strict=True)
    if not all(map(math.isfinite, means)):
        return math.nan, math.nan, 0.0, 0.0
    shares = [call.values / sum(call.values for call in seen) for call in seen]

    def average(values: Iterable[float]) -> float:
        return math.fsum(s * v for s, v in zip(shares, values, strict=True))

    # Law of total variance: σ² = Σ sᵢ·(σᵢ² + (mᵢ − m)²) for shares sᵢ of all values.
    mean = average(means)
    apart = (math.hypot(d, m - mean) for m, d in zip(means, deviations, strict=True))
    deviation = math.hypot(*(math.sqrt(s) * d for s, d in zip(shares, apart, strict=True)))
    return mean, deviation, sum(dead), average(saturated)


def norm(tensors: Sequence[Tensor]) -> float:
    """Return the Euclidean norm of several tensors together, without overflow on the way."""
    norms = []
    for tensor in tensors:
        wide = tensor.dtype if tensor.device.type == "mps" else torch.float64
        norms.append(torch.linalg.vector_norm(real_values(tensor.detach()), dtype=wide))
    return math.hypot(*torch.stack(norms).tolist())


# The table


def as_text(rows: Sequence[LayerHealth], verdicts: Sequence[str]) -> str:
    """Return the table as text, with the verdicts below it."""
    return "\n".join([*table_lines(columns_of(rows), {"Layer"}), *lines_below(verdicts)])


def as_html(rows: Sequence[LayerHealth], verdicts: Sequence[str]) -> str:
    """Return the table as HTML, with the verdicts below it."""
    columns = columns_of(rows)
    numbers = [title for title in columns if title != "Layer"]
    below = (Markup("<p>{}</p>").format(line) for line in lines_below(verdicts))
    return notebook_page(
        table([*columns], zip(*columns.values(), strict=True), numbers), *below
    )


def columns_of(rows: Sequence[LayerHealth]) -> dict[str, list[str]]:
    """Return the cells of each column that is not empty."""
    columns = {title: list(map(cell, rows)) for title, cell in COLUMNS.items()}
    return {title: cells for title, cells in columns.items() if any(cells)}


def lines_below(verdicts: Sequence[str]) -> list[str]:
    """Return the lines below the table."""
    return [f"{verdict}." for verdict in verdicts] or [HEALTHY]


def number(value: float | None) -> str:
    """Return a number with three digits; an empty string for ``None``."""
    if value is None:
        return ""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.2g}"


COLUMNS: dict[str, Callable[[LayerHealth], str]] = {
    "Layer": lambda row: row.title,
    "Gradient": lambda row: number(row.gradient),
    "Weights": lambda row: number(row.weight),
    "Ratio": lambda row: number(row.relative),
    "Mean": lambda row: number(row.mean),
    "Deviation": lambda row: number(row.deviation),
    "Dead": lambda row: "" if row.dead is None else f"{row.dead} of {row.units}",
    "Saturated": lambda row: "" if row.saturated is None else f"{row.saturated:.0%}",
}
