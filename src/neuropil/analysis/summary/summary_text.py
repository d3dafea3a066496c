"""A summary in the terminal: an aligned table in plain text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from neuropil.analysis.summary import summary_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.summary.summary_rows import Row
    from neuropil.analysis.summary.summary_table import Summary

GAP = "  "
NAME, LAYER, OUTPUT = "Layer", "Written as", "Output"
LEFT = {NAME, LAYER, OUTPUT}

# From all there is to the least, each with how much of the layers' text must be left.
ATTEMPTS: tuple[tuple[Callable[[Row], str], bool, int], ...] = (
    (summary_columns.multiply_adds, True, 36),
    (summary_columns.short_multiply_adds, True, 16),
    (summary_columns.short_multiply_adds, False, 16),
)


def as_text(summary: Summary, width: int) -> str:
    """Return a summary as lines of at most `width` characters, unless names are too long."""
    table = fitted(summary.rows, width)
    widths = [max(map(len, (title, *cells))) for title, cells in table.items()]
    head, *lines = (
        GAP.join(
            cell.ljust(size) if title in LEFT else cell.rjust(size)
            for cell, title, size in zip(row, table, widths, strict=True)
        )
        for row in [tuple(table), *zip(*table.values(), strict=True)]
    )
    ruler = "─" * len(head)
    return "\n".join(map(str.rstrip, [head, ruler, *lines, ruler, *below(summary, width)]))


def fitted(rows: Sequence[Row], width: int) -> dict[str, list[str]]:
    """Return the cells of each column, as many columns as fit."""
    pairs = list(zip([row.layer for row in rows], summary_columns.links(rows), strict=True))
    longest = max(len(shortened(*pair, width)) for pair in pairs)
    for cost, memory, least in ATTEMPTS:
        table = cells(rows, cost, memory=memory)
        taken = sum(max(map(len, (title, *column))) for title, column in table.items())
        room = width - taken - len(GAP) * len(table)
        if room >= min(least, longest):
            texts = [shortened(*pair, room) for pair in pairs]
            names = table.pop(NAME)
            return {NAME: names, LAYER: texts, **table}
    return cells(rows, summary_columns.short_multiply_adds, memory=True)


def cells(
    rows: Sequence[Row], cost: Callable[[Row], str], *, memory: bool
) -> dict[str, list[str]]:
    """Return the cells of each column but the layers' text; empty columns are left out."""
    makers = {
        NAME: lambda row: "  " * row.depth + summary_columns.short_name(row),
        OUTPUT: summary_columns.output_shape,
        "Parameters": summary_columns.parameters,
        "Mult–adds": cost,
        "Field": summary_columns.field,
        "Memory": summary_columns.output_memory,
    }
    if not memory:
        del makers["Memory"]
    table = {title: list(map(maker, rows)) for title, maker in makers.items()}
    return {title: column for title, column in table.items() if any(column)}


def shortened(text: str, link: str, room: int) -> str:
    """Return a layer's text and what it takes, cut to the room there is: the text first."""
    if link:
        link = link[: max(room - 9, 2) - 1] + "…" if len(link) > room - 9 else link
        room -= len(link) + 1
    if len(text) > room:
        text = text[: max(room - 1, 1)] + "…"
    return f"{text} {link}" if link else text


def below(summary: Summary, width: int) -> list[str]:
    """Return the lines under the table."""
    lines = summary_columns.total_lines(summary)
    margin = max((len(title) for title, _ in lines), default=0)
    texts = [f"{title:<{margin}}{GAP}{text}" for title, text in lines]
    indent = " " * (margin + len(GAP))
    wrapped = [textwrap.wrap(text, width, subsequent_indent=indent) for text in texts]
    notes = [textwrap.wrap(note, width) for note in summary.notes]
    return [line for lines in (*wrapped, *notes) for line in lines]
