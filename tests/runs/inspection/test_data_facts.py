"""What is known of data before a training."""

import torch

from neuropil.datasets import (
    ArrayPreparation,
    Boxes,
    Classes,
    Dataset,
    NumberColumn,
    Numbers,
    PicturePreparation,
    Splits,
    TablePreparation,
    TextColumn,
)
from neuropil.runs.inspection.data_facts import describe_labels, missing_classes


def splits_of(target, train, validation=None, test=None):
    """Return arrays with the given labels."""
    parts = [
        None
        if labels is None
        else Dataset(torch.zeros(len(labels), 2), target.collate(labels, "here"))
        for labels in (train, validation, test)
    ]
    preparation = ArrayPreparation((2,), target)
    return Splits(*parts, preparation=preparation, source="drawn")


def test_few_classes_are_counted_one_by_one():
    splits = splits_of(Classes(["no", "yes"]), ["no", "yes", "no"], ["no"], ["yes"])
    assert describe_labels(splits) == {
        "train": "2 of 'no', 1 of 'yes'",
        "validation": "1 of 'no', 0 of 'yes'",
        "test": "0 of 'no', 1 of 'yes'",
    }
    assert missing_classes(splits) == [
        "The validation part has no example of 'yes': its figures say nothing about it.",
        "The test part has no example of 'no': its figures say nothing about it.",
    ]


def test_a_class_that_is_nowhere_is_not_missed_and_many_are_cut_short():
    names = list("abcdefghi")
    splits = splits_of(Classes(names), names[:8] * 2, ["a"])
    (sentence,) = missing_classes(splits)
    assert "no example of 'b', 'c', 'd', 'e', 'f' and 2 more: its figures" in sentence
    assert describe_labels(splits)["train"] == "0 to 2 of each class, fewest of 'i'"


def test_numbers_have_their_range():
    target = Numbers((2.0,), (1.0,), "price")
    splits = splits_of(target, [1.0, 2.5, 4.0], [1e9])
    assert describe_labels(splits) == {
        "train": "1 to 4 (mean 2.5, standard deviation 1.225)",
        "validation": "1000000000 to 1000000000 (mean 1e+09, standard deviation 0)",
    }
    assert missing_classes(splits) == []
    pair = Numbers((2.0, 3.0), (1.0, 1.0), columns=("a", "b"))
    assert (
        "'b' 3 to 5 (mean 4," in describe_labels(splits_of(pair, [[1.0, 3], [2, 5]]))["train"]
    )


def test_numbers_close_together_and_far_from_zero_are_told_apart():
    target = Numbers((1e9,), (10.0,), "y")
    exact = torch.tensor([999999994.53, 1000000012.61, 1000000002.2], dtype=torch.float64)
    assert target.describe(exact) == (
        "999999994.53 to 1000000012.61 (mean 1000000003.11, standard deviation 7.409)"
    )
    prices = torch.tensor([1234571.42, 1235556.83, 1235000.0], dtype=torch.float64)
    assert target.describe(prices) == (
        "1234571 to 1235557 (mean 1235043, standard deviation 403.4)"
    )


def test_boxes_are_counted_by_class_with_their_sizes():
    target = Boxes(["cat", "dog"])
    boxes = [[[0, 0, 40, 30, 1], [5, 5, 9, 9, 0]], [], [[0, 0, 3, 3, -2]]]
    splits = splits_of(target, boxes, [[[0, 0, 8, 8, 0]]], [[]])
    assert describe_labels(splits) == {
        "train": "2 boxes: 1 of 'cat', 1 of 'dog'; sides 4 to 40 pixels, median 4×4; "
        "1 picture without a box; 1 box neither for nor against",
        "validation": "1 box: 1 of 'cat', 0 of 'dog'; sides 8 to 8 pixels, median 8×8",
        "test": "0 boxes: 0 of 'cat', 0 of 'dog'; 1 picture without a box",
    }
    assert "no example of 'dog'" in missing_classes(splits)[0]
    assert (
        "no example of 'cat', 'dog': its figures say nothing about them"
        in (missing_classes(splits)[1])
    )


def test_a_test_that_is_read_later_is_left_unread():
    splits = splits_of(Classes(["no", "yes"]), ["no", "yes"])
    late = Splits(
        splits.train,
        None,
        lambda _: 1 / 0,
        preparation=splits.preparation,
        source="drawn",
    )
    assert list(describe_labels(late)) == ["train"]


def test_columns_of_a_table_are_counted_by_what_they_hold():
    columns = (
        NumberColumn("age", 30.0, indicator=True),
        NumberColumn("height", 170.0, indicator=False),
        TextColumn("sex", ("F", "M"), indicator=False),
    )
    table = TablePreparation(columns, Classes(["no", "yes"]), names=("age", "height", "sex"))
    train = Dataset(torch.zeros(2, 5), [0, 1])
    assert table.describe(train) == (
        "3 columns: 2 of numbers, 1 of words; cells are missing in 'age'"
    )


def test_pictures_that_keep_their_sizes_have_their_range():
    class Sizes(list):
        size_of = list.__getitem__

    preparation = PicturePreparation((1, None, None), Classes(["no", "yes"]))
    varied = preparation.describe(Sizes([(20, 30), (24, 90), (28, 10)]))
    assert varied == "sizes 20×10 to 28×90, median 24×30"
    assert preparation.describe(Sizes([(20, 30)] * 3)) == "all of size 20×30"
    assert PicturePreparation((1, 8, 8), Classes(["no", "yes"])).describe(Sizes()) == ""
