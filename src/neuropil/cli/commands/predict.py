"""``neuropil predict``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuropil.cli.command_options import Json, RunFolder, open_trained
from neuropil.datasets.formats import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    from neuropil.datasets import PredictionInputs
    from neuropil.runs.run_folder import Run

MOST, MOST_PLACES = 1e15, 6


def predict(
    folder: RunFolder,
    files: Annotated[
        list[Path], typer.Argument(help=f"New input: {readable()}, or folders of pictures.")
    ],
    top: Annotated[int, typer.Option(help="How many classes to name.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a .csv: a table's rows followed by the predictions, or names "
            "and predictions.",
            show_default=False,
            metavar="FILE.csv",
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Predict new pictures, rows or arrays with a trained network."""
    from neuropil.cli.console import note, say, say_json

    check_options(top, out)
    run = open_trained(folder)
    network = run.network()
    given = run.read(files)
    for line in [*given.notes, *(f"set aside: {reason}" for reason in given.set_aside)]:
        note(line)
    outputs = run.predict(given.inputs, network)
    errors = measured_errors(run)
    if out is not None:
        write_table(out, run, given, outputs, errors)
        say(f"{len(outputs):,} predictions in {out}")
    elif json:
        say_json(as_plain(given.names, outputs, run.classes))
    else:
        for name, output in zip(given.names, outputs, strict=True):
            say(f"{name}: {in_words(output, run.classes, top, errors)}")


def check_options(top: int, out: Path | None) -> None:
    """Refuse what cannot be before anything is read.

    Raises:
        ValueError: When it cannot.
    """
    if top < 1:
        raise ValueError(f"--top must be at least 1, got {top}.")
    if out is not None and out.suffix.casefold() != ".csv":
        raise ValueError(f"--out writes a .csv file, got {str(out)!r}.")


def measured_errors(run: "Run") -> list[float] | None:
    """Return how far each predicted number was off on average where it was measured last.

    What was measured is the mean over all of them; each has a share by its own scale.
    """
    scales = run.preparation.target.scale
    for part in ("test", "validation", "train"):
        error = run.figures.get(part, {}).get("mean_absolute_error")
        if error is not None and scales:
            return [error * scale * len(scales) / sum(scales) for scale in scales]
    return None


def with_sensible_digits(value: float, error: float | None, extra: int = 0) -> str:
    """Return a number with the digits that its error leaves.

    Args:
        value: The number.
        error: How far such numbers are off on average, if it is known.
        extra: Digits after the first two of the error.
    """
    if not error or abs(value) >= MOST:
        return f"{value:.10g}"
    places = 1 - math.floor(math.log10(error)) + extra
    if places <= MOST_PLACES:
        return f"{value:.{max(0, places)}f}"
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(17, max(1, size + places + 1))}g}"


def in_words(
    output: "Tensor", classes: "Sequence[str] | None", top: int, errors: list[float] | None
) -> str:
    """Return one prediction for people, the likeliest class first."""
    if classes is None:
        return ", ".join(rounded(output.reshape(-1).tolist(), errors))
    # Stable, so that of equal shares the first class is named, as everywhere.
    shares, numbers = output.sort(descending=True, stable=True)
    pairs = zip(shares[:top].tolist(), numbers[:top].tolist(), strict=True)
    return ", ".join(f"{classes[number]} ({share:.3f})" for share, number in pairs)


def as_plain(
    names: "Sequence[str]", outputs: "Tensor", classes: "Sequence[str] | None"
) -> list[dict[str, Any]]:
    """Return predictions as plain data."""
    if classes is None:
        return [{"name": n, "value": v} for n, v in zip(names, outputs.tolist(), strict=True)]
    return [
        {
            "name": name,
            "class": classes[int(output.argmax())],
            "probabilities": dict(zip(classes, output.tolist(), strict=True)),
        }
        for name, output in zip(names, outputs, strict=True)
    ]


def columns_of(run: "Run", outputs: "Tensor") -> dict[str, list[Any]]:
    """Return the columns that a prediction adds to a table."""
    classes, name = run.classes, run.preparation.target.name or "value"
    if classes is None:
        values = outputs.reshape(len(outputs), -1)
        titles = (
            [f"predicted {name}"]
            if values.shape[1] == 1
            else [f"predicted {name} {number + 1}" for number in range(values.shape[1])]
        )
        return dict(zip(titles, values.T.tolist(), strict=True))
    best = [classes[number] for number in outputs.argmax(1).tolist()]
    name = run.preparation.target.name or "class"
    return {f"predicted {name}": best, "probability": outputs.amax(1).tolist()}


def write_table(
    out: Path,
    run: "Run",
    given: "PredictionInputs",
    outputs: "Tensor",
    errors: list[float] | None,
) -> None:
    """Write predictions as CSV, after the columns of the table where there is one."""
    import csv
    import io

    from neuropil.core.atomic import replacing

    columns = own_columns(given) | columns_of(run, outputs)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    rows = zip(*columns.values(), strict=True)
    writer.writerows(row_of_text(row, errors if run.classes is None else None) for row in rows)
    with replacing(out) as file:
        file.write(text.getvalue().encode())


def row_of_text(values: "Iterable[Any]", errors: list[float] | None) -> list[str]:
    """Return a row's cells; predicted numbers with the digits that programs can use."""
    cells = list(values)
    numbers = [value for value in cells if isinstance(value, float)]
    texts = iter(rounded(numbers, errors, extra=5))
    return [next(texts) if isinstance(value, float) else str(value) for value in cells]


def rounded(numbers: list[float], errors: list[float] | None, extra: int = 0) -> list[str]:
    """Return predicted numbers, each with the digits that its error leaves."""
    known = errors if errors and len(errors) == len(numbers) else [None] * len(numbers)
    pairs = zip(numbers, known, strict=True)
    return [with_sensible_digits(number, error, extra) for number, error in pairs]


def own_columns(given: "PredictionInputs") -> dict[str, list[Any]]:
    """Return the table that the rows came from, or else their names."""
    if given.table is None:
        return {"name": given.names}
    columns = (column.to_pylist() for column in given.table.columns)
    return dict(zip(given.table.names, columns, strict=True))
