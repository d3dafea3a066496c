"""A report is whole for every kind of data and network."""

import functools
import re

import numpy as np
import pytest
import torch
from tests.streamed import streamed

from neuropil import datasets
from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    Dataset,
    DateColumn,
    HashedColumn,
    NumberColumn,
    Numbers,
    PicturePreparation,
    Splits,
    TablePreparation,
    TextColumn,
)
from neuropil.layers import (
    AveragePooling,
    Convolution,
    Flatten,
    Input,
    Linear,
    Relu,
    Sigmoid,
    Softmax,
    repeat,
)
from neuropil.training import History

ALWAYS = ["summary", "results", "mistakes", "training", "network", "data", "use"]


def splits_of(shape, target, preparation, *, examples=60, dtype=torch.float32, parts=(30, 10)):
    """Return drawn examples: training, validation where it has any, and the rest as test."""
    generator = torch.Generator().manual_seed(0)
    inputs = (255 * torch.rand(examples, *shape, generator=generator)).to(dtype)
    if isinstance(target, Classes):
        targets = torch.arange(examples) % len(target.classes)
    else:
        targets = torch.randn(examples, target.outputs, generator=generator)
        targets = targets.squeeze(1) * torch.tensor(target.scale) + torch.tensor(target.mean)
    pieces, start = [], 0
    for size in (*parts, examples - sum(parts)):
        piece = Dataset(inputs[start : start + size], targets[start : start + size])
        pieces.append(piece if size else None)
        start += size
    return Splits(*pieces, preparation=preparation, source="drawn examples")


def pictures(channels, target, **options):
    shape = (channels, 6, 6)
    preparation = PicturePreparation(shape, target)
    return splits_of(shape, target, preparation, dtype=torch.uint8, **options)


def arrays(shape, target, **options):
    return splits_of(shape, target, ArrayPreparation(shape, target), **options)


def classes(count):
    return Classes([f"class {k}" for k in range(count)])


def a_table(target):
    """Return a table with words and missing cells, by the public preparation."""
    preparation = TablePreparation(
        (
            NumberColumn("age", 30.0, indicator=True),
            TextColumn("sex", ("F", "M"), indicator=False),
            NumberColumn("height", 170.0, indicator=False),
        ),
        target,
        names=("age", "sex", "height", "outcome"),
    )
    raw = {
        "age": ["41", "?", "25.5", "60"] * 10,
        "sex": ["F", "M", "X", "M"] * 10,
        "height": [str(150 + k) for k in range(40)],
    }
    targets = torch.arange(40) % 2 if isinstance(target, Classes) else torch.arange(40.0)
    part = Dataset(preparation.encode(raw), targets)
    return Splits(
        part[:20], part[20:25], part[25:], preparation=preparation, source="people.csv"
    )


def a_table_of_dates(target):
    """Return a table with dates, times of day and hashed words, by the public preparation."""
    preparation = TablePreparation(
        (
            DateColumn("day", "2024-01-01T00:00:00", ("month", "weekday"), 9.0, indicator=True),
            DateColumn(
                "at", "1970-01-01T00:00:00", ("hour",), 9.0, indicator=False, unit="hours"
            ),
            HashedColumn("city", 6, indicator=False),
        ),
        target,
        names=("day", "at", "city", *target.names),
    )
    raw = {
        "day": ["2024-02-01", "?", "2024-03-07", "2025-01-31"] * 10,
        "at": ["0:30", "12:00", "9:15", "23:59"] * 10,
        "city": ["Oslo", "Rome", "X", "M"] * 10,
    }
    part = Dataset(preparation.encode(raw), torch.arange(80.0).reshape(40, 2))
    return Splits(part[:20], part[20:25], part[25:], preparation=preparation, source="days.csv")


NUMBERS = Numbers((5.0,), (2.0,), "price")
NAMED_NUMBERS = Numbers((5.0, -100.0), (2.0, 50.0), columns=("price", "the <b>accuracy"))
TWO_NUMBERS = Numbers((5.0, -100.0), (2.0, 50.0))
CASES = {
    "grey pictures": (
        lambda: pictures(1, classes(10)),
        lambda: Input(1, 6, 6) >> Convolution(4, 3) >> Flatten() >> Softmax(10),
    ),
    "two classes of colour pictures": (
        lambda: pictures(3, classes(2)),
        lambda: Input(3, 6, 6) >> Convolution(4, 3) >> Flatten() >> Softmax(2),
    ),
    "a hundred classes": (
        lambda: pictures(1, classes(100), examples=340, parts=(120, 100)),
        lambda: Input(1, 6, 6) >> Flatten() >> Softmax(100),
    ),
    "pictures with a number each": (
        lambda: pictures(1, NUMBERS),
        lambda: Input(1, 6, 6) >> Flatten() >> Linear(1),
    ),
    "a table with classes": (
        lambda: a_table(Classes(["well", "ill"], name="outcome")),
        lambda: Input(5) >> Relu(8) >> Softmax(2),
    ),
    "a table with numbers": (
        lambda: a_table(NUMBERS),
        lambda: Input(5) >> Relu(8) >> Linear(1),
    ),
    "a table with dates and two numbers": (
        lambda: a_table_of_dates(NAMED_NUMBERS),
        lambda: Input(15) >> Relu(8) >> Linear(2),
    ),
    "arrays with two numbers each": (
        lambda: arrays((7,), TWO_NUMBERS),
        lambda: Input(7) >> Relu(4) >> Linear(2),
    ),
    "sequences": (
        lambda: arrays((5, 4), classes(3)),
        lambda: Input(5, 4) >> Flatten() >> Softmax(3),
    ),
    "signals of one channel": (
        lambda: arrays((1, 50), classes(3)),
        lambda: Input(1, 50) >> Flatten() >> Softmax(3),
    ),
    "pictures of one row": (
        lambda: splits_of((3, 1, 5), classes(3), PicturePreparation((3, 1, 5), classes(3))),
        lambda: Input(3, 1, 5) >> Flatten() >> Softmax(3),
    ),
    "volumes": (
        lambda: arrays((2, 4, 4, 4), classes(3)),
        lambda: Input(2, 4, 4, 4) >> AveragePooling(2) >> Flatten() >> Softmax(3),
    ),
    "no validation part": (
        lambda: arrays((4,), classes(3), parts=(30, 0)),
        lambda: Input(4) >> Softmax(3),
    ),
    "no test part": (
        lambda: arrays((4,), classes(3), parts=(30, 30)),
        lambda: Input(4) >> Softmax(3),
    ),
    "nothing held out": (
        lambda: arrays((4,), classes(3), parts=(60, 0)),
        lambda: Input(4) >> Softmax(3),
    ),
    "scores in place of probabilities": (
        lambda: arrays((4,), classes(3)),
        lambda: Input(4) >> Linear(3),
    ),
    "one sigmoid for two classes": (
        lambda: arrays((4,), classes(2)),
        lambda: Input(4) >> Sigmoid(1),
    ),
    "a sigmoid for each class": (
        lambda: arrays((4,), classes(3)),
        lambda: Input(4) >> Sigmoid(3),
    ),
}


@pytest.fixture(scope="module")
def page_of(report):
    """Return a function that gives the page of a case, written once."""

    @functools.cache
    def page(case):
        make_splits, make_network = CASES[case]
        torch.manual_seed(0)
        return report(make_network(), make_splits())

    return page


@pytest.mark.parametrize(
    "case", ["grey pictures", "a table with numbers", "arrays with two numbers each"]
)
def test_examples_that_are_not_in_memory_give_the_same_page(case, page_of, report):
    make_splits, make_network = CASES[case]
    torch.manual_seed(0)
    page = report(make_network(), streamed(make_splits()))
    assert page.source == page_of(case).source


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_whole_and_loads_nothing(case, page_of):
    page = page_of(case)
    regression = "number" in case
    expected = {*ALWAYS} | (set() if regression else {"certainty"})
    if "two classes" in case or case == "a table with classes":
        expected.add("curves")
    if case.startswith("a table"):
        expected.add("columns")
    assert set(page.sections) == expected
    assert len(set(page.ids)) == len(page.ids)
    assert not re.search(r"https?:", page.source)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "base", "form"}
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert all(image["alt"] for image in page.all("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for reference in re.findall(r"url\(([^)]*)\)", " ".join(map(str, attributes.values()))):
            assert reference.removeprefix("#") in page.ids
        link = attributes.get("href", "#summary")
        assert link.startswith("data:") or link.removeprefix("#") in page.ids
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_one_epoch_and_none(report):
    splits = arrays((4,), classes(3))
    network = Input(4) >> Softmax(3)
    once = report(network, splits, History([{"epoch": 1, "loss": 1.0, "lr": 0.1}]))
    assert "1 epoch." in once.text_of("training")
    assert "After the first one: loss 1.00 in training" in once.text_of("training")
    assert "No epoch" in report(network, splits, History()).text_of("training")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("sequences", ["20 held-out examples", "only 20 examples"]),
        ("no test part", ["30 validation examples", "There was no test part"]),
        ("nothing held out", ["60 training examples", "Nothing was held out"]),
    ],
)
def test_what_was_judged_is_said(case, said, page_of):
    for sentence in said:
        assert sentence in page_of(case).text_of("summary")


def test_rows_of_a_table_are_shown_as_they_stood_in_the_file(page_of):
    page = page_of("a table with numbers")
    rows = page.table("", "true", "predicted", "error", "age", "sex", "height")
    assert len(rows) == 12
    by_height = {row[-1]: row for row in rows}
    # The rows of the file repeat every four: see `a_table`.
    expected = [("41", "F"), ("–", "M"), ("25.5", "–"), ("60", "M")]
    for height, row in by_height.items():
        assert tuple(row[4:6]) == expected[(int(height) - 150) % 4]
        assert row[1] == str(int(height) - 150)
    assert "“price”" in page.text_of("use")


def test_the_first_weights_of_a_table_bear_the_names_of_its_inputs(page_of):
    page = page_of("a table with numbers")
    assert "age missing" in page.text_of("network")
    assert "sex=F" in page.text_of("network")


def test_a_network_that_cannot_be_written_as_an_expression_is_drawn_and_listed(report):
    network = Input(4) >> repeat(Relu(4), 2, share=True) >> Softmax(3)
    page = report(network, arrays((4,), classes(3)))
    assert repr(network).startswith("Network(")
    assert repr(network) in "".join(page.sections["network"])
    rows = {row[0]: row[1:] for row in page.table("layer", "output", "parameters")}
    assert rows["relu1@2Relu(4)"][:2] == ["(4)", "shared"]


def test_the_handwritten_digits(report):
    page = report(
        Input(1, 8, 8) >> Convolution(8, 3) >> Relu() >> Flatten() >> Softmax(10),
        datasets.load_handwritten_digits(),
        settings={"lr": 0.01, "augment": {"type": "RandomShift", "arguments": {"pixels": 1}}},
        versions={"neuropil": "0.1.0"},
        run="runs/my digits",
    )
    assert len(page.source) < 2_000_000
    assert "settings" in page.sections
    assert "RandomShift(pixels=1)" in page.text_of("settings")
    assert "neuropil predict 'runs/my digits' picture.png" in page.text_of("use")
    assert "Run.open('runs/my digits')" in page.text_of("use")
    # 24 mistakes, and one digit of each kind.
    assert len(page.all("img")) == 34
    assert np.unique([image["width"] for image in page.all("img")]).tolist() == ["8"]


def test_dates_and_several_numbers_are_in_their_own_words(page_of):
    page = page_of("a table with dates and two numbers")
    data = page.text_of("data")
    assert (
        "dates from 2024-01-10 to 2025-01-31, used as days since 2024-01-01, month and" in data
    )
    assert "5 missing cells in training" in data
    assert "times of day from 00:30 to 23:59, used as hours since midnight and place in" in data
    assert "words, hashed into 6 features" in data
    results = page.text_of("results")
    assert "R² of price" in results
    assert "mean absolute error of the <b>accuracy" in results
    assert "is the mean R² of price and the <b>accuracy" in page.text_of("summary")
    assert "price: off by " in page.text_of("summary")
    assert "the columns “price” and “the <b>accuracy” may be missing" in page.text_of("use")
    assert "2025-01-31" in page.text_of("mistakes")
