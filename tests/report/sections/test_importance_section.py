"""The page on the importance of columns, for a network that uses one of two."""

import re
from types import SimpleNamespace

import pytest
import torch

from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    Dataset,
    NumberColumn,
    Splits,
    TablePreparation,
)
from neuropil.layers import Input, Softmax
from neuropil.report.sections.importance_section import MOST_MEASURED, importance_section

SIGN = Classes("-+", "sign")


def a_table(columns=2, rows=300):
    """Return rows of noise in which the sign of the second column is the class."""
    x = torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))
    data = Dataset(x, (x[:, 1] > 0).long())
    names = [f"column {k}" for k in range(columns)]
    numbers = tuple(NumberColumn(name, 0.0, indicator=False) for name in names)
    preparation = TablePreparation(numbers, SIGN, names=(*names, "sign"))
    return Splits(data, None, data, preparation=preparation, source="signs.csv")


def network_for(columns=2):
    weight = torch.zeros(2, columns)
    weight[:, 1] = torch.tensor([-9.0, 9.0])
    return Input(columns) >> Softmax(2, weight=weight)


def test_the_columns_are_drawn_and_those_without_use_are_counted(report):
    page = report(network_for(), a_table())
    (drop,) = re.findall(
        "The accuracy drops by ([0-9.]+) when “column 1” is shuffled", page.source
    )
    assert float(drop) == pytest.approx(0.5, abs=0.05)  # half the signs are right by chance
    words = page.text_of("columns")
    assert "1 column of 2 may be without use" in words
    assert "for 300 held-out rows" in words


def test_there_is_none_without_columns_or_with_too_many():
    many = a_table(MOST_MEASURED + 1)
    rows = a_table().train
    arrays = Splits(rows, None, rows, preparation=ArrayPreparation((2,), SIGN), source="a.npz")
    for splits in (many, arrays):
        assert importance_section(SimpleNamespace(splits=splits)) is None
