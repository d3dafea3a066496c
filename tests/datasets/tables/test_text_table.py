"""Targets, columns and missing cells of tables."""

import csv
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import (
    Classes,
    DataError,
    NumberColumn,
    Table,
    TablePreparation,
    TextColumn,
)
from neuropil.datasets.preparations import preparation_from_json
from neuropil.datasets.tables.files.table_file import read_table

KINDS = {"classification": "classes", "regression": "numbers"}


def rows(*lines, header="x,y", times=1):
    """Return the text of a table."""
    return "\n".join([header, *(list(lines) * times)]) + "\n"


def numbered(count, line):
    """Return `count` lines, each made from its number."""
    return [line(number) for number in range(count)]


@pytest.mark.parametrize(
    ("targets", "task", "classes"),
    [
        ("cat dog", "classification", ["cat", "dog"]),
        ("0 1", "classification", ["0", "1"]),
        ("1.0 2.0 10.0", "classification", ["1", "2", "10"]),
        ("-1 +1", "classification", ["-1", "1"]),
        (" ".join(map(str, range(20))), "classification", [str(n) for n in range(20)]),
        (" ".join(map(str, range(21))), "regression", None),
        ("0.5 1 2", "regression", None),
        ("3 4 5+", "classification", ["3", "4", "5+"]),
        ("9000000000001 9000000000002", "classification", ["9000000000001", "9000000000002"]),
    ],
)
def test_the_task_is_seen_from_the_target(write_table, targets, task, classes):
    lines = [f"{n},{t}" for n, t in enumerate(targets.split() * 10)]
    splits = datasets.open(write_table(rows(*lines)))
    assert splits.target.kind == KINDS[task]
    assert list(getattr(splits.target, "classes", ())) == (classes or [])
    assert task in splits.notes[0]
    assert "set task= to override" in splits.notes[0]


def test_the_task_can_be_said(write_table):
    path = write_table(rows("1,0", "2,1", "3,2", times=10))
    regression = datasets.open(path, task="regression")
    assert regression.target.kind == "numbers"
    assert regression.train.targets.dtype == torch.float64
    halves = write_table(rows("1,0.5", "2,1.5", times=10))
    assert list(datasets.open(halves, task="classification").target.classes) == ["0.5", "1.5"]


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (
            numbered(30, lambda n: f"{n},name{n}"),
            {},
            "30 distinct values in 30 rows, too many",
        ),
        (
            ["1,a", "2,b"] * 9,
            {"task": "regression"},
            "holds words such as 'a', which need classif",
        ),
        (["1,a", "2,a"] * 9, {}, "The target column 'y' has examples of one class only, 'a'"),
        (["1,a", "2,NA"] * 9, {}, "one class only, 'a'.* 9 rows without .*: 'NA' means a"),
        (
            ["1,2.5", "2,2.5"] * 9,
            {},
            "The target column 'y' has the same value, 2.5, in every training",
        ),
        (["1,", "2,?"] * 9, {}, "the target column 'y' is empty"),
        (["1,a", "2,b"] * 9, {"target": "yy"}, "has no column 'yy'\\. Did you mean 'y'"),
        (["1,a", "2,b"] * 9, {"target": "colour"}, "has no column 'colour'."),
        (
            ["1,a", "2,b"] * 9,
            {"task": "sorting"},
            "`task` must be one of 'classification', 'regression', 'detection', 'loc",
        ),
        (["1,a", "2,b"] * 9, {"color": "grey"}, "`color` does not apply to a table"),
    ],
)
def test_targets_that_cannot_be_are_refused(write_table, lines, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.open(write_table(rows(*lines)), **options)


def test_another_column_may_be_the_target(write_table):
    splits = datasets.open(write_table(rows("a,1.5", "b,2.5", times=10)), target="x")
    assert list(splits.target.classes) == ["a", "b"]
    assert splits.preparation.feature_names == ["y"]


def test_rows_without_a_target_are_set_aside_and_counted(write_table):
    lines = ["1,a", "2,b"] * 9 + ["3,", "4,NA"]
    splits = datasets.open(write_table(rows(*lines)), validation=0, test=0)
    assert len(splits.train) == 18
    assert splits.notes[0].startswith(
        "2 rows without a target set aside (first row 20): 'NA' m"
    )


@pytest.mark.parametrize("missing", ["", "?", "NA", "NaN", "nan", "null", "N/A"])
def test_missing_numbers_become_the_training_median_with_an_indicator(write_table, missing):
    values = ["1", "2", "4", "8", missing] * 8
    lines = [f"{value},{n % 2}" for n, value in enumerate(values)]
    splits = datasets.open(write_table(rows(*lines)))
    column = splits.preparation.columns[0]
    present = splits.train.inputs[splits.train.inputs[:, 1] == 0, 0]
    assert column == NumberColumn("x", float(np.median(present)), indicator=True)
    for part in (splits.train, splits.validation, splits.test):
        filled = part.inputs[part.inputs[:, 1] == 1, 0]
        assert (filled == column.median).all()
    assert any(note.startswith("Missing values: 'x' in 8 rows;") for note in splits.notes)


def test_only_training_rows_are_learnt_from(write_table):
    lines = [f"{n if n else ''},{'rare' if n == 7 else 'usual'},{n % 2}" for n in range(40)]
    path = write_table(rows(*lines, header="x,word,y"))
    seen = set()
    for seed in range(12):
        splits = datasets.open(path, seed=seed, test=0.5)
        number, *word = splits.preparation.columns
        trained = splits.train.inputs[:, 0]
        known = trained[splits.train.inputs[:, 1] == 0] if number.indicator else trained
        assert number.median == np.median(known)
        has_rare = 7 in trained.tolist()
        assert [column.categories for column in word] == [("rare", "usual")] * has_rare
        assert any("'word' left out: all training" in n for n in splits.notes) != has_rare
        seen.add((number.indicator, has_rare))
    assert len(seen) == 4


def test_words_become_one_hot_and_missing_words_an_indicator(write_table):
    lines = [f"{word},{n % 2}" for n, word in enumerate(["red", "blue", "?"] * 10)]
    splits = datasets.open(write_table(rows(*lines)))
    assert splits.preparation.feature_names == ["x=blue", "x=red", "x missing"]
    assert (splits.train.inputs.sum(1) == 1).all()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["1,0", "2,1"] * 9 + ["abc,1"],
            r"table.csv, column 'x', row 20: 'abc' in a column of 18 num",
        ),
        (["1,0", "2,1"] * 20 + ["abc,1", "de,0"], r"row 42: 'abc' \(1 more like it\)"),
        (["1,0", "2,1"] * 9 + ["w" * 99 + ",1"], "row 20: 'w{58}… in a column"),
        (["1,0", "2,1"] * 9 + ["inf,1"], r"row 20: 'inf' in a column"),
        (["1,0", "2,1"] * 9 + ["1e39,1"], r"row 20: '1e39' in a column"),
        (["1,0", "2,1"] * 9 + ["1_000,1"], r"row 20: '1_000' in a column"),
        ([*numbered(40, lambda n: f"{n},{n + 0.5}"), "3,high"], r"column 'y', row 42: 'high'"),
        # Many words among many quantities are slips as well.
        (
            [f"{n if n % 3 else 'x'}{n},{n % 2}".replace("x", "x ") for n in range(60)],
            "row 2: 'x 0'",
        ),
    ],
)
def test_words_among_numbers_are_an_error_with_row_and_column(write_table, lines, message):
    with pytest.raises(DataError, match=message):
        datasets.open(write_table(rows(*lines)))


def test_words_among_few_numbers_are_categories(write_table):
    lines = ["1,0", "2,1", "crew,1", "2,0"] * 10
    splits = datasets.open(write_table(rows(*lines)))
    assert splits.preparation.feature_names == ["x=1", "x=2", "x=crew"]


@pytest.mark.parametrize(
    ("header", "line", "reason"),
    [
        ("name,x,y", lambda n: f"person {n},{n % 7},{n % 2}", "distinct words in"),
        ("empty,x,y", lambda n: f",{n % 7},{n % 2}", "no training row has a value"),
        ("Id,x,y", lambda n: f"{n},{n % 7},{n % 2}", "it only identifies the rows"),
        (",x,y", lambda n: f"{n},{n % 7},{n % 2}", "it only identifies the rows"),
    ],
)
def test_useless_columns_are_left_out_and_said(write_table, header, line, reason):
    splits = datasets.open(write_table(rows(*numbered(40, line), header=header)))
    assert splits.preparation.feature_names == ["x"]
    name = header.split(",", maxsplit=1)[0] or "column1"
    assert any(n.startswith(f"Column {name!r}") and reason in n for n in splits.notes)


@pytest.mark.parametrize(("name", "step"), [("x", 1), ("width", 2)])
def test_a_column_that_may_mean_something_is_kept(write_table, name, step):
    lines = numbered(40, lambda n: f"{n * step},{n % 2}")
    splits = datasets.open(write_table(rows(*lines, header=f"{name},y")))
    assert splits.preparation.feature_names == [name]


def test_nothing_to_learn_from_is_said(write_table):
    lines = numbered(40, lambda n: f"person {n},{n % 2}")
    with pytest.raises(
        DataError, match=r"no usable input column\. Column 'x' left out: 28 distinct"
    ):
        datasets.open(write_table(rows(*lines)))


def test_regression_targets_stay_raw_and_the_preparation_knows_their_scale(write_table):
    lines = numbered(50, lambda n: f"{n},{100 + 3.5 * n}")
    splits = datasets.open(write_table(rows(*lines)))
    targets = splits.train.targets
    torch.testing.assert_close(targets, 100 + 3.5 * splits.train.inputs[:, 0].double())
    target = splits.preparation.target
    assert target.mean == pytest.approx([targets.mean().item()])
    assert target.scale == pytest.approx([targets.std(correction=0).item()])


def test_training_and_test_tables_of_a_folder(write_table, tmp_path):
    write_table(rows("1,a", "2,b", times=20), "train.csv")
    path = write_table(rows("3,b", "4,a"), "test.csv")
    splits = datasets.open(tmp_path)
    assert len(splits.train) == 36
    assert splits.has_test
    path.write_text(rows("5,b"))
    assert splits.test.inputs.tolist() == [[5]]
    assert splits.test.targets.tolist() == [1]


def test_a_test_table_without_target_is_no_test(write_table, tmp_path):
    write_table(rows("1,a", "2,b", times=20), "train.csv")
    write_table(rows("3", "4", header="x"), "test.csv")
    splits = datasets.open(tmp_path)
    assert len(splits.test) == 8
    assert splits.notes[0].startswith("test.csv lacks the target column 'y'")


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.data())
def test_what_a_column_gives_is_what_the_cells_say(data):
    words = data.draw(st.lists(st.sampled_from("abc?"), min_size=1, max_size=9))
    column = TextColumn("w", ("a", "b"), indicator=data.draw(st.booleans()))
    encoded = column.encode(Table.of({"w": words}), [])
    assert encoded.shape == (len(words), len(column.features))
    for word, row in zip(words, encoded, strict=True):
        expected = {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 0], "?": [0, 0, 1]}[word]
        assert row.tolist() == expected[: len(row)]


def test_the_preparation_survives_json(write_table):
    lines = [f"{word},{n % 5 or ''},{n % 2}" for n, word in enumerate(["r", "b", "?"] * 10)]
    preparation = datasets.open(write_table(rows(*lines, header="w,x,y"))).preparation
    again = preparation_from_json(json.loads(json.dumps(preparation.to_json())))
    assert again == preparation


GOOD = TablePreparation(
    (NumberColumn("x", 1.0, indicator=False), TextColumn("w", ("a",), indicator=True)),
    Classes(["no", "yes"], name="y"),
    names=("x", "w", "y"),
).to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "os.system"}, "unknown kind 'os.system'"),
        ({"kind": 3}, "'kind' must be a text, got 3"),
        ({"columns": []}, "a table needs columns"),
        ({"columns": [3]}, "'columns' must be a list of objects"),
        ({"columns": [{"kind": "colour"}]}, "unknown kind 'colour', known are"),
        (
            {"columns": [{"kind": "number", "name": "x", "median": "1"}]},
            "'median' must be a finite",
        ),
        ({"names": None}, "'names' must be a list of texts"),
        ({"header": 1}, "'header' must be true or false"),
        ({"target": None}, "'kind' must be a text"),
        ({"target": Classes("ab").to_json()}, "the name of its target"),
    ],
)
def test_a_damaged_preparation_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        preparation_from_json({**GOOD, **change})
    with pytest.raises(DataError, match="'kind' must be a text"):
        preparation_from_json([GOOD])


def test_real_tables_are_read_as_published(data):
    splits = datasets.open(data / "tabular" / "abalone.csv")
    assert splits.target.kind == "numbers"
    assert splits.preparation.feature_names[:4] == ["sex=F", "sex=I", "sex=M", "length"]
    auto = datasets.open(data / "tabular" / "auto_mpg.csv", validation=0, test=0)
    with (data / "tabular" / "auto_mpg.csv").open() as file:
        raw = [row["horsepower"] for row in csv.DictReader(file)]
    median = np.median([float(cell) for cell in raw if cell != "?"])
    place = auto.preparation.feature_names.index("horsepower")
    assert auto.train.inputs[raw.index("?"), place : place + 2].tolist() == [median, 1]
    zoo = datasets.open(data / "tabular" / "zoo.csv")
    assert list(zoo.target.classes) == ["1", "2", "3", "4", "5", "6", "7"]
    assert "name" not in [column.name for column in zoo.preparation.columns]


@pytest.mark.parametrize(
    ("name", "task", "features"),
    [
        ("banknote", "classification", 4),
        ("concrete", "regression", 8),
        ("sonar", "classification", 60),
        ("winequality_red", "classification", 11),
        ("power_plant", "regression", 4),
    ],
)
def test_real_tables_get_their_task(data, name, task, features):
    splits = datasets.open(data / "tabular" / f"{name}.csv")
    assert (splits.target.kind, splits.input_shape) == (KINDS[task], (features,))


@pytest.mark.parametrize("cells", [["1,5", "2,5"], ["1,5", "2,5", "7,5", "12,5"], ["3,5"]])
def test_one_column_of_decimal_commas_is_read_as_such(write_table, cells):
    lines = [f"{n},5;{n / 4}".replace(".", ",") for n in range(60)]
    splits = datasets.open(write_table(rows(*lines, header="x;y")), task="regression")
    path = write_table(rows(*cells, header="x"), "new.csv")
    found = splits.preparation.encode(splits.preparation.read(path, [], read_table))
    assert found[:, 0].tolist() == [float(cell.replace(",", ".")) for cell in cells]
