"""``neuropil predict``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuropil.cli.command_options import Json, RunFolder, open_trained
from neuropil.datasets.formats import readable

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import PredictionInputs
    from neuropil.runs.run_folder import Run


def predict(
    folder: RunFolder,
    files: Annotated[
        list[Path],
        typer.Argument(help=f"New input: {readable()}, or folders or tables of pictures."),
    ],
    top: Annotated[int, typer.Option(help="Number of most probable classes to show.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the predictions to a .csv file, after the columns of the table or the "
            "names of the files.",
            show_default=False,
            metavar="FILE.csv",
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Predict new pictures, table rows or arrays with a trained network."""
    from neuropil.cli.console import note, say, say_json

    check_options(top, out)
    run = open_trained(folder)
    network = run.network()
    given = run.read(files)
    note(*given.notes, *(f"set aside: {reason}" for reason in given.set_aside))
    answers, task = run.predict(given.inputs, network), run.task
    if out is not None:
        write_table(out, run, given, answers)
        say(f"{len(answers):,} predictions in {out}")
    elif json:
        say_json(list(task.rows(answers, given.names)))
    else:
        for name, answer in zip(given.names, answers, strict=True):
            say(f"{name}: {task.sentence(answer, run.figures, top)}")


def check_options(top: int, out: Path | None) -> None:
    """Refuse options that are out of range, before any file is read.

    Raises:
        ValueError: When an option is out of range.
    """
    if top < 1:
        raise ValueError(f"--top must be at least 1, got {top}.")
    if out is not None and out.suffix.casefold() != ".csv":
        raise ValueError(f"--out must name a .csv file, got {str(out)!r}.")


def write_table(out: Path, run: "Run", given: "PredictionInputs", answers: "Tensor") -> None:
    """Write predictions as CSV, after the columns of the table if there is one."""
    import csv
    import io

    from neuropil.core.atomic import replacing

    columns = own_columns(given) | run.task.columns(answers, run.figures)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    with replacing(out) as file:
        file.write(text.getvalue().encode())


def own_columns(given: "PredictionInputs") -> dict[str, list[Any]]:
    """Return the columns of the table that was predicted, or a column of the names."""
    if given.table is None:
        return {"name": given.names}
    return {name: given.table.text(name).to_pylist() for name in given.table.names}
