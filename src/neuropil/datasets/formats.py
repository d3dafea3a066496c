"""The formats of data files, one row each: opening, prediction, evaluation and help read them.

Help texts need the names alone: this module is light, and a row's functions are imported when
they are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, final

from neuropil.datasets.pictures.picture_suffixes import SUFFIXES
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.open_options import Options
    from neuropil.datasets.prediction_inputs import PredictionInputs
    from neuropil.datasets.splits import Splits


@final
@dataclass(frozen=True)
class Format:
    """One format of data files.

    Args:
        name: What one of its files is called, such as ``"table"``; no two formats share it.
        suffixes: Suffixes of its files in lower case, without that of their packing.
        recognises: Returns what it saw at a path that it can open, or None.
        open: Reads the data for a training: ``open(path, options)``.
        read: Functions ``(preparation, file, notes)`` that read new input, by the kinds of
            preparation that take it.
        read_labelled: The same for labelled examples, from any path that can be opened.
        folder: What is opened, where single files are not.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path], str | None]
    open: Callable[[Path, Options], Splits]
    read: Mapping[str, Callable[[Any, Path, list[str]], PredictionInputs]]
    read_labelled: Mapping[str, Callable[[Any, Path, list[str]], Dataset]]
    folder: str = ""

    @property
    def files(self) -> str:
        """Its files, in words."""
        return f"{self.name} files ({', '.join(self.suffixes)})"

    @property
    def opens(self) -> str:
        """What can be opened, in words."""
        return self.folder or self.files


def later(name: str, **options: Any) -> Callable[..., Any]:
    """Return a function of this package that is imported when it is called.

    Args:
        name: Its module and its name, such as ``"arrays.idx.open_idx"``.
        **options: Arguments of every call.
    """
    module, _, function = name.rpartition(".")

    def call(*arguments: Any, **others: Any) -> Any:
        home = import_module(f"neuropil.datasets.{module}")
        return getattr(home, function)(*arguments, **options, **others)

    return call


def table_format(name: str, *suffixes: str, reader: str) -> Format:
    """Return the row of a table format: only how a file becomes a `Table` is its own.

    Args:
        name: What one of its files is called.
        *suffixes: Suffixes of its files.
        reader: Module and name of a `TableReader`.
    """
    read = later(reader)
    return Format(
        name,
        suffixes,
        recognises=later("tables.text_table.recognise", suffixes=suffixes),
        open=later("tables.text_table.open_table", reader=read, suffixes=suffixes),
        read={
            "table": later("tables.text_table.read_rows", reader=read),
            "arrays": later("tables.text_table.read_numbers", reader=read),
        },
        read_labelled={
            "table": later("tables.text_table.read_labelled", reader=read, suffixes=suffixes)
        },
    )


ARRAYS: dict[str, Any] = {
    "open": later("arrays.named_arrays.open_arrays"),
    "read": dict.fromkeys(("arrays", "pictures"), later("arrays.named_arrays.read_new")),
    "read_labelled": dict.fromkeys(
        ("arrays", "pictures"), later("arrays.named_arrays.read_labelled")
    ),
}
"""What the formats of arrays share."""

FORMATS = (
    Format(
        "idx",
        (),
        recognises=later("arrays.idx.recognise"),
        open=later("arrays.idx.open_idx"),
        read={},
        read_labelled={"pictures": later("arrays.idx.read_labelled")},
        folder="a folder with MNIST's idx files",
    ),
    Format(
        "array",
        (".npy",),
        recognises=later("arrays.array_file.recognise_folder"),
        folder="a folder with x.npy and y.npy",
        **ARRAYS,
    ),
    Format("npz", (".npz",), recognises=later("arrays.array_file.recognise"), **ARRAYS),
    table_format("table", ".csv", ".tsv", reader="tables.table_file.read_table"),
    Format(
        "picture",
        SUFFIXES,
        recognises=later("pictures.picture_folder.recognise"),
        open=later("pictures.picture_folder.open_picture_folder"),
        read={"pictures": later("pictures.picture_preparation.read_new")},
        read_labelled={"pictures": later("pictures.picture_folder.read_labelled")},
        folder="a folder with a folder of pictures per class",
    ),
)
"""All formats; the first that recognises a path opens it."""


def openable() -> str:
    """Return everything that can be opened, in words."""
    *others, last = (known.opens for known in FORMATS)
    return f"{', '.join(others)}, or {last}"


def readable() -> str:
    """Return the files that are read as new input, in words."""
    return ", ".join(known.files for known in FORMATS if known.read)


def example_file(kind: str) -> str:
    """Return a name such as ``table.csv`` for new input of a kind of preparation."""
    known = next(known for known in FORMATS if kind == next(iter(known.read), None))
    return known.name + known.suffixes[0]


def misfit(what: object, kind: str, takes: Iterable[str]) -> str:
    """Return why data of another kind than a network was trained on cannot be used.

    Args:
        what: The file or folder.
        kind: Kind of the network's preparation.
        takes: What the network takes.
    """
    trained = {"table": "a table"}.get(kind, kind)
    return (
        f"{what} cannot be used with this network: it was trained on {trained} and takes "
        f"{some_of(sorted(takes), 20)}."
    )
