"""Figures as inline SVG: small, with real text, in the colours of the page's theme."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from markupsafe import Markup

from neuropil.plots.theme import BLUE, GRID, INK, MUTED, ORANGE
from neuropil.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEMED = {INK: "ink", MUTED: "muted", GRID: "grid", BLUE: "blue", ORANGE: "orange"}
# Pixels per point: a 9-point font is 11.7 pixels high.
SCALE = 1.3
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
# Newer versions of matplotlib write the font family separately, older ones after the size.
FAMILY = re.compile(r"font-family:[^;]*;?\s*")
SHORTHAND = re.compile(r"font:([^;']*px) '[^;]*")
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def drawing(figure: Figure, name: str, alternative: str, *, least: int = 0) -> Markup:
    """Return a figure as an inline SVG.

    Args:
        figure: The figure.
        name: Prefix of its ids, unique in the page.
        alternative: A text alternative for readers who cannot see it.
        least: The minimum width in pixels; on narrower screens the figure scrolls.

    Example:
        >>> from neuropil.plots import error_by_decile
        >>> figure = error_by_decile([1.0, 2.0], [1.0, 3.0], "price")
        >>> page = drawing(figure, "deciles", "Errors.")
        >>> 'role="img" aria-label="Errors."' in page, "var(--blue)" in page
        (True, True)
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}),
        warnings.catch_warnings(),
    ):
        # The fonts of the page may have glyphs that matplotlib's lack.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        for drawn in (figure, *figure.axes):
            drawn.patch.set_visible(False)  # the page shows through
        # `savefig` would draw the figure twice.
        FigureCanvasSVG(figure).print_svg(file, metadata=no_metadata)
    root = ET.fromstring(file.getvalue())  # matplotlib's own output
    # One scale for all figures, so that their text has the same size where there is room.
    widest = round(SCALE * 72 * figure.get_figwidth())
    style = f"max-width:{widest}px" + (f";min-width:{min(least, widest)}px" if least else "")
    return Markup(inline(root, name, visible(alternative), style))


def inline(root: ET.Element, name: str, alternative: str, style: str) -> str:
    """Return an SVG as part of a page: no namespaces, unique ids, themed colours."""
    for part in list(root):
        # A stylesheet of the figure would apply to the whole page.
        if part.tag.endswith("metadata") or part.find("{*}style") is not None:
            root.remove(part)
    for part in root.iter():
        part.tag = part.tag.rpartition("}")[2]
        part.attrib = {
            key.rpartition("}")[2]: tidy(key, value, name) for key, value in part.attrib.items()
        }
        part.text = (part.text or "").strip()
        part.tail = None
        if part.get("transform", "").startswith("rotate(-0 "):
            del part.attrib["transform"]
    drop_unused_ids(root)
    for unused in ("width", "height", "version"):
        root.attrib.pop(unused, None)
    root.attrib.update({"role": "img", "aria-label": alternative, "style": style})
    return ET.tostring(root, encoding="unicode")


def tidy(key: str, value: str, name: str) -> str:
    """Return one attribute's value for use in a page."""
    if key == "id":
        return f"{name}-{value}"
    if key.endswith("href"):
        return f"#{name}-{value[1:]}" if value.startswith("#") else value.replace(", ", ",")
    value = LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", value)
    value = REFERENCE.sub(rf"url(#{name}-\1)", value)
    value = SHORTHAND.sub(r"font:\1 var(--sans)", FAMILY.sub("", value))
    for color, role in THEMED.items():
        value = value.replace(color, f"var(--{role})")
    return " ".join(value.split())


def drop_unused_ids(root: ET.Element) -> None:
    """Remove ids without references, and the groups that only carried them."""
    values = " ".join(value for part in root.iter() for value in part.attrib.values())
    used = set(re.findall(r"#([\w.-]+)", values))
    for part in root.iter():
        if part.get("id") not in used:
            part.attrib.pop("id", None)
    flatten(root)


def flatten(part: ET.Element) -> None:
    """Replace each group without attributes by its children."""
    inner: list[ET.Element] = []
    for child in part:
        flatten(child)
        inner += list(child) if child.tag == "g" and not child.attrib else [child]
    part[:] = inner
