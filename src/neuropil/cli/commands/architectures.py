"""``neuropil architectures``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.cli.command_options import Json  # noqa: TC001 - Typer reads the annotations

if TYPE_CHECKING:
    from rich.console import Console

    from neuropil.analysis import ZooRow

# Columns that a terminal needs to show the inputs, and the papers.
WIDE, ROOMY = 112, 190
# Width of the output through a pipe, where nothing is cut.
UNCUT = 250
NUMBERS = ("Parameters", "Mult–adds", "Field")


def architectures(*, json: Json = False) -> None:
    """List the published architectures: year, size, cost, receptive field and accuracy."""
    from neuropil.analysis import zoo
    from neuropil.cli.console import console, say, say_json

    rows = zoo()
    if json:
        say_json([row._asdict() for row in rows])
        return
    show(console(), rows)
    say(
        "Accuracy: ImageNet top-1, single crop. "
        '*: weights="imagenet" downloads pretrained weights.'
    )
    say("Layers: neuropil summary NAME. Definition and options: neuropil sheet NAME.")


def show(console: Console, rows: list[ZooRow]) -> None:
    """Print the table; the inputs and papers only if the terminal is wide enough."""
    from rich.table import Table

    if not console.is_terminal:
        console.width = UNCUT
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    shown = [cells_of(row, console.width) for row in rows]
    for heading in shown[0]:
        # Words may wrap onto the next line; numbers and names are never cut.
        table.add_column(
            heading,
            justify="right" if heading in NUMBERS else "left",
            no_wrap=heading != "Accuracy",
            style="dim" if heading == "Paper" else "",
        )
    for cells in shown:
        table.add_row(*cells.values())
    console.print(table)


def cells_of(row: ZooRow, width: int) -> dict[str, str]:
    """Return the cells of a row by heading, without those that the terminal cannot fit."""
    from neuropil.analysis.quantities import short_count

    wide = width >= WIDE
    cells = {
        "Name": row.name,
        "Year": str(row.year),
        "Input": "×".join(map(str, row.input_shape)),
        "Parameters": f"{row.parameters:,}" if wide else short_count(row.parameters),
        "Mult–adds": short_count(row.multiply_adds),
        "Field": "all" if row.receptive_field is None else str(row.receptive_field),
        "Accuracy": row.accuracy,
        "Source": row.source + "*" * (row.weights is not None),
        "Paper": row.paper,
    }
    if not wide:
        del cells["Input"]
    if width < ROOMY:
        del cells["Paper"]
    return cells
