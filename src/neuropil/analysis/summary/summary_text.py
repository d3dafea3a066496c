"""A summary as an aligned plain-text table for the terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from neuropil.analysis.quantities import (
    GAP,
    field_size,
    memory_size,
    short_count,
    table_lines,
    with_separators,
)
from neuropil.core import format_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.summary.summary_rows import Row, Totals

NAME, LAYER, OUTPUT = "Layer", "Written as", "Output"
LEFT = {NAME, LAYER, OUTPUT}


def as_text(
    rows: Sequence[Row], totals: Sequence[tuple[str, str]], notes: Sequence[str], width: int
) -> str:
    """Return a summary as lines of at most `width` characters, unless names are too long.

    Args:
        rows: Rows of the table.
        totals: Lines below the table, as titles and texts.
        notes: Lines below the totals.
        width: Maximum length of a line.
    """
    table = fit_columns(rows, width)
    return "\n".join([*table_lines(table, LEFT), *below(totals, notes, width)])


def fit_columns(rows: Sequence[Row], width: int) -> dict[str, list[str]]:
    """Return the cells of each column, with as many columns as fit."""
    pairs = list(zip([row.layer for row in rows], links(rows), strict=True))
    longest = max(len(shorten(*pair, width)) for pair in pairs)
    for cost, memory, least in ATTEMPTS:
        table = cells(rows, cost, memory=memory)
        taken = sum(max(map(len, (title, *column))) for title, column in table.items())
        room = width - taken - len(GAP) * len(table)
        if room >= min(least, longest):
            texts = [shorten(*pair, room) for pair in pairs]
            names = table.pop(NAME)
            return {NAME: names, LAYER: texts, **table}
    return cells(rows, short_multiply_adds, memory=True)


def cells(
    rows: Sequence[Row], cost: Callable[[Row], str], *, memory: bool
) -> dict[str, list[str]]:
    """Return the cells of each column except the layers' text; empty columns are left out."""
    makers = {
        NAME: lambda row: "  " * row.depth + short_name(row),
        OUTPUT: output_shape,
        "Parameters": parameters,
        "Mult–adds": cost,
        "Field": field,
        "Memory": output_memory,
    }
    if not memory:
        del makers["Memory"]
    table = {title: list(map(maker, rows)) for title, maker in makers.items()}
    return {title: column for title, column in table.items() if any(column)}


def shorten(text: str, link: str, room: int) -> str:
    """Return a layer's text and inputs, cut to the available length; the text is cut first."""
    if link:
        link = link[: max(room - 9, 2) - 1] + "…" if len(link) > room - 9 else link
        room -= len(link) + 1
    if len(text) > room:
        text = text[: max(room - 1, 1)] + "…"
    return f"{text} {link}" if link else text


def below(totals: Sequence[tuple[str, str]], notes: Sequence[str], width: int) -> list[str]:
    """Return the lines below the table."""
    margin = max((len(title) for title, _ in totals), default=0)
    texts = [f"{title:<{margin}}{GAP}{text}" for title, text in totals]
    indent = " " * (margin + len(GAP))
    wrapped = [textwrap.wrap(text, width, subsequent_indent=indent) for text in texts]
    wrapped += [textwrap.wrap(note, width) for note in notes]
    return [line for lines in wrapped for line in lines]


# Cells shared by the text and HTML tables


def short_name(row: Row) -> str:
    """Return a row's name; inside a layer, only its last two parts."""
    return ".".join(row.name.split(".")[-2:]) if row.depth else row.name


def output_shape(row: Row) -> str:
    """Return the output shape of a row."""
    return "" if row.output_shape is None else format_shape(row.output_shape)


def parameters(row: Row) -> str:
    """Return the number of a row's parameters, or "shared" where an earlier row counts them."""
    return "shared" if row.shared else with_separators(row.parameters)


def multiply_adds(row: Row) -> str:
    """Return a row's multiply–adds in full."""
    return with_separators(row.multiply_adds)


def short_multiply_adds(row: Row) -> str:
    """Return a row's multiply–adds with three digits."""
    return short_count(row.multiply_adds)


def field(row: Row) -> str:
    """Return a row's receptive field."""
    return field_size(row.receptive_field, sees_all=row.sees_all) if row.receptive_field else ""


def output_memory(row: Row) -> str:
    """Return the memory of a row's output."""
    return memory_size(row.output_bytes)


def links(rows: Sequence[Row]) -> list[str]:
    """Return the inputs of each row as text, empty where its input is simply the row above."""
    above: dict[int, str] = {}
    texts: list[str] = []
    for row in rows:
        names = tuple(name.rsplit(".", 1)[-1] for name in row.takes)
        plain = names in {(), ("input",), (above.get(row.depth),)}
        texts.append("" if plain else "← " + ", ".join(names))
        above[row.depth] = row.name.rsplit(".", 1)[-1]
    return texts


def total_lines(totals: Totals, per: str) -> list[tuple[str, str]]:
    """Return the known totals as titles and texts.

    Args:
        totals: The totals.
        per: What the memory is for, such as "each sample".
    """
    lines = []
    if totals.parameters is not None:
        lines.append(("Parameters", parameter_text(totals)))
    if totals.multiply_adds is not None:
        rounded = short_count(totals.multiply_adds)
        full = with_separators(totals.multiply_adds)
        lines.append(("Multiply–adds", full if rounded == full else f"{full} ({rounded})"))
    if totals.inference_bytes is not None:
        text = f"{memory_size(totals.inference_bytes)} at once in inference, "
        if totals.training_bytes is not None:
            text += f"{memory_size(totals.training_bytes)} kept in training, "
        lines.append(("Activations", f"{text}for {per}"))
    return lines


def parameter_text(totals: Totals) -> str:
    """Return the number of parameters, their memory, and the number of frozen ones."""
    text = f"{with_separators(totals.parameters)} ({memory_size(totals.parameter_bytes)})"
    return f"{text}, {with_separators(totals.frozen)} of them frozen" if totals.frozen else text


# Layouts from full to terse, each with the least length that must remain for the layers' text.
ATTEMPTS: tuple[tuple[Callable[[Row], str], bool, int], ...] = (
    (multiply_adds, True, 36),
    (short_multiply_adds, True, 16),
    (short_multiply_adds, False, 16),
)
