import pytest

from neuropil.cli.augmentation_text import parse
from neuropil.datasets.augmentation import Compose, RandomFlip, RandomShift


def test_augmentations_are_read_as_they_are_printed():
    for augmentation in (
        RandomShift(2),
        RandomFlip(0.25),
        Compose(RandomShift(1), RandomFlip()),
    ):
        assert repr(parse(repr(augmentation))) == repr(augmentation)


def test_none_a_bare_name_and_a_chain():
    assert parse("none") is None
    assert repr(parse("RandomFlip")) == "RandomFlip()"
    assert (
        repr(parse("RandomShift(2) >> RandomFlip()")) == "Compose(RandomShift(2), RandomFlip())"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("RandomShft(2)", "unknown augmentation 'RandomShft'. Did you mean 'RandomShift'"),
        ("RandomShift(__import__('os'))", "unknown augmentation '__import__'"),
        ("RandomShift(2).__class__", "is not allowed"),
        ("RandomShift(", "cannot be read"),
        ("RandomShift(paths=2)", "cannot be read"),
        ("RandomShift(1 + 1)", "is not allowed"),
    ],
)
def test_anything_else_is_refused(text, line):
    with pytest.raises(ValueError, match="augment") as refusal:
        parse(text)
    assert line in str(refusal.value)
