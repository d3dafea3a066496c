"""A summary as HTML for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from neuropil.analysis.summary import summary_text
from neuropil.notebook_html import facts, notebook_page, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.summary.summary_rows import Row

TITLES = ("Layer", "Written as", "Output")
NUMBERS = {
    "Parameters": summary_text.parameters,
    "Mult–adds": summary_text.multiply_adds,
    "Field": summary_text.field,
    "Memory": summary_text.output_memory,
}
# No-break spaces, since pages that remove styles would lose a padding.
INDENT = "\N{NO-BREAK SPACE}" * 4


def as_html(
    rows: Sequence[Row], totals: Sequence[tuple[str, str]], notes: Sequence[str]
) -> str:
    """Return a summary as one HTML element that includes its style.

    Args:
        rows: Rows of the table.
        totals: Lines below the table, as titles and texts.
        notes: Paragraphs below the totals.
    """
    numbers = [title for title, text in NUMBERS.items() if any(map(text, rows))]
    links = summary_text.links(rows)
    cells = [
        [*text_cells(row, link), *(NUMBERS[title](row) for title in numbers)]
        for row, link in zip(rows, links, strict=True)
    ]
    layers = table([*TITLES, *numbers], cells, numbers)
    paragraphs = (Markup("<p>{}</p>").format(note) for note in notes)
    below = [facts(totals)] if totals else []
    return notebook_page(layers, *below, *paragraphs)


def text_cells(row: Row, link: str) -> list[str]:
    """Return the cells of a row that are not numbers."""
    takes = Markup(' <span class="quiet">{}</span>').format(link) if link else ""
    return [
        INDENT * row.depth + summary_text.short_name(row),
        Markup("<code>{}</code>{}").format(row.layer, takes),
        summary_text.output_shape(row),
    ]
