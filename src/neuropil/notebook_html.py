"""HTML for notebooks: tables and facts that keep their look under the notebook's own style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from neuropil.text import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

# Jupyter aligns, pads and colours cells by selectors of two classes and an element; three times
# our own class outranks them. Text has the colour of the page, which is light or dark.
# `color-scheme` chooses between the colours of `light-dark()`: that of the notebook's theme
# where it is known, else that of the reader's system.
STYLE = """
.neuropil { color-scheme: light dark; overflow-x: auto;
  font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif) }
[data-jp-theme-light="true"] .neuropil, .vscode-light .neuropil { color-scheme: light }
[data-jp-theme-light="false"] .neuropil, .vscode-dark .neuropil { color-scheme: dark }
.neuropil.neuropil.neuropil table { border-collapse: collapse; border: none; margin: 0;
  table-layout: auto; font: inherit; color: inherit }
.neuropil.neuropil.neuropil table + table { margin-top: 12px }
.neuropil.neuropil.neuropil tr { background: none }
.neuropil.neuropil.neuropil :is(th, td) { padding: 3px 10px; border: none; text-align: left;
  vertical-align: baseline; white-space: nowrap; background: none;
  color: inherit }
.neuropil.neuropil.neuropil .number { text-align: right; font-variant-numeric: tabular-nums }
.neuropil.neuropil.neuropil thead th { font-weight: 600;
  border-bottom: 1px solid var(--jp-border-color1, rgba(128, 128, 128, .6)) }
.neuropil.neuropil.neuropil tbody tr + tr > * {
  border-top: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .25)) }
.neuropil.neuropil.neuropil code { font-size: 12px; padding: 0; background: none;
  color: inherit; white-space: normal }
.neuropil.neuropil.neuropil td svg { vertical-align: middle }
.neuropil.neuropil.neuropil tbody th { font-weight: 600 }
.neuropil.neuropil.neuropil .wide { white-space: normal; overflow-wrap: anywhere;
  max-width: 60em }
.neuropil .quiet { opacity: .65 }
.neuropil.neuropil.neuropil p { margin: 6px 10px }
""".strip()


def notebook_page(*parts: str) -> Markup:
    """Return HTML with the style that all notebook output shares.

    Args:
        *parts: The HTML of the parts, one below the other.

    Example:
        >>> notebook_page("<p>x</p>").endswith("</style><p>x</p></div>")
        True
    """
    return Markup('<div class="neuropil"><style>{}</style>{}</div>').format(
        Markup(STYLE), Markup("".join(parts))
    )


def table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()
) -> Markup:
    """Return a table.

    Args:
        titles: The titles of the columns.
        rows: The cells of each row; text is escaped, `Markup` is not.
        numbers: The titles of the columns that are aligned at the right.

    Example:
        >>> table(["name", "size"], [["<a>", "1"]], {"size"}).count("&lt;a&gt;")
        1
    """
    styles = [Markup(' class="number"') if t in numbers else Markup() for t in titles]
    head = cells("th", titles, styles)
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(cells("td", row, styles)) for row in rows
    )
    return Markup("\n<table><thead><tr>{}</tr></thead><tbody>\n{}\n</tbody></table>").format(
        head, body
    )


def cells(tag: str, texts: Sequence[str], styles: Sequence[Markup]) -> Markup:
    """Return the cells of a row."""
    return Markup().join(
        Markup("<{0}{1}>{2}</{0}>").format(tag, style, plain(text))
        for text, style in zip(texts, styles, strict=True)
    )


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return facts as a table of two columns, titles and texts.

    Args:
        pairs: Titles and texts; text is escaped, `Markup` is not.

    Example:
        >>> "<th>loss</th>" in facts([("loss", "squared_error")])
        True
    """
    rows = Markup("\n").join(
        Markup('<tr><th>{}</th><td class="wide">{}</td></tr>').format(plain(title), plain(text))
        for title, text in pairs
    )
    return Markup("\n<table><tbody>\n{}\n</tbody></table>").format(rows)


def plain(text: str) -> str:
    """Return text without characters that would control the page; `Markup` as it is."""
    return text if isinstance(text, Markup) else visible(text)
