"""A summary as HTML for notebooks, readable on light and on dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neuropil.analysis.summary import summary_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.summary.summary_rows import Row

# Colours are inherited from the page; lines and quiet text are translucent.
STYLE = """
.neuropil-summary { font: 13px/1.4 system-ui, sans-serif; overflow-x: auto }
.neuropil-summary table { border-collapse: collapse; border: none; margin: 0;
  font: inherit; color: inherit }
.neuropil-summary th, .neuropil-summary td { padding: 3px 10px; border: none; text-align: left;
  white-space: nowrap; background: none; color: inherit }
.neuropil-summary thead th { border-bottom: 1px solid; font-weight: 600 }
.neuropil-summary tbody tr + tr td { border-top: 1px solid rgba(128, 128, 128, .22) }
.neuropil-summary .number { text-align: right; font-variant-numeric: tabular-nums }
.neuropil-summary code { font-size: 12px; background: none; color: inherit; padding: 0 }
.neuropil-summary .quiet { opacity: .65 }
.neuropil-summary dl { display: grid; grid-template-columns: max-content auto; gap: 2px 14px;
  margin: 10px }
.neuropil-summary dt { font-weight: 600 } .neuropil-summary dd { margin: 0 }
.neuropil-summary p { margin: 10px }
""".strip()

TITLES = ("Layer", "Written as", "Input", "Output")
NUMBERS = {
    "Parameters": summary_text.parameters,
    "Multiply–adds": summary_text.multiply_adds,
    "Receptive field": summary_text.field,
    "Memory": summary_text.output_memory,
}


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
    head = "".join(f"<th>{title}</th>" for title in TITLES)
    head += "".join(f'<th class="number">{title}</th>' for title in numbers)
    links = summary_text.links(rows)
    body = "\n".join(
        table_row(row, link, numbers) for row, link in zip(rows, links, strict=True)
    )
    lines = "".join(f"<dt>{title}</dt><dd>{escape(text)}</dd>" for title, text in totals)
    paragraphs = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f'<div class="neuropil-summary"><style>{STYLE}</style>\n<table><thead><tr>{head}</tr>'
        f"</thead><tbody>\n{body}\n</tbody></table><dl>{lines}</dl>{paragraphs}</div>"
    )


def table_row(row: Row, link: str, numbers: list[str]) -> str:
    """Return one row of the table as HTML."""
    indent = 10 + 18 * row.depth
    name = f'<td style="padding-left: {indent}px">{escape(summary_text.short_name(row))}</td>'
    takes = f' <span class="quiet">{escape(link)}</span>' if link else ""
    layer = f"<td><code>{escape(row.layer)}</code>{takes}</td>"
    shapes = "".join(
        f"<td>{escape(shape(row))}</td>"
        for shape in (summary_text.input_shapes, summary_text.output_shape)
    )
    values = "".join(
        f'<td class="number">{escape(NUMBERS[title](row))}</td>' for title in numbers
    )
    return f"<tr>{name}{layer}{shapes}{values}</tr>"
