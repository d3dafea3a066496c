"""Objects printed as the call that makes them."""

import pytest

from neuropil.checks import flag, whole
from neuropil.core.arguments import Arguments, constructor


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


class Base:
    def __init__(self, *branches, name=None, **options):
        self.got = branches, name, options


class Own(Base):
    @constructor(size=whole, wide=flag)
    def __init__(self, size, *branches, wide=False, name="own", **options): ...


class Below(Own):
    @constructor(depth=whole)
    def __init__(self, size, depth=3): ...


def test_a_constructor_keeps_its_own_options_and_passes_on_the_others():
    own = Own(2, "a", "b", eps=0.5)
    assert vars(own) == {"got": (("a", "b"), "own", {"eps": 0.5}), "size": 2, "wide": False}
    with pytest.raises(ValueError, match=r"^Own: wide must be True or False, got 'x'"):
        Own(2, wide="x")
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'size'"):
        Own()


def test_constructors_of_a_class_and_its_base_take_turns():
    below = Below(2, depth=5)
    assert vars(below) == {"got": ((), "own", {}), "size": 2, "wide": False, "depth": 5}
    with pytest.raises(ValueError, match=r"^Below: size must be a whole number"):
        Below(0)
