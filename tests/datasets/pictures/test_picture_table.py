"""Tables that name pictures: numbers or classes for each, in memory and on demand."""

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil import datasets
from neuropil.datasets import DataError, Numbers, PictureSource, read_for_evaluation
from neuropil.datasets.pictures import picture_set


@pytest.fixture
def write_rows(tmp_path):
    """Return a function that writes grey pictures 0 to 29, and a table about them."""

    def write(header: str, row, name="faces.csv"):
        (tmp_path / "img").mkdir()
        for number in range(30):
            Image.new("L", (5, 4), 8 * number).save(tmp_path / "img" / f"{number}.png")
        table = tmp_path / name
        table.write_text("\n".join([header, *(row(number) for number in range(30))]))
        return table

    return write


@pytest.mark.parametrize("on_disk", [False, True])
def test_numbers_of_pictures_are_a_regression(write_rows, monkeypatch, on_disk):
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    opened = datasets.open(write_rows("file,age", lambda n: f"img/{n}.png,{n + 0.5}"))
    assert isinstance(opened.train, PictureSource) == on_disk
    assert (opened.kind, opened.input_shape) == ("pictures", (1, 4, 5))
    assert [len(opened.train), len(opened.validation), len(opened.test)] == [21, 3, 6]
    for part in (opened.train, opened.validation, opened.test):
        batch = part.fetch(range(len(part)))
        assert torch.equal(batch.inputs[:, 0, 0, 0] / 8 + 0.5, batch.targets)
        assert [f"img/{number:.0f}.png" for number in batch.targets - 0.5] == list(part.names)
    assert opened.target == Numbers.fit(opened.train.targets, "here", name="age")


def test_several_numbers_of_pictures_are_a_regression(write_rows):
    table = write_rows("file,x,name,y", lambda n: f"img/{n}.png,{n + 0.5},p{n},{-n / 4}")
    opened = datasets.open(table, target="x,y")
    assert opened.target.names == ("x", "y")
    shades = opened.train.inputs[:, 0, 0, 0].double() / 8
    assert torch.equal(opened.train.targets, torch.stack([shades + 0.5, -shades / 4], dim=1))
    labelled, _ = read_for_evaluation(opened.preparation, table)
    assert labelled.targets.shape == (30, 2)


def test_words_of_pictures_are_classes_and_other_columns_are_named(write_rows):
    table = write_rows(
        "sex;file;city", lambda n: f"{'fm'[n % 2]};img/{n}.png;{n}", name="faces.csv"
    )
    opened = datasets.open(table, target="sex", color="rgb", image_size=2)
    assert opened.target.classes == ("f", "m")
    assert opened.input_shape == (3, 2, 2)
    assert any(
        "Only the pictures are used to predict 'sex', not 'city'." in n for n in opened.notes
    )
    labelled, _ = read_for_evaluation(opened.preparation, table)
    assert labelled.targets.tolist() == [0, 1] * 15
    assert torch.equal(labelled.inputs[:, 0, 0, 0], torch.arange(30, dtype=torch.uint8) * 8)


def test_rows_without_a_file_are_named_and_set_aside(write_rows):
    table = write_rows("file,age", lambda n: f"img/{n}.{'png' if n % 7 else 'jpg'},{n}")
    with table.open("a") as file:
        file.write("\n,3")
    opened = datasets.open(table, validation=0, test=0, task="regression")
    assert len(opened.train) == 25
    note = next(note for note in opened.notes if "without a picture file" in note)
    assert note.startswith("6 rows without a picture file set aside: row 2 (img/0.jpg), row 9")
    assert "row 32 (no name)" not in note
    assert note.endswith("and 1 more.")


def test_mostly_missing_files_are_an_error_with_row_and_folder(write_rows, tmp_path):
    table = write_rows("file,age", lambda n: f"{'img/' * (n < 3)}{n}.png,{n}")
    message = (
        r"faces\.csv, column 'file': there is no picture for 27 rows of 30: row 5 \(3\.png\), "
        rf"row 6 .* The names are relative to {tmp_path}"
    )
    with pytest.raises(DataError, match=message):
        datasets.open(table)


def test_broken_pictures_are_set_aside(write_rows, tmp_path):
    table = write_rows("file,age", lambda n: f"img/{n}.png,{n}")
    (tmp_path / "img" / "4.png").write_bytes(b"broken")
    opened = datasets.open(table, validation=0, test=0, task="regression")
    assert len(opened.train) == 29
    assert "1 broken picture set aside: img/4.png: it is not a picture." in opened.notes


def test_a_table_of_other_names_is_a_table(write_rows):
    table = write_rows("file,size,age", lambda n: f"elsewhere/{n}.png,{n % 5},{n}")
    assert datasets.open(table).kind == "table"


def test_the_names_cannot_be_the_target(write_rows):
    table = write_rows("file,age", lambda n: f"img/{n}.png,{n}")
    with pytest.raises(DataError, match="target column 'file' holds the names of the pictures"):
        datasets.open(table, target="file")


def test_sizes_may_vary(write_rows, tmp_path):
    table = write_rows("file,age", lambda n: f"img/{n}.png,{n}")
    Image.new("L", (50, 40)).save(tmp_path / "img" / "7.png")
    opened = datasets.open(table, image_size="native", task="regression")
    assert opened.input_shape == (1, None, None)
    sizes = {part.size_of(0) for part in (opened.train, opened.test)}
    assert sizes == {(4, 5)}


def test_absolute_names_are_taken(write_rows, tmp_path):
    table = write_rows("file,age", lambda n: f"{tmp_path}/img/{n}.png,{n}")
    moved = tmp_path / "tables" / "faces.csv"
    moved.parent.mkdir()
    table.rename(moved)
    opened = datasets.open(moved, task="regression")
    assert np.array_equal(opened.train.inputs[:, 0, 0, 0], opened.train.targets * 8)


def test_rows_of_one_value_stay_together(write_rows):
    table = write_rows("file,person,age", lambda n: f"img/{n}.png,p{n // 3},{n + 0.5}")
    opened = datasets.open(table, split_by="person")
    people = [
        {int(age) // 3 for age in part.targets.tolist()}
        for part in (opened.train, opened.validation, opened.test)
    ]
    assert sum(map(len, people)) == len(set.union(*people)) == 10
    assert any(
        note.startswith("Split by 'person': no value is in two") for note in opened.notes
    )
    assert not any("not 'person'" in note for note in opened.notes)


@pytest.mark.parametrize("on_disk", [False, True])
def test_dates_split_by_time_past_a_broken_picture(write_rows, tmp_path, monkeypatch, on_disk):
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    table = write_rows(
        "file,day,kind", lambda n: f"img/{n}.png,2024-01-{n + 1:02},{'ab'[n % 2]}"
    )
    (tmp_path / "img" / "4.png").write_bytes(b"broken")
    assert any("set split_by= to 'day'" in note for note in datasets.open(table).notes)
    opened = datasets.open(table, split_by="day")
    assert list(opened.train.names)[3:5] == ["img/3.png", "img/5.png"]
    assert list(opened.test.names) == [f"img/{n}.png" for n in range(24, 30)]


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_picture_in_training_and_test_is_counted(write_rows, monkeypatch, on_disk):
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    table = write_rows("file,age", lambda n: f"img/{n % 2}.png,{n + 0.5}")
    notes = datasets.open(table).notes
    (note,) = (note for note in notes if note.startswith("Duplicates"))
    counts = "3 of 3 validation pictures and 6 of 6 test pictures"
    assert note.startswith(f"Duplicates: {counts} equal a training picture")


@pytest.mark.parametrize("size", [None, "native"])
def test_a_table_names_the_pictures_to_predict(write_rows, tmp_path, size):
    table = write_rows("file,age,city", lambda n: f"img/{n}.png,{n + 0.5},c{n % 3}")
    opened = datasets.open(table, target="age", image_size=size)
    new = tmp_path / "new.csv"
    new.write_text("who,file\nAda,img/3.png\nBo,img/none.png\nCy,img/5.png\nDi,img/4.png\n")
    (tmp_path / "img" / "5.png").write_bytes(b"broken")
    read = datasets.read_for_prediction(opened.preparation, [new])
    assert read.names == ["img/3.png", "img/4.png"]
    assert read.table.text("who").to_pylist() == ["Ada", "Di"]
    inputs = read.inputs if size is None else read.inputs.fetch([0, 1]).inputs
    assert inputs[:, 0, 0, 0].tolist() == [24, 32]
    assert read.table.names == ["who", "file"]
    assert read.set_aside == ["5.png cannot be used: it is not a picture."]
    assert "1 row without a picture file set aside: row 3 (img/none.png)." in read.notes
