"""``neuropil architectures``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.cli.common import Json  # noqa: TC001 - Typer reads the annotations

if TYPE_CHECKING:
    from rich.console import Console

    from neuropil.analysis import ZooRow

# Columns that a terminal needs to show the papers as well.
ROOMY = 150
# Through a pipe nothing is cut.
UNCUT = 250


def architectures(*, json: Json = False) -> None:
    """List the zoo: year, size, cost, receptive field, published accuracy of each network."""
    from neuropil.analysis import zoo
    from neuropil.cli.console import console, say, say_json

    rows = zoo()
    if json:
        say_json([row._asdict() for row in rows])
        return
    show(console(), rows)
    say("Layer by layer: neuropil summary NAME. Definition and options: neuropil sheet NAME.")


def show(console: Console, rows: list[ZooRow]) -> None:
    """Print the table; papers only where there is room for them."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("Name", "Year", "Input", "Parameters", "Mult–adds", "Field", "Accuracy"):
        side = "right" if heading in ("Parameters", "Mult–adds", "Field") else "left"
        table.add_column(heading, justify=side, no_wrap=True)
    papers = not console.is_terminal or console.width >= ROOMY
    if papers:
        table.add_column("Paper", style="dim", no_wrap=True)
    for row in rows:
        cells = (
            row.name,
            str(row.year),
            "×".join(map(str, row.input_shape)),
            f"{row.parameters:,}",
            f"{row.multiply_adds / 1e9:.3g} G",
            str(row.receptive_field),
            row.accuracy,
        )
        table.add_row(*cells, *[row.paper][:papers])
    if not console.is_terminal:
        console.width = UNCUT
    console.print(table)
