"""Which column is the target, and what its cells mean."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import DataError, Table
from neuropil.datasets.preparations import preparation_from_json


def table(targets, name="y", times=10) -> str:
    """Return a table with these targets again and again."""
    lines = [f"{n % 7}.5,{target}" for n, target in enumerate(list(targets) * times)]
    return "\n".join([f"x,{name}", *lines, ""])


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["007", "7", "07"], ["007", "07", "7"]),
        (["01", "02", "10"], ["01", "02", "10"]),
        (
            ["90071992547409921", "90071992547409922"],
            ["90071992547409921", "90071992547409922"],
        ),
        (
            ["9007199254740993.0", "9007199254740992.0"],
            ["9007199254740992", "9007199254740993"],
        ),
        (["18446744073709551615", "18446744073709551614"], None),
        (["1.0", "2.0", "10.0"], ["1", "2", "10"]),
        (["1", "2.0", "+3"], ["1", "2", "3"]),
        (['"1,0"', '"2,0"'], ["1", "2"]),
        (["-0", "1"], ["0", "1"]),
        (["0.50", "1.5"], None),
        ([f"{n:03}" for n in range(25)], [f"{n:03}" for n in range(25)]),
        ([str(2**60 + n) for n in range(25)], [str(2**60 + n) for n in range(25)]),
        (["True", "False"], ["False", "True"]),
        (["None", "EU", "APAC"], ["APAC", "EU", "None"]),
    ],
)
def test_labels_keep_their_names(write_table, written, classes):
    task = "classification" if written == ["0.50", "1.5"] else None
    splits = datasets.open(write_table(table(written)), task=task)
    expected = classes or (["0.5", "1.5"] if task else sorted(written))
    assert list(splits.target.classes) == expected
    assert splits.train.targets.max() == len(expected) - 1


def test_the_order_of_classes_is_the_same_in_every_process(write_table):
    """Sets are in another order in each process, which the seed of their hashes tells."""
    path = write_table(table(["1", "01", "001", "2", "Cat", "cat", "CAT"]))
    expected = ["001", "01", "1", "2", "CAT", "Cat", "cat"]
    assert list(datasets.open(path).target.classes) == expected
    numbers = [str(2**56 + k) for k in range(5)]
    code = (
        "from neuropil import datasets\n"
        f"print(datasets.open({str(path)!r}).target.classes)\n"
        f"labels = {[*numbers, '1', '01', '1.0', '+1', '-2', '1e0']}\n"
        "print(datasets.Classes.fit(labels, 'here').classes)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    order = ("-2", "1.0", "1e0", "01", "1", "+1", *numbers)
    assert run.stdout.splitlines() == [str(tuple(expected)), str(order)]


def test_evaluation_takes_classes_as_programs_write_them(write_table):
    preparation = datasets.open(write_table(table(["1", "2", "3"]))).preparation
    found, _ = datasets.read_for_evaluation(
        preparation, write_table("x,y\n1,3.0\n2,1.0\n", "new.csv")
    )
    assert found.targets.tolist() == [2, 0]
    padded = datasets.open(write_table(table(["007", "008"]))).preparation
    with pytest.raises(DataError, match="classes that the training data lack: '7'"):
        datasets.read_for_evaluation(padded, write_table("x,y\n1,7\n", "new.csv"))


@pytest.mark.parametrize("word", ["NA", "N/A", "null", "nan"])
def test_a_class_called_na_is_named_in_the_note(write_table, word):
    splits = datasets.open(write_table(table([word, "EU", "APAC"])))
    assert list(splits.target.classes) == ["APAC", "EU"]
    assert f"first row 2): {word!r} means a missing value" in splits.notes[0]
    assert f"write another word for it, such as '({word})'" in splits.notes[0]


@pytest.mark.parametrize("word", ["None", "", "NULL"])
def test_unknown_numbers_are_set_aside(write_table, word):
    values = [f"{n}.5" for n in range(30)] + [word]
    splits = datasets.open(write_table(table(values, times=1)))
    assert splits.target.kind == "numbers"
    assert "1 row without a target set aside (first row 32)." in splits.notes


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["$2,266.50", "$950.25"], [2266.5, 950.25]),
        (["45.5%", "30.25%"], [45.5, 30.25]),
        (['"2,266"', '"950"'], [2266, 950]),
    ],
)
def test_targets_as_people_write_them(write_table, cells, values):
    cells = [cell if cell[0] == '"' else f'"{cell}"' for cell in cells]
    splits = datasets.open(write_table(table(cells)), task="regression", validation=0, test=0)
    assert splits.train.targets[:2].tolist() == values
    assert any("is " in note and "Read as numbers" in note for note in splits.notes)


def test_the_label_before_numbered_columns_is_the_target(write_table):
    pixels = ",".join(f"pixel{n}" for n in range(9))
    lines = [f"{n % 3},{','.join(str(n * k % 5) for k in range(9))}" for n in range(30)]
    path = write_table("\n".join([f"label,{pixels}", *lines]))
    splits = datasets.open(path)
    assert list(splits.target.classes) == ["0", "1", "2"]
    assert splits.notes[0].startswith(
        "Target 'label': the last column, 'pixel8', is one of many"
    )
    assert datasets.open(path, target="pixel8").preparation.target.name == "pixel8"


def test_classes_that_look_alike_are_said(write_table):
    splits = datasets.open(write_table(table(["cafe\u0301", "caf\u00e9", "tea"])))
    assert len(splits.target.classes) == 3
    assert any("composed and decomposed accents): 'café'" in note for note in splits.notes)


def several(rows=60):
    """Return a table with two inputs and four columns that may be targets."""
    random = np.random.default_rng(0)
    return {
        "x": random.normal(size=rows),
        "price": random.normal(size=rows) * 1000,
        "a, b": random.normal(size=rows),
        "count": [n % 5 for n in range(rows)],
        "kind": ["ab"[n % 2] for n in range(rows)],
    }


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("price, count", ("price", "count")),
        (["price", "a, b"], ("price", "a, b")),
        (("count", "price"), ("count", "price")),
    ],
)
def test_several_columns_of_numbers_are_one_target(target, names):
    splits = datasets.open(several(), target=target, validation=0, test=0)
    assert splits.target.names == names
    assert splits.target.outputs == 2
    assert splits.train.targets.dtype == torch.float64
    columns = [torch.tensor(several()[name], dtype=torch.float64) for name in names]
    assert torch.equal(splits.train.targets, torch.stack(columns, 1))
    assert not set(names) & {column.name for column in splits.preparation.columns}
    again = preparation_from_json(json.loads(json.dumps(splits.preparation.to_json())))
    assert again == splits.preparation
    assert again.encode_target(Table.of(several())).tolist() == splits.train.targets.tolist()
    assert f"Targets {names[0]!r}, {names[1]!r}: regression of 2 numbers." in splits.notes


def test_a_name_with_a_comma_is_one_column():
    splits = datasets.open(several(), target="a, b")
    assert splits.target.names == ("a, b",)
    with pytest.raises(DataError, match="has no column 'a'"):
        datasets.open(several(), target="price,a, b")


def test_rows_that_lack_one_of_several_targets_are_set_aside():
    table = several() | {"price": [None if n % 10 == 0 else n / 3 for n in range(60)]}
    splits = datasets.open(table, target=["price", "x"], validation=0, test=0)
    assert len(splits.train) == 54
    assert "6 rows without a target set aside" in splits.notes[0]


@pytest.mark.parametrize(
    ("target", "task", "message"),
    [
        ("price,kind", None, "must be numbers, but 'kind' holds classes, and .* name a single"),
        ("kind,count", None, "must be numbers, but 'kind' holds classes"),
        ("price,x", "classification", "but 'price', 'x' hold classes"),
        (["count", "code"], None, "'count', 'code' hold classes.* or set task= to regression"),
        ("price,price", None, r"must name each column once, got 'price,price'"),
        ([], None, r"must name each column once, got \[\]"),
        ("price,colour", None, "has no column 'colour'. There are: 'x', 'price', "),
        ("x,price,count,code,kind", None, "all columns are targets"),
    ],
)
def test_several_targets_that_cannot_be_are_refused(target, task, message):
    table = several() | {"code": [n % 3 for n in range(60)]}
    del table["a, b"]
    with pytest.raises(DataError, match=message):
        datasets.open(table, target=target, task=task)


def test_few_integers_may_be_several_numbers_if_asked():
    table = several() | {"code": [n % 3 for n in range(60)]}
    splits = datasets.open(table, target="count,code", task="regression")
    assert splits.target.names == ("count", "code")


def test_dates_are_not_a_target():
    table = {"x": [1.5, 2, 3] * 20, "day": [f"2020-01-{n % 28 + 1:02}" for n in range(60)]}
    with pytest.raises(
        DataError, match="column 'day' holds dates or times, such as '2020-01-01'"
    ):
        datasets.open(table)


def test_numbers_with_an_exponent_that_are_one_class_are_said(write_table):
    splits = datasets.open(write_table(table(["1e5", "100000", "7"])))
    assert splits.preparation.target.classes == ("7", "100000")
    assert any("'1e5', '100000' are '100000'" in note for note in splits.notes)
    splits = datasets.open(write_table(table(["1.0", "1", "7"])))
    assert not any("same number" in note for note in splits.notes)


def test_one_constant_target_of_several_is_said():
    rows = {"x": list(range(60)), "y": [n % 7 / 2 for n in range(60)], "z": [1.5] * 60}
    notes = datasets.open(rows, target=["y", "z"]).notes
    assert any("Target 'z' has the same value, 1.5, in all rows" in note for note in notes)
