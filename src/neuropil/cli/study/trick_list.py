"""The tricks in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.cli.console import console
from neuropil.study.tricks.trick_table import TRICKS

if TYPE_CHECKING:
    from rich.table import Table


def show_tricks() -> None:
    """Print all tricks by group: the name, what it changes, and the gain published."""
    console().print(trick_table())


def trick_table() -> Table:
    """Return a table with a line for each trick."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("trick", no_wrap=True)
    table.add_column("change")
    table.add_column("published", justify="right")
    groups = {trick.group: None for trick in TRICKS}
    for group in groups:
        table.add_section()
        table.add_row(f"[bold]{group}[/]")
        for trick in TRICKS:
            if trick.group == group:
                gain = "" if trick.published is None else f"{trick.published:+g}"
                table.add_row(f"  {trick.name}", trick.title, gain.replace("-", "−"))
    return table
