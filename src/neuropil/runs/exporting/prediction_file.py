"""Write predictions to a file: CSV, Parquet or JSON by its suffix."""

from __future__ import annotations

import csv
import io
import json
from itertools import count
from typing import TYPE_CHECKING, Any

from neuropil.core.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from torch import Tensor

    from neuropil.datasets import PredictionInputs
    from neuropil.datasets.tables.table import Table
    from neuropil.runs.run_folder import Run


def write_predictions(out: Path, run: Run, given: PredictionInputs, answers: Tensor) -> None:
    """Write predictions; a file that exists is replaced atomically.

    CSV and Parquet have a row for each line of the answers, which is one for each example
    unless the task says otherwise: the columns of the table that was predicted, or the names of
    the files, and then the answers. JSON has `Task.records`.

    Args:
        out: The file.
        run: The run that predicts.
        given: The examples.
        answers: The answers of the run's task.
    """
    content = WRITERS[out.suffix.casefold()](run, given, answers)
    with replacing(out) as file:
        file.write(content)


def check_suffix(out: Path) -> None:
    """Refuse a file that is of no known format.

    Raises:
        ValueError: If its suffix is unknown.
    """
    if out.suffix.casefold() not in WRITERS:
        raise ValueError(f"--out must name a {' or '.join(WRITERS)} file, got {str(out)!r}.")


def csv_content(run: Run, given: PredictionInputs, answers: Tensor) -> bytes:
    """Return the predictions as CSV."""
    columns = all_columns(run, given, answers, lambda table, name: table.text(name).to_pylist())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(shortest(cell) for cell in row)
    return text.getvalue().encode()


def shortest(cell: str | float) -> str:
    """Return a cell as text from which the same number is read."""
    return cell if isinstance(cell, str) else repr(cell).removesuffix(".0")


def parquet_content(run: Run, given: PredictionInputs, answers: Tensor) -> bytes:
    """Return the predictions as Parquet, the columns of the table with their own types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from neuropil.datasets.tables.table import Table

    columns = all_columns(run, given, answers, Table.column)
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def json_content(run: Run, given: PredictionInputs, answers: Tensor) -> bytes:
    """Return the predictions as JSON."""
    rows = list(run.task.records(answers, given.names))
    return json.dumps(rows, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def all_columns(
    run: Run, given: PredictionInputs, answers: Tensor, cells: Callable[[Table, str], Any]
) -> dict[str, Any]:
    """Return the columns of the file: those of the table, or the names, and the answers.

    Args:
        run: The run that predicts.
        given: The examples.
        answers: The answers of the run's task.
        cells: Returns the cells of a column of the table.
    """
    table = given.table
    own = {"name": given.names}
    if table is not None:
        own = {name: cells(table, name) for name in table.names}
    lines = run.task.lines(answers)
    if lines != range(len(answers)):
        own = {name: [values[place] for place in lines] for name, values in own.items()}
    return beside(own, run.task.columns(answers, run.figures))


def beside(own: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a table and those of the answers; no name replaces another.

    Example:
        >>> beside({"probability": [1]}, {"predicted y": ["a"], "probability": [0.9]})
        {'probability': [1], 'predicted y': ['a'], 'probability 2': [0.9]}
    """
    return own | {unused(name, own): cells for name, cells in answers.items()}


def unused(name: str, taken: Container[str]) -> str:
    """Return a name, with a number after it if it is taken."""
    numbered = (f"{name} {number}" for number in count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)


WRITERS: dict[str, Callable[[Run, PredictionInputs, Tensor], bytes]] = {
    ".csv": csv_content,
    ".parquet": parquet_content,
    ".json": json_content,
}
"""The formats by suffix."""
