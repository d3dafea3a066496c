"""What stands in the columns of a summary, the same in a terminal and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.quantities import field_size, grouped, memory_size, short_count
from neuropil.core import format_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.summary.summary_rows import Row
    from neuropil.analysis.summary.summary_table import Summary, Totals


def short_name(row: Row) -> str:
    """Return a row's name: inside a layer, its part of that layer and its name there."""
    return ".".join(row.name.split(".")[-2:]) if row.depth else row.name


def input_shapes(row: Row) -> str:
    """Return the shapes that a row takes."""
    return " ".join(map(format_shape, row.input_shapes or ()))


def output_shape(row: Row) -> str:
    """Return the shape that a row gives."""
    return "" if row.output_shape is None else format_shape(row.output_shape)


def parameters(row: Row) -> str:
    """Return a row's parameters, or that they stand in an earlier row."""
    return "shared" if row.shared else grouped(row.parameters)


def multiply_adds(row: Row) -> str:
    """Return a row's multiply–adds in full."""
    return grouped(row.multiply_adds)


def short_multiply_adds(row: Row) -> str:
    """Return a row's multiply–adds in three digits."""
    return short_count(row.multiply_adds)


def field(row: Row) -> str:
    """Return a row's receptive field."""
    return field_size(row.receptive_field, sees_all=row.sees_all) if row.receptive_field else ""


def output_memory(row: Row) -> str:
    """Return what a row's output takes."""
    return memory_size(row.output_bytes)


def links(rows: Sequence[Row]) -> list[str]:
    """Return for each row what it takes, unless that is what stands above it."""
    above: dict[int, str] = {}
    texts: list[str] = []
    for row in rows:
        names = tuple(name.rsplit(".", 1)[-1] for name in row.takes)
        plain = names in {(), ("input",), (above.get(row.depth),)}
        texts.append("" if plain else "← " + ", ".join(names))
        above[row.depth] = row.name.rsplit(".", 1)[-1]
    return texts


def total_lines(summary: Summary) -> list[tuple[str, str]]:
    """Return the totals as titles and texts, those that are known."""
    totals = summary.totals
    lines = []
    if totals.parameters is not None:
        lines.append(("Parameters", parameter_text(totals)))
    if totals.multiply_adds is not None:
        rounded = short_count(totals.multiply_adds)
        full = grouped(totals.multiply_adds)
        lines.append(("Multiply–adds", full if rounded == full else f"{full} ({rounded})"))
    if totals.inference_bytes is not None:
        text = f"{memory_size(totals.inference_bytes)} at once in inference, "
        if totals.training_bytes is not None:
            text += f"{memory_size(totals.training_bytes)} kept in training, "
        lines.append(("Activations", f"{text}for {summary.per}"))
    return lines


def parameter_text(totals: Totals) -> str:
    """Return how many parameters there are, what they take, and how many are frozen."""
    text = f"{grouped(totals.parameters)} ({memory_size(totals.parameter_bytes)})"
    return f"{text}, {grouped(totals.frozen)} of them frozen" if totals.frozen else text
