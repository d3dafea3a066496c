"""Looking at what is there."""

import json

import numpy as np
import pytest

from neuropil import datasets
from neuropil.datasets import (
    Classes,
    DataError,
    Dataset,
    MissingDataError,
    PicturePreparation,
    Splits,
)


def test_a_missing_path_suggests_near_names(tmp_path):
    (tmp_path / "fashion").mkdir()
    with pytest.raises(
        MissingDataError, match=r"There is no .*fashoin\. Did you mean 'fashion'\?"
    ):
        datasets.open(tmp_path / "fashoin")
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        datasets.open(tmp_path / "no" / "where")
    with pytest.raises(ValueError, match=r"There is no .*xyz\.$"):
        datasets.open(tmp_path / "xyz")


def test_an_impossible_name_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be opened: File name too long"):
        datasets.open(tmp_path / ("x" * 300))


def test_home_is_understood(tmp_path, monkeypatch, write_table):
    write_table("x,y\n" + "1,a\n2,b\n" * 9)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(datasets.open("~/table.csv").train) == 12


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "notes.txt",
            "cannot be opened as data: open a folder with MNIST's idx files, arrays of",
        ),
        ("sheet.xlsx", "sheet.xlsx is empty, damaged, or not a workbook"),
        ("photo.png", "one picture is not enough to train on"),
        ("train-images-idx3-ubyte.gz", "open the folder .*, which holds the other idx files"),
    ],
)
def test_unknown_kinds_are_told_what_is_known(tmp_path, name, message):
    (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=message):
        datasets.open(tmp_path / name)


def test_a_folder_of_one_table_is_that_table(tmp_path, write_table):
    write_table("x,y\n" + "1,a\n2,b\n" * 9)
    (tmp_path / "LICENSE").write_text("free")
    assert datasets.open(tmp_path).kind == "table"
    write_table("y,x\n" + "a,1\nb,2\n" * 9, "other.csv")
    assert len(datasets.open(tmp_path, validation=0, test=0).train) == 36
    write_table("x,z\n" + "1,a\n2,b\n" * 9, "third.csv")
    with pytest.raises(
        DataError, match=r"third.csv has other columns than other.csv: it lacks"
    ):
        datasets.open(tmp_path)
    (tmp_path / "table.jsonl").write_text('{"x": 1, "y": 2}')
    with pytest.raises(DataError, match="4 data files: open one of them, such as other"):
        datasets.open(tmp_path)


def test_facts_are_plain_data(write_table):
    splits = datasets.open(write_table("x,y\n" + "1,a\n2,b\n" * 9))
    facts = json.loads(json.dumps(splits.facts()))
    assert (facts["train"], facts["validation"], facts["test"]) == (12, 2, 4)
    assert (facts["kind"], facts["input_shape"]) == ("table", [1])


def test_facts_do_not_read_the_test():
    preparation = PicturePreparation((1, 2, 2), Classes("ab"))
    data = Dataset(np.zeros((4, 1, 2, 2), np.uint8), [0, 1, 0, 1])

    def read(notes):
        notes.append("read")
        return data[:1]

    splits = Splits(data, None, read, preparation=preparation, source="memory")
    assert splits.facts()["test"] is None
    assert "unread test" in repr(splits)
    assert splits.notes == []
    assert splits.test is splits.test
    assert splits.notes == ["read"]
    assert splits.facts()["test"] == 1
    page = splits._repr_html_()
    for text in (
        "memory",
        "4 training · 1 test",
        "(1, 2, 2)",
        "classes: a, b",
        '<td class="wide">read</td>',
    ):
        assert text in page
    without = Splits(data, preparation=preparation, source="memory")
    assert not without.has_test
    assert without.facts()["test"] == 0


def test_splits_hold_the_preparation_to_the_examples():
    preparation = PicturePreparation((1, 2, 3), Classes("ab"))
    with pytest.raises(
        DataError, match=r"examples have shape \(1, 2, 2\), but the preparation has"
    ):
        Splits(Dataset(np.zeros((4, 1, 2, 2))), preparation=preparation, source="memory")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": 3},
            "`target` must be the name of a column or a list of names or None, got 3",
        ),
        (
            {"target": ["x", 3]},
            r"`target` must be the name of a column or a list .* got \['x', 3",
        ),
        ({"split_by": ["x"]}, r"`split_by` must be the name of a column or None, got \['x'\]"),
    ],
)
def test_columns_are_named_by_text(options, message):
    with pytest.raises(ValueError, match=message):
        datasets.open({"x": [1.0, 2.0], "y": [1.0, 2.0]}, **options)
