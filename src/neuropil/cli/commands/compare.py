"""``neuropil compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuropil.cli.command_options import Json, open_trained

if TYPE_CHECKING:
    from rich.table import Table

    from neuropil.report.comparison import Comparison


def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="Run folders of one task.", metavar="RUN RUN …")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a page with the table and the learning curves of all runs.",
            show_default=False,
            metavar="FILE.html",
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Compare runs: the settings that differ, their figures, sizes and times."""
    check_page(out)
    runs = [open_trained(folder) for folder in folders]
    from neuropil.cli.console import console, note, say, say_json
    from neuropil.report.comparison import Comparison

    found = Comparison(runs)
    note(*found.notes)
    if out is not None:
        from neuropil.report.write_comparison import write_comparison

        write_comparison(out, found)
    if json:
        say_json(as_plain(found))
        return
    console().print(comparison_table(found))
    if found.caution:
        say(found.caution)
    if out is not None:
        say(f"the page is {out}")


def check_page(out: Path | None) -> None:
    """Refuse a page that is not HTML, before any run is read.

    Raises:
        ValueError: When it has another suffix.
    """
    if out is not None and out.suffix.casefold() not in (".html", ".htm"):
        raise ValueError(f"--out must name an .html file, got {str(out)!r}.")


def as_plain(found: "Comparison") -> list[dict[str, Any]]:
    """Return a comparison as plain data, an entry for each run."""
    return [
        {
            "run": str(run.path),
            "settings": {name: values[place] for name, values in found.settings.items()},
            "figures": run.figures,
            "parameters": found.parameters[place],
            "epochs": found.epochs[place],
            "seconds": found.seconds[place],
        }
        for place, run in enumerate(found.runs)
    ]


def comparison_table(found: "Comparison") -> "Table":
    """Return a table with a column for each run; the best value of a metric is bold."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from neuropil.cli.finish import short, shown
    from neuropil.report.comparison import PARTS
    from neuropil.report.sections.settings_section import setting_text
    from neuropil.report.wording import NONE
    from neuropil.text import duration, visible

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in found.names:
        table.add_column(escape(visible(name)), justify="right", overflow="fold")
    for name, values in found.settings.items():
        cells = (NONE if value is None else setting_text(value) for value in values)
        table.add_row(name.replace("_", " "), *(escape(visible(cell)) for cell in cells))
    table.add_section()
    for part in PARTS:
        for name, values in found.figures(part).items():
            best = found.best(name, values)
            cells = (f"[bold]{shown(v)}[/]" if v == best else shown(v) for v in values)
            table.add_row(f"{part} {short(name)}", *cells)
    table.add_section()
    sizes = (NONE if count is None else f"{count:,}" for count in found.parameters)
    table.add_row("parameters", *sizes)
    table.add_row("epochs trained", *map(str, found.epochs))
    times = (NONE if time is None else duration(time) for time in found.seconds)
    table.add_row("training time", *times)
    return table
