"""Architectures as they are declared: their docstrings hold what their options say."""

import inspect
import re

import pytest

from neuropil import architectures
from neuropil.cli.docstring import doc_of, items_of

FUNCTIONS = [
    thing
    for name in architectures.__all__
    if hasattr(thing := getattr(architectures, name), "facts")
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_the_docstring_describes_every_option_in_order(function):
    sections = doc_of(function).sections
    assert [*sections] == ["Shape", "Args", "Raises", "Reference", "Example"]
    names = [name for name, _ in items_of(sections["Args"])]
    assert names == [*inspect.signature(function).parameters]
    assert all(text for _, text in items_of(sections["Args"]))


def test_an_option_is_described_where_it_is_declared():
    normalization = re.compile(r"^    normalization: (.*)", re.M)
    said = [
        normalization.search(f.__doc__)[1]
        for f in (architectures.resnet18, architectures.vgg11, architectures.googlenet)
    ]
    assert said[0] == "As for `ResidualBlock`."
    assert said[1].startswith("As for `ResidualBlock`, for the convolutions; None")
    assert "BatchNorm(eps=0.001)" in said[2]
