"""Table of the formats of data files, used for opening, prediction, evaluation and help texts.

Help texts need only the names, so the functions of a format are imported when they are called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import find_existing, unpacked_suffix, visible_entries
from neuropil.datasets.pictures.class_folders import describe_empty, is_picture
from neuropil.datasets.pictures.picture_suffixes import SUFFIXES
from neuropil.datasets.tables.files.table_suffixes import (
    ARFF,
    ARROW,
    JSON_LINES,
    PARQUET,
    TEXT,
    WORKBOOK,
)
from neuropil.lazy import import_name
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.open_options import Options
    from neuropil.datasets.prediction_inputs import PredictionInputs
    from neuropil.datasets.splits import Splits


@final
@dataclass(frozen=True)
class Format:
    """One format of data files.

    Args:
        name: Unique name, such as ``"table"``.
        suffixes: Suffixes of its files in lower case, without that of the compression.
        recognises: Function that returns a description of a path that it can open, or None.
        open: Function ``(path, options)`` that reads the data for a training.
        read: Functions ``(preparation, file, notes)`` that read new input, by the kind of
            preparation.
        read_labelled: Functions ``(preparation, path, notes)`` that read labelled examples.
        folder: Description of the folders that are opened, if single files are not.
        labels: The kinds of target that its labels may be.
        pictures: Function that lists the pictures of labelled data, which are then read as new
            input; None to read all pictures in the folder.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path], str | None]
    open: Callable[[Path, Options], Splits]
    read: Mapping[str, Callable[[Any, Path, list[str]], PredictionInputs]]
    read_labelled: Mapping[str, Callable[[Any, Path, list[str]], Dataset]]
    folder: str = ""
    labels: tuple[str, ...] = ("classes", "numbers")
    pictures: Callable[[Path], list[Path]] | None = None

    @property
    def files(self) -> str:
        """Description of its files."""
        return f"{self.name} files ({', '.join(self.suffixes)})"

    @property
    def opens(self) -> str:
        """Description of the files or folders that can be opened."""
        return self.folder or self.files


def lazy(name: str, **options: Any) -> Callable[..., Any]:
    """Return a function that imports a function of this package and calls it.

    Args:
        name: Module and name, such as ``"arrays.idx.open_idx"``.
        **options: Keyword arguments of every call.
    """

    def call(*arguments: Any, **others: Any) -> Any:
        return import_name(f"neuropil.datasets.{name}")(*arguments, **options, **others)

    return call


def table_format(
    name: str, suffixes: tuple[str, ...], reader: str, *, takes: tuple[str, ...] = ()
) -> Format:
    """Return a format whose files, and folders of parts, are read as a `Table`.

    Args:
        name: Name of the format.
        suffixes: Suffixes of its files.
        reader: Module of ``tables.files`` and name of its `TableReader`.
        takes: The options ``header`` and ``encoding`` that its reader has.
    """
    read = lazy(
        "tables.files.table_parts.read_parts",
        reader=lazy(f"tables.files.{reader}"),
        suffixes=suffixes,
        takes=takes,
    )
    return Format(
        name,
        suffixes,
        recognises=lazy("tables.text_table.recognise", suffixes=suffixes),
        open=lazy("tables.text_table.open_table", reader=read, suffixes=suffixes),
        read={
            "table": lazy("tables.text_table.read_rows", reader=read),
            "arrays": lazy("tables.text_table.read_numbers", reader=read),
        },
        read_labelled={
            "table": lazy("tables.text_table.read_labelled", reader=read, suffixes=suffixes)
        },
    )


def annotation_format(
    name: str,
    reader: str,
    lister: str,
    *,
    suffixes: tuple[str, ...] = (),
    folder: str = "",
    labels: str = "boxes",
) -> Format:
    """Return a format of labels that are boxes or points in pictures.

    Args:
        name: Name of the format.
        reader: Module and name of the function that reads the labels, in ``annotations`` for
            boxes and in ``points`` for points.
        lister: Module and name of the function that lists the pictures.
        suffixes: Suffixes of the label files that are opened by themselves.
        folder: Description of the folders that are opened, if single files are not.
        labels: The kind of labels, ``"boxes"`` or ``"points"``.
    """
    place, opener = {
        "boxes": ("annotations", "annotations.open_annotations.open_annotations"),
        "points": ("points", "points.open_points.open_points"),
    }[labels]
    read = lazy(f"{place}.{reader}")
    return Format(
        name,
        suffixes,
        recognises=lazy(f"{place}.{reader.partition('.')[0]}.recognise"),
        open=lazy(opener, reader=read),
        read={},
        read_labelled={
            "pictures": lazy(f"{opener.rpartition('.')[0]}.read_labelled", reader=read)
        },
        folder=folder,
        labels=(labels,),
        pictures=lazy(f"{place}.{lister}"),
    )


ARRAYS: dict[str, Any] = {
    "open": lazy("arrays.named_arrays.open_arrays"),
    "read": dict.fromkeys(("arrays", "pictures"), lazy("arrays.named_arrays.read_new")),
    "read_labelled": dict.fromkeys(
        ("arrays", "pictures"), lazy("arrays.named_arrays.read_labelled")
    ),
}
"""Functions of all array formats."""

read_text = lazy("tables.files.table_file.read_table")

FORMATS = (
    Format(
        "idx",
        (),
        recognises=lazy("arrays.idx.recognise"),
        open=lazy("arrays.idx.open_idx"),
        read={},
        read_labelled={"pictures": lazy("arrays.idx.read_labelled")},
        folder="a folder with MNIST's idx files",
        labels=("classes",),
    ),
    Format(
        "point arrays",
        (),
        recognises=lazy("points.point_arrays.recognise"),
        open=lazy("points.point_arrays.open_point_arrays"),
        read={},
        read_labelled={"pictures": lazy("points.point_arrays.read_labelled")},
        folder="arrays of pictures and points (N, P, 2)",
        labels=("points",),
    ),
    Format(
        "array",
        (".npy",),
        recognises=lazy("arrays.array_file.recognise_folder"),
        folder="a folder with x.npy and y.npy",
        **ARRAYS,
    ),
    Format("npz", (".npz",), recognises=lazy("arrays.array_file.recognise"), **ARRAYS),
    annotation_format(
        "VOC",
        "voc_files.read_voc",
        "voc_files.list_pictures",
        folder="a folder with pictures and VOC annotations (.xml)",
    ),
    annotation_format(
        "COCO keypoints",
        "coco_keypoints.read_keypoints",
        "coco_keypoints.list_pictures",
        folder="a .json file of COCO keypoints, one person in each picture",
        labels="points",
    ),
    annotation_format(
        "COCO", "coco_files.read_coco", "coco_files.list_pictures", suffixes=(".json",)
    ),
    annotation_format(
        "YOLO",
        "yolo_files.read_yolo",
        "yolo_files.list_pictures",
        folder="a folder with pictures and YOLO annotations (.txt)",
    ),
    Format(
        "mask",
        (),
        recognises=lazy("masks.mask_pairs.recognise"),
        open=lazy("masks.open_masks.open_masks"),
        read={},
        read_labelled={"pictures": lazy("masks.open_masks.read_labelled")},
        folder="a folder with pictures and their masks (images, masks)",
        labels=("masks",),
        pictures=lazy("masks.mask_pairs.list_pictures"),
    ),
    annotation_format(
        "box table",
        "box_tables.read_boxes",
        "box_tables.list_pictures",
        folder="a .csv or .tsv table of boxes (image, class, xmin, ymin, xmax, ymax)",
    ),
    annotation_format(
        "point table",
        "point_tables.read_points",
        "point_tables.list_pictures",
        folder="a .csv or .tsv table of points (image, nose_x, nose_y, ...) with its pictures",
        labels="points",
    ),
    Format(
        "picture table",
        (),
        recognises=lazy("pictures.picture_table.recognise"),
        open=lazy("pictures.picture_table.open_picture_table", reader=read_text),
        read={},
        read_labelled={
            "pictures": lazy("pictures.picture_table.read_labelled", reader=read_text)
        },
        folder="a .csv or .tsv table with a column of picture files",
    ),
    Format(
        "people table",
        (),
        recognises=lazy("pictures.picture_table.recognise"),
        open=lazy("people.people_tables.open_people_table", reader=read_text),
        read={},
        read_labelled={
            "pictures": lazy("people.people_tables.read_labelled", reader=read_text)
        },
        folder="a .csv or .tsv table of pictures and people, or of pairs (image, image, same)",
        labels=("identities",),
    ),
    table_format("table", TEXT, "table_file.read_table", takes=("header", "encoding")),
    table_format("Parquet", PARQUET, "arrow_files.read_parquet"),
    table_format("Feather", ARROW, "arrow_files.read_feather"),
    table_format("JSON lines", JSON_LINES, "json_lines.read_json_lines"),
    table_format("spreadsheet", WORKBOOK, "workbook.read_workbook", takes=("header",)),
    table_format("ARFF", ARFF, "arff.read_arff", takes=("encoding",)),
    Format(
        "picture",
        SUFFIXES,
        recognises=lazy("pictures.picture_folder.recognise"),
        open=lazy("pictures.picture_folder.open_picture_folder"),
        read={"pictures": lazy("pictures.picture_preparation.read_new")},
        read_labelled={"pictures": lazy("pictures.picture_folder.read_labelled")},
        folder="a folder with a folder of pictures per class, or person",
        labels=("classes", "identities"),
    ),
)
"""All formats; the first that recognises a path opens it."""


def openable() -> str:
    """Return a description of everything that can be opened."""
    *others, last = (known.opens for known in FORMATS)
    return f"{', '.join(others)}, or {last}"


def readable() -> str:
    """Return a description of the files that can be read as new input."""
    return ", ".join(known.files for known in FORMATS if known.read)


def example_file(kind: str, data: str | None = None) -> str:
    """Return an example file name, such as ``table.csv``, for a kind of preparation.

    Args:
        kind: Kind of the preparation.
        data: The data of the training, whose suffix is used if new files may have it.

    Example:
        >>> example_file("table"), example_file("table", "sales.xlsx")
        ('table.csv', 'table.xlsx')
    """
    known = next(known for known in FORMATS if kind == next(iter(known.read), None))
    own = unpacked_suffix(Path(data or ""))
    return known.name + (own if own in suffixes_for(kind) else known.suffixes[0])


def suffixes_for(kind: object) -> list[str]:
    """Return the suffixes of new input for a kind of preparation."""
    return [suffix for known in FORMATS if kind in known.read for suffix in known.suffixes]


def misfit_message(what: object, kind: str, takes: Iterable[str]) -> str:
    """Return the error message for data of another kind than the training data.

    Args:
        what: The file or folder.
        kind: Kind of the network's preparation.
        takes: Descriptions of the data that the network takes.
    """
    trained = {"table": "a table"}.get(kind, kind)
    return (
        f"{what} cannot be used with this network: it was trained on {trained} and takes "
        f"{some_of(sorted(takes), 20)}."
    )


def check_openable(path: str | PathLike[str]) -> None:
    """Refuse a file that no format can open, by its suffix.

    Args:
        path: A file or folder. Of folders only the existence is checked.

    Raises:
        DataError: If there is nothing, or a file of an unknown format.
    """
    found = find_existing(path)
    known = {suffix for each in FORMATS if not each.folder for suffix in each.suffixes}
    if found.is_file() and unpacked_suffix(found) not in known:
        raise DataError(unknown_data_message(found))


def check_readable(path: str | PathLike[str], kind: object) -> None:
    """Refuse a file that is not new input for a network, by its suffix.

    Tables may name pictures, which is seen when they are read.

    Args:
        path: A file or folder. Of folders only the existence is checked.
        kind: Kind of the network's preparation.

    Raises:
        DataError: If there is nothing, or a file of another kind.
    """
    found = find_existing(path)
    takes = suffixes_for(kind)
    known = [*takes, *TEXT] if kind == "pictures" else takes
    if found.is_file() and takes and unpacked_suffix(found) not in known:
        raise DataError(misfit_message(found, str(kind), takes))


def unknown_data_message(path: Path) -> str:
    """Return the error message for a path that is not data of a known format."""
    if path.is_dir():
        others = sum(entry.is_file() for entry in visible_entries(path))
        return f"{path} {describe_empty(visible_entries(path), others)}."
    hint = "one picture is not enough to train on" if is_picture(path) else f"open {openable()}"
    if re.search(r"idx\d-ubyte", path.name):
        hint = f"open the folder {path.parent}, which holds the other idx files too"
    return f"{path} cannot be opened as data: {hint}."
