"""``neuropil predict``."""

from pathlib import Path
from typing import Annotated

import typer

from neuropil.cli.command_options import Json, RunFolder, open_trained
from neuropil.datasets.formats import readable
from neuropil.text import number_of, some_of


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
            help="Write the predictions, with the probability of every class, to a .csv, "
            ".parquet or .json file, after the columns of the table or the names of the files. "
            "Without a suffix: a new folder, for the pictures with their boxes drawn on them, "
            "or for their masks.",
            show_default=False,
            metavar="PATH",
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Predict new pictures, table rows or arrays with a trained network."""
    from neuropil.cli.console import note, say, say_json
    from neuropil.datasets.formats import check_readable
    from neuropil.runs.exporting.prediction_file import write_predictions
    from neuropil.runs.run_facts import read_facts

    check_options(top, out, files)
    kind = read_facts(folder)["data"].get("kind")
    for file in files:
        check_readable(file, kind)
    run = open_trained(folder)
    if out is not None and not out.suffix:
        from neuropil.report.prediction_pictures import check_folder

        check_folder(out, run.task)
    network = run.network()
    given = run.read(files)
    note(*given.notes)
    if given.set_aside:
        note(f"{number_of(len(given.set_aside), 'file')} set aside: {some_of(given.set_aside)}")
    answers, task = run.predict(given, network), run.task
    if out is not None and not out.suffix:
        from neuropil.report.prediction_pictures import write_pictures

        write_pictures(out, run, given, answers)
        say(f"{number_of(len(answers), 'picture')} in {out}")
    elif out is not None:
        write_predictions(out, run, given, answers)
        say(f"{number_of(len(answers), 'prediction')} in {out}")
    elif json:
        say_json(list(task.rows(answers, given.names)))
    else:
        for name, answer in zip(given.names, answers, strict=True):
            say(f"{name}: {task.sentence(answer, run.figures, top)}")


def check_options(top: int, out: Path | None, files: list[Path]) -> None:
    """Refuse options that are out of range, before any file is read.

    Raises:
        ValueError: When an option is out of range.
    """
    from neuropil.runs.exporting.prediction_file import check_suffix

    if top < 1:
        raise ValueError(f"--top must be at least 1, got {top}.")
    if out is not None:
        if out.suffix:
            check_suffix(out)
        if out.exists() and any(file.exists() and out.samefile(file) for file in files):
            raise ValueError(f"--out must name another file than the input, got {str(out)!r}.")
