"""Every format by its row: it is opened, predicted, evaluated, named, and refused when bad."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import feather
from pyarrow import parquet as pq
from tests.datasets.annotations.label_writers import (
    write_boxes,
    write_coco,
    write_picture,
    write_voc,
    write_yolo,
)
from tests.datasets.masks.mask_writers import write_mask
from tests.datasets.points import point_writers
from tests.datasets.tables.files.workbooks import WORKBOOKS

from neuropil import datasets
from neuropil.cli import main
from neuropil.datasets import DataError, Splits, read_for_evaluation, read_for_prediction
from neuropil.datasets.formats import FORMATS, Format, example_file

RANDOM = np.random.default_rng(0)
NUMBERS, LABELS = RANDOM.normal(size=(30, 2)).round(3), np.arange(30) % 2
ROWS = [f"{a},{b},{'no' if c else 'yes'}" for (a, b), c in zip(NUMBERS, LABELS, strict=True)]
TYPED = pa.table(
    {
        "age": NUMBERS[:, 0],
        "size": NUMBERS[:, 1],
        "ill": ["no" if label else "yes" for label in LABELS],
    }
)
PIXELS = RANDOM.integers(0, 256, (30, 6, 5), dtype=np.uint8)


def write_table(folder: Path, suffix: str) -> Path:
    """Write a table, its cells parted as the suffix says."""
    text = "\n".join(["age,size,ill", *ROWS])
    path = folder / f"data{suffix}"
    path.write_text(text.replace(",", "\t") if suffix == ".tsv" else text)
    return path


def write_archive(folder: Path, suffix: str) -> Path:
    """Write named arrays into one file."""
    np.savez(folder / "data.npz", x=NUMBERS, y=LABELS)
    return folder / f"data{suffix}"


def write_arrays(folder: Path, suffix: str) -> Path:
    """Write each array into a file of its own."""
    for name, array in (("x", NUMBERS), ("y", LABELS)):
        np.save(folder / f"{name}{suffix}", array)
    return folder


def write_pictures(folder: Path, suffix: str) -> Path:
    """Write pictures into a folder per class."""
    for number, pixels in enumerate(PIXELS):
        path = folder / "data" / str(number % 2) / f"{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, "JPEG" if suffix == ".jpe" else None)
    return folder / "data"


def write_picture_table(folder: Path, _suffix: str) -> Path:
    """Write pictures, and a table with their names and labels."""
    rows = ["picture,ill"]
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{'no' if LABELS[number] else 'yes'}")
    path = folder / "data.csv"
    path.write_text("\n".join(rows))
    return path


def write_people_table(folder: Path, _suffix: str) -> Path:
    """Write pictures of ten people, and a table with their names."""
    rows = ["picture,who"]
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,p{number % 10}")
    path = folder / "data.csv"
    path.write_text("\n".join(rows))
    return path


def boxes_of_pictures() -> dict[str, list[tuple[str, int, int, int, int]]]:
    """Return a box of each of the thirty pictures."""
    return {
        str(number): [("no" if label else "yes", 1, 1, 4, 5)]
        for number, label in enumerate(LABELS)
    }


def write_voc_folder(folder: Path, _suffix: str) -> Path:
    """Write pictures with an XML file each."""
    return write_voc(folder, boxes_of_pictures(), (6, 5))


def write_coco_file(folder: Path, suffix: str) -> Path:
    """Write pictures and a file with all their boxes."""
    return write_coco(folder / f"data{suffix}", boxes_of_pictures(), ["no", "yes"], (6, 5))


def write_box_table(folder: Path, _suffix: str) -> Path:
    """Write pictures, and a table with a row for each box."""
    return write_boxes(folder / "data.csv", boxes_of_pictures(), (6, 5))


def write_yolo_folder(folder: Path, _suffix: str) -> Path:
    """Write pictures with a text file each."""
    return write_yolo(folder, boxes_of_pictures(), ["no", "yes"], (6, 5))


def points_of_pictures() -> dict[str, list[tuple[int, int, int]]]:
    """Return two points of each of the thirty pictures; x of the first tells the label."""
    return {str(n): [(int(label), 2, 2), (3, 4, 1)] for n, label in enumerate(LABELS)}


def write_point_table(folder: Path, _suffix: str) -> Path:
    """Write pictures, and a table with the points of each."""
    return point_writers.write_table(
        folder / "data.csv", points_of_pictures(), ["a", "b"], (6, 5)
    )


def write_keypoints(folder: Path, _suffix: str) -> Path:
    """Write pictures and a file with all their points."""
    return point_writers.write_coco(
        folder / "data.json", points_of_pictures(), ["a", "b"], (6, 5)
    )


def write_point_arrays(folder: Path, _suffix: str) -> Path:
    """Write arrays of pictures and of points."""
    return point_writers.write_arrays(
        folder / "data.npz", points_of_pictures(), ["a", "b"], (6, 5)
    )


def write_mask_folder(folder: Path, _suffix: str) -> Path:
    """Write pictures with a mask each, whose first line tells the label."""
    (folder / "classes.txt").write_text("yes\nno")
    for number, label in enumerate(LABELS):
        write_picture(folder / "images" / f"{number}.png", (6, 5), number)
        write_mask(folder / "masks" / f"{number}.png", [[label] * 5, *[[1, 0, 1, 0, 1]] * 5])
    return folder


def write_idx(folder: Path, _suffix: str) -> Path:
    """Write MNIST's training files."""
    for name, array in (("images-idx3", PIXELS), ("labels-idx1", LABELS)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        content = header + array.astype(np.uint8).tobytes()
        (folder / f"train-{name}-ubyte").write_bytes(content)
    return folder


def write_parquet(folder: Path, suffix: str) -> Path:
    """Write a table with a type per column."""
    pq.write_table(TYPED, folder / f"data{suffix}")
    return folder / f"data{suffix}"


def write_feather(folder: Path, suffix: str) -> Path:
    """Write Arrow's file layout, or its stream layout for .ipc."""
    path = folder / f"data{suffix}"
    if suffix == ".ipc":
        with pa.ipc.new_stream(path, TYPED.schema) as stream:
            stream.write_table(TYPED)
    else:
        feather.write_feather(TYPED, path)
    return path


def write_json_lines(folder: Path, suffix: str) -> Path:
    """Write an object per line."""
    path = folder / f"data{suffix}"
    path.write_text("\n".join(map(json.dumps, TYPED.to_pylist())))
    return path


def write_workbook(folder: Path, suffix: str) -> Path:
    """Write a sheet by a library, or OpenDocument's XML."""
    path = folder / f"data{suffix}"
    rows = [TYPED.column_names, *(list(row.values()) for row in TYPED.to_pylist())]
    WORKBOOKS[suffix](path, rows)
    return path


def write_arff(folder: Path, suffix: str) -> Path:
    """Write a header with types, and rows."""
    head = ["@relation r", "@attribute age numeric", "@attribute size real"]
    head += ["@attribute ill {yes, no}", "@data"]
    path = folder / f"data{suffix}"
    path.write_text("\n".join([*head, *ROWS]))
    return path


# A row for each format: what writes thirty labelled examples, those that all tests use.
WRITERS: dict[str, Callable[[Path, str], Path]] = {
    "idx": write_idx,
    "array": write_arrays,
    "npz": write_archive,
    "VOC": write_voc_folder,
    "COCO": write_coco_file,
    "YOLO": write_yolo_folder,
    "box table": write_box_table,
    "point arrays": write_point_arrays,
    "COCO keypoints": write_keypoints,
    "point table": write_point_table,
    "mask": write_mask_folder,
    "picture table": write_picture_table,
    "people table": write_people_table,
    "table": write_table,
    "Parquet": write_parquet,
    "Feather": write_feather,
    "JSON lines": write_json_lines,
    "spreadsheet": write_workbook,
    "ARFF": write_arff,
    "picture": write_pictures,
}
# The labels in targets, by their kind.
LABELS_OF = {
    "boxes": lambda targets: targets[:, 0, 4],
    "points": lambda targets: targets[:, 0, 0],
    "masks": lambda targets: targets[:, 0, 0],
    "identities": lambda targets: targets % 2,
}
CASES = [(known, suffix) for known in FORMATS for suffix in known.suffixes or ("",)]
by_suffix = pytest.mark.parametrize(
    ("known", "suffix"), CASES, ids=[f"{known.name}{suffix}" for known, suffix in CASES]
)
by_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)


def open_own(known: Format, path: Path | str) -> Splits:
    """Open data of a format, with the task that asks for it where another is the default."""
    return datasets.open(path, task="verification" if known.name == "people table" else None)


def one_file(path: Path) -> Path:
    """Return a file of inputs among what was written."""
    return path if path.is_file() else next(f for f in sorted(path.rglob("*")) if f.is_file())


def test_every_format_has_a_row_and_every_row_a_format():
    names = [known.name for known in FORMATS]
    assert sorted(names) == sorted(WRITERS), "give each format a row in WRITERS"
    suffixes = [suffix for known in FORMATS for suffix in known.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.casefold() for suffix in suffixes)


@by_suffix
def test_it_is_opened_and_evaluated(tmp_path, known, suffix):
    path = WRITERS[known.name](tmp_path, suffix)
    assert known.recognises(path)
    opened = open_own(known, path)
    people = opened.target.kind == "identities"  # at least two of them in each part
    sizes = [18, 6, 6] if people else [21, 3, 6]
    assert [len(opened.train), len(opened.validation), len(opened.test)] == sizes
    assert people or len(getattr(opened.target, "classes", opened.target.names)) == 2
    assert opened.kind in known.read_labelled
    labelled, notes = read_for_evaluation(opened.preparation, path)
    assert len(labelled) == 30
    numbers = LABELS_OF.get(opened.target.kind, lambda targets: targets)(labelled.targets)
    assert sorted(numbers.tolist()) == sorted(LABELS.tolist())
    assert notes == []
    sums = [part.inputs.double().sum().item() for part in (opened.train, opened.validation)]
    sums.append(opened.test.inputs.double().sum().item())
    assert labelled.inputs.double().sum().item() == pytest.approx(sum(sums))


@by_suffix
def test_new_input_is_read_for_prediction(tmp_path, known, suffix):
    path = WRITERS[known.name](tmp_path, suffix)
    opened = open_own(known, path)
    if known.name == "point arrays":  # whose pictures are read as all arrays are
        assert len(read_for_prediction(opened.preparation, path).inputs) == 30
        return
    if known.name in (
        "picture table",
        "people table",
        "point table",
    ):  # which are read picture by picture
        read = read_for_prediction(opened.preparation, path)
        assert len(read.inputs) == len(read.names) == len(read.table) == 30
        return
    if not known.read:
        with pytest.raises(DataError, match="cannot be used with this network: it was trained"):
            read_for_prediction(opened.preparation, one_file(path))
        return
    assert opened.kind == next(iter(known.read)), "the kind of its own data comes first"
    read = read_for_prediction(opened.preparation, one_file(path))
    labelled, _ = read_for_evaluation(opened.preparation, path)
    assert read.inputs[0].tolist() == labelled.inputs[0].tolist()
    assert len(read.inputs) == len(read.names) == (1 if known.name == "picture" else 30)
    assert read.names[0].startswith(one_file(path).name)
    assert (read.table is not None) == (opened.kind == "table")


@by_format
@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2 nonsense \xff" * 9], ids=["empty", "damaged"]
)
def test_a_bad_file_is_one_line_with_its_name(tmp_path, known, content):
    path = WRITERS[known.name](tmp_path, (known.suffixes or ("",))[0])
    preparation = open_own(known, path).preparation
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    for file in files:
        file.write_bytes(content)
    for read in (datasets.open, lambda path: read_for_evaluation(preparation, path)):
        with pytest.raises(DataError) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert any(file.name in str(caught.value) for file in files)
    with pytest.raises(DataError, match=files[0].name):
        read_for_prediction(preparation, files[0])


@by_format
def test_help_and_errors_name_it(tmp_path, known, capsys):
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(DataError) as caught:
        datasets.open(tmp_path / "notes.txt")
    assert known.opens in str(caught.value)
    assert known.opens in help_of("train", capsys)
    if known.read:
        assert known.files in help_of("predict", capsys)
        path = WRITERS[known.name](tmp_path, known.suffixes[0])
        preparation = datasets.open(path).preparation
        with pytest.raises(DataError) as caught:
            read_for_prediction(preparation, tmp_path / "notes.txt")
        assert all(suffix in str(caught.value) for suffix in known.suffixes)
        assert "it was trained on" in str(caught.value)
        example = Path(example_file(preparation.kind))
        assert preparation.kind in {
            k for f in FORMATS if example.suffix in f.suffixes for k in f.read
        }


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the help of a command without its frames and line breaks."""
    assert main([command, "--help"]) == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())
