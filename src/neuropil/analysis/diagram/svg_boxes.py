"""Drawing of boxes and lines as SVG: sizes, colours and text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.diagram.edge_curves import curve, ports
from neuropil.analysis.diagram.layout import Layout, layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.core import Layer

# All in pixels, except CHARACTER, the width of a character relative to the font size.
HEIGHT, ROW_GAP, COLUMN_GAP, LINE, MARGIN = 56, 34, 20, 8, 24
NARROWEST, WIDEST, PADDING = 128, 268, 12
NAME, TEXT, CHARACTER = 13, 11, 0.57
ARROW, CHIP, LEGEND, LEAST_LEGEND = 5, 11, 20, 260

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
INK, QUIET, WIRE, SKIP, PAPER = "#1f2933", "#52606d", "#7b8794", "#9aa5b1", "#ffffff"


class Family(NamedTuple):
    """A family of layers that are drawn in the same colours.

    Args:
        title: Name in the legend.
        fill: Colour of the boxes.
        edge: Colour of the boxes' borders.
        dark: Colour of the boxes on a dark page.
    """

    title: str
    fill: str
    edge: str
    dark: str


INPUT = Family("input", "#e4e7eb", "#7b8794", "#2f363d")
CONVOLUTION = Family("convolution", "#dcebfb", "#3b7dc4", "#17334f")
UNITS = Family("units", "#e7e1fa", "#7a5cc9", "#30285a")
ACTIVATION = Family("activation", "#fdebd3", "#cf8a2e", "#493213")
POOLING = Family("pooling", "#fadcdc", "#c75454", "#4d2424")
NORMALIZATION = Family("normalisation", "#d9f2e3", "#3f9d6b", "#173d2a")
RECURRENT = Family("recurrent and attention", "#f6dcf0", "#b3559c", "#462340")
MERGE = Family("merge", "#d5f1f3", "#2f97a0", "#124045")
OTHER = Family("other", "#f5f7fa", "#9aa5b1", "#252b31")
FAMILIES = (
    *(INPUT, CONVOLUTION, UNITS, ACTIVATION, POOLING),
    *(NORMALIZATION, RECURRENT, MERGE, OTHER),
)

# Replacements of the other colours on a dark page; borders and lines suit both.
DARK = {INK: "#e6eaee", QUIET: "#a9b4bf", PAPER: "#14181c"}

# Families by a part of the class's or operation's lower-case name; the first match counts.
BY_NAME = (
    ("attention", RECURRENT),
    ("lstm", RECURRENT),
    ("gru", RECURRENT),
    ("rnn", RECURRENT),
    ("norm", NORMALIZATION),
    ("pool", POOLING),
    ("conv", CONVOLUTION),
)


class Box(NamedTuple):
    """Text and family of a box.

    Args:
        name: First line.
        text: Second line.
        shape: Third line.
        hint: Tooltip.
        family: Family of the layer, which gives the colours.
    """

    name: str
    text: str
    shape: str
    hint: str
    family: Family


def draw(boxes: Sequence[Box], inputs: Sequence[Sequence[int]]) -> tuple[str, int, int]:
    """Return boxes and the lines between them as SVG, with the drawing's width and height.

    Args:
        boxes: The boxes.
        inputs: For each box, the positions of the boxes from which lines lead to it.
    """
    drawing = Drawing(boxes, inputs)
    width, height = round(drawing.width), round(drawing.height)
    body = "\n".join([*drawing.legend(), *drawing.lines(), *drawing.boxes()])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="diagram of a network" '
        f'font-family="{FONT}" font-size="{TEXT}">\n'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )
    return svg, width, height


def theme() -> str:
    """Return style rules by which a drawing in a page has the colours of the page's theme."""
    pairs = DARK | {family.fill: family.dark for family in FAMILIES}
    return "\n".join(
        f'.neuropil svg [fill="{light}"] {{ fill: light-dark({light}, {dark}) }}'
        for light, dark in pairs.items()
    )


class Drawing:
    """Boxes with their coordinates.

    Args:
        boxes: The boxes.
        inputs: For each box, the positions of the boxes from which lines lead to it.
    """

    def __init__(self, boxes: Sequence[Box], inputs: Sequence[Sequence[int]]) -> None:
        self.contents = boxes
        self.box = min(WIDEST, max([NARROWEST, *map(wanted_width, boxes)]))
        self.layout: Layout = layout(inputs, box=self.box, line=LINE, gap=COLUMN_GAP)
        passing = [x for route in self.layout.routes.values() for x in route]
        reach = [
            *(x + side * self.box / 2 for x in self.layout.centres for side in (-1, 1)),
            *passing,
        ]
        self.families = [f for f in FAMILIES if any(box.family is f for box in boxes)]
        keys, room = legend_rows(self.families, max(reach) - min(reach))
        self.keys = keys
        self.width = room + 2 * MARGIN
        # The boxes are centred if the legend is wider.
        self.left = MARGIN - min(reach) + (room - (max(reach) - min(reach))) / 2
        self.top = MARGIN + LEGEND * len(keys) + MARGIN / 2
        rows = max(self.layout.rows) + 1
        self.height = self.top + rows * HEIGHT + (rows - 1) * ROW_GAP + MARGIN

    def row_top(self, row: int) -> float:
        """Return the vertical coordinate of the top of a row."""
        return self.top + row * (HEIGHT + ROW_GAP)

    def legend(self) -> Iterator[str]:
        """Yield the legend of the colours."""
        for row, families in enumerate(self.keys):
            x, y = float(MARGIN), MARGIN + LEGEND * row
            for family in families:
                yield (
                    f'<rect x="{x:g}" y="{y}" width="{CHIP}" height="{CHIP}" rx="3" '
                    f'fill="{family.fill}" stroke="{family.edge}"/>'
                    f'<text x="{x + CHIP + 6:g}" y="{y + CHIP - 1.5:g}" fill="{QUIET}">'
                    f"{family.title}</text>"
                )
                x += key_width(family)

    def boxes(self) -> Iterator[str]:
        """Yield the boxes with their text."""
        for box, row, centre in zip(
            self.contents, self.layout.rows, self.layout.centres, strict=True
        ):
            x, y = centre + self.left, self.row_top(row)
            lines = (
                text_line(
                    box.name, x, y + 19, NAME, f'fill="{INK}" font-weight="600"', self.box
                ),
                text_line(box.text, x, y + 34, TEXT, f'fill="{INK}"', self.box),
                text_line(box.shape, x, y + 48, TEXT, f'fill="{QUIET}"', self.box),
            )
            yield (
                f"<g><title>{escape(box.hint)}</title>"
                f'<rect x="{x - self.box / 2:g}" y="{y:g}" width="{self.box:g}" '
                f'height="{HEIGHT}" rx="8" fill="{box.family.fill}" '
                f'stroke="{box.family.edge}"/>{"".join(lines)}</g>'
            )

    def lines(self) -> Iterator[str]:
        """Yield the lines between boxes, each with its arrowhead."""
        leaving, entering = ports(self.layout, self.box)
        for edge, route in self.layout.routes.items():
            rows = range(self.layout.rows[edge.source] + 1, self.layout.rows[edge.target])
            points = [(leaving[edge], self.row_top(rows.start) - ROW_GAP)]
            for x, row in zip(route, rows, strict=True):
                points += [(x, self.row_top(row)), (x, self.row_top(row) + HEIGHT)]
            points.append((entering[edge], self.row_top(rows.stop) - ARROW))
            points = [(x + self.left, y) for x, y in points]
            x, y = points[-1]
            colour = SKIP if edge.skips else WIRE
            yield (
                f'<path d="{curve(points)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                f'<path d="M{x - ARROW + 1:.1f},{y - 1:.1f}h{2 * ARROW - 2}l{1 - ARROW},'
                f'{ARROW + 1}z" fill="{colour}"/>'
            )


def wanted_width(box: Box) -> float:
    """Return the width that a box needs for its text."""
    longest = max(len(box.name) * NAME * 1.06, len(box.text) * TEXT, len(box.shape) * TEXT)
    return round(longest * CHARACTER) + 2 * PADDING


def text_line(text: str, x: float, y: float, size: int, style: str, box: float) -> str:
    """Return one centred line of text, cut to the width of a box."""
    most = int((box - 2 * PADDING) / (size * CHARACTER)) + 1
    text = text if len(text) <= most else text[: most - 1] + "…"
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle" {style}>'
        f"{escape(text)}</text>"
    )


def key_width(family: Family) -> float:
    """Return the width of a family's entry in the legend."""
    return CHIP + 6 + len(family.title) * TEXT * CHARACTER + 16


def legend_rows(families: Sequence[Family], room: float) -> tuple[list[list[Family]], float]:
    """Return the rows of the legend, and the width that it and the drawing need."""
    room = max(room, *map(key_width, families), LEAST_LEGEND)
    rows: list[list[Family]] = [[]]
    for family in families:
        if sum(map(key_width, [*rows[-1], family])) > room + 16:
            rows.append([])
        rows[-1].append(family)
    return rows, room


def family_of(layer: Layer) -> Family:
    """Return the family of a layer."""
    # The names of base classes count too, so users' layers are coloured.
    names = [cls.__name__.lower() for cls in type(layer).__mro__]
    _, most = layer.inputs_taken
    if most == 0:
        return INPUT
    for part, family in BY_NAME:
        if any(part in name for name in names):
            return family
    if "activation" in names:
        return UNITS if getattr(layer, "units", None) else ACTIVATION
    return MERGE if most is None or most > 1 else OTHER
