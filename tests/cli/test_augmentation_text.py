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


def test_a_chain_of_any_length_is_flat_and_takes_every_literal():
    text = "RandomResizedCrop((24, 32), scale=(0.5, 1.0)) >> RandomFlip"
    text += " >> ColorJitter(0.2, hue=0.1)"
    assert repr(parse(text)) == (
        "Compose(RandomResizedCrop((24, 32), scale=(0.5, 1.0)), RandomFlip(), "
        "ColorJitter(0.2, hue=0.1))"
    )
    assert repr(parse(f"{text} >> CutMix(classes=10)")).count("Compose") == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("RandomShft(2)", "unknown augmentation 'RandomShft'. Did you mean 'RandomShift'"),
        ("RandomShift(__import__('os'))", "unknown augmentation '__import__'"),
        ("RandomShift(2).__class__", "is not allowed"),
        ("RandomShift(", "cannot be read: '(' was never closed."),
        ("RandomShift(paths=2)", "cannot be read"),
        ("RandomShift(1 + 1)", "is not allowed"),
        ("3", "--augment must be an augmentation such as RandomShift(2), or none, got '3'"),
        ("RandomFlip >> 3", "Compose: each step must be an augmentation, got 3"),
        ("GeometricStep()", "unknown augmentation 'GeometricStep'"),
        ("RandomCrop(0) >> RandomFlip()", "RandomCrop: size must be a whole number from 1"),
    ],
)
def test_anything_else_is_refused(text, line):
    with pytest.raises(ValueError, match=r"augment|must be") as refusal:
        parse(text)
    assert line in str(refusal.value)
