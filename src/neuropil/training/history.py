"""The figures of a training, one record per epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final, overload

from typing_extensions import override

from neuropil.core.atomic import replacing
from neuropil.core.later import later
from neuropil.core.reading import reading, require_file

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes

Record = dict[str, Any]


@final
class History(Sequence[Record]):
    """The figures of all epochs: a sequence of dicts from column names to numbers.

    ``history[-1]`` is the record of the last epoch, ``history["loss"]`` the losses of all
    epochs, None for an epoch without one. A notebook shows the course of each figure.

    The columns are ``epoch``, ``steps`` (total so far), ``loss`` and the metrics, averaged over
    the training batches while the weights changed, the same for the validation data with the
    prefix ``validation_``, ``lr``, and ``seconds``, the only one that depends on the clock.

    Args:
        records: The records of the epochs so far.

    Example:
        >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
        >>> history["loss"]
        [0.5, 0.25]
        >>> history[-1]["epoch"]
        2
        >>> history
        epoch  loss
            1   0.5
            2  0.25
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records = [dict(record) for record in records]

    @override
    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> History: ...
    @overload
    def __getitem__(self, index: str) -> list[Any]: ...
    @override
    def __getitem__(self, index: int | slice | str) -> Record | History | list[Any]:
        if isinstance(index, str):
            if index not in self.columns:
                known = ", ".join(self.columns) or "none yet"
                raise KeyError(f"the history has no column {index!r}; it has: {known}")
            return [record.get(index) for record in self.records]
        found = self.records[index]
        return History(found) if isinstance(found, list) else found

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.records == other.records

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # it grows, so it cannot be a key

    @property
    def columns(self) -> list[str]:
        """The names of the figures, in the order of their first appearance."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def append(self, record: Record) -> None:
        """Append the record of an epoch.

        Args:
            record: The figures by name. It is not copied, so figures can be added later.
        """
        self.records.append(record)

    def plot(self, column: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw a figure over the epochs, in training and in validation.

        Args:
            column: One of `columns`; by default the first figure, usually the loss.
            ax: The matplotlib axes to draw on; by default those of a new figure, which a
                notebook shows and ``.figure.savefig`` writes.

        Raises:
            KeyError: If no epoch has this figure.
        """
        return later("plot_history")(self, column, ax)

    def best(self, name: str, *, greater_is_better: bool = False) -> Record:
        """Return the record of the epoch with the best figure, the first one if several tie.

        Args:
            name: One of `columns`.
            greater_is_better: True for accuracies, False for losses.

        Raises:
            KeyError: If no epoch has this figure.
        """
        pairs = zip(self[name], self.records, strict=True)
        candidates = [record for value, record in pairs if value is not None]
        choose = max if greater_is_better else min
        return choose(candidates, key=lambda record: record[name])

    def save(self, path: str | PathLike[str]) -> None:
        """Write a CSV file atomically, with numbers in full precision.

        Args:
            path: The file, such as ``history.csv``.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records)
        with replacing(Path(path)) as file:
            file.write(text.getvalue().encode())

    @staticmethod
    def load(path: str | PathLike[str]) -> History:
        """Read a file that `save` wrote.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If it is damaged: a cell is not a number, a row is too short or too
                long, or a column has no name.
        """
        path = Path(path)
        require_file(path)
        with reading(path):
            text = path.read_text("utf-8")
            reader = csv.reader(io.StringIO(text, newline=""), strict=True)
            names = next(reader, [])
            if len({*names, ""}) <= len(names):
                raise ValueError("the columns need distinct names")
            return History(record(names, row, reader.line_num) for row in reader)

    def _repr_html_(self) -> str:
        from neuropil.training.history_html import as_html

        return as_html(self.columns, self.records)

    @override
    def __repr__(self) -> str:
        if not self.records:
            return "History()"
        rows = [self.columns]
        rows += [
            [format_figure(record.get(name)) for name in self.columns]
            for record in self.records
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        )


def record(names: list[str], row: list[str], line: int) -> Record:
    """Return the record of one line.

    Raises:
        ValueError: If the number of cells is wrong, or a cell is not a number.
    """
    if len(row) != len(names):
        raise ValueError(f"line {line} has {len(row)} cells for {len(names)} columns")
    try:
        return {name: number(cell) for name, cell in zip(names, row, strict=True) if cell}
    except ValueError:
        raise ValueError(f"line {line} contains a cell that is not a number") from None


def number(cell: str) -> int | float:
    """Return the number in a cell, an int or a float as it was written."""
    return int(cell) if cell.lstrip("-").isdecimal() else float(cell)


def format_figure(value: Any) -> str:
    """Return a figure with four significant digits; empty for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
