"""Objects printed as the call that makes them."""

import pytest

from neuropil.core.arguments import Arguments


class Thing(Arguments):
    def __init__(self, a=1, b=None, *, c="x"):
        pass


class Many(Arguments):
    def __init__(self, *shape, dtype="float"):
        pass


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (Thing(), "Thing()"),
        (Thing(2), "Thing(2)"),
        (Thing(2, 3), "Thing(2, 3)"),
        (Thing(1, 3), "Thing(b=3)"),
        (Thing(b=3, c="y"), "Thing(b=3, c='y')"),
        (Thing(1.0), "Thing(1.0)"),
        (Many(3, None), "Many(3, None)"),
        (Many(3, dtype="int64"), "Many(3, dtype='int64')"),
    ],
)
def test_the_text_is_the_shortest_call(thing, text):
    assert repr(thing) == text
    assert repr(eval(text)) == text


def test_arguments_are_filled_with_the_defaults():
    assert Thing(5).arguments == {"a": 5, "b": None, "c": "x"}
