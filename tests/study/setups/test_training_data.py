"""Fractions, wrong labels and sizes: nested, stratified, and the same for the same seed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuropil.datasets import (
    ArrayPreparation,
    Boxes,
    Classes,
    DataError,
    Dataset,
    Numbers,
    Splits,
    load_handwritten_digits,
)
from neuropil.layers import Input, Softmax
from neuropil.runs.recipes.recipe import Recipe
from neuropil.study.setups.resized import Resized
from neuropil.study.setups.setup import Setup
from neuropil.study.setups.training_data import training_data

RECIPE = Recipe(Input(1) >> Softmax(2), "adamw", 1e-3, 0.0, None, 1, 8)
CLASSES = ("a", "b", "c")


def splits_of(targets, target=None, inputs=None):
    """Return data whose inputs are the number of each example."""
    targets = torch.as_tensor(targets)
    inputs = torch.arange(float(len(targets)))[:, None] if inputs is None else inputs
    data = Dataset(inputs, targets)
    preparation = ArrayPreparation(data.input_shape, target or Classes(CLASSES))
    return Splits(data, data, data, preparation=preparation, source="here")


def numbers_of(splits, setup, seed):
    return training_data(splits, setup, seed).train.inputs.flatten().tolist()


def labels_of(splits, setup, seed):
    return training_data(splits, setup, seed).train.targets


counts = st.lists(st.integers(1, 30), min_size=2, max_size=3)
seeds = st.integers(0, 5)


# Fractions


@given(counts, st.floats(0.05, 1), st.floats(0.05, 1), seeds)
def test_fractions_are_nested(counts, one, other, seed):
    splits = splits_of(np.repeat(np.arange(len(counts)), counts))
    low, high = sorted([one, other])
    small, large = (numbers_of(splits, Setup(RECIPE, fraction=f), seed) for f in (low, high))
    assert {*small} <= {*large}
    assert len(small) == max(1, round(low * sum(counts)))
    assert small == sorted(small)


@given(counts, st.floats(0.3, 1), seeds)
def test_fractions_are_stratified(counts, fraction, seed):
    splits = splits_of(np.repeat(np.arange(len(counts)), counts))
    taken = labels_of(splits, Setup(RECIPE, fraction=fraction), seed).bincount(
        minlength=len(counts)
    )
    if len(counts) <= taken.sum():
        assert (taken > 0).all()
    # A class may lose some of its share to those that keep their only example.
    assert (taken - fraction * torch.tensor(counts)).abs().max() <= len(counts)


def test_the_seed_decides():
    splits = splits_of([0, 1, 2] * 20)
    setup = Setup(RECIPE, fraction=0.5)
    assert numbers_of(splits, setup, 1) == numbers_of(splits, setup, 1)
    assert numbers_of(splits, setup, 1) != numbers_of(splits, setup, 2)


def test_numbers_are_drawn_without_classes():
    splits = splits_of(torch.arange(40.0), Numbers((0.0,), (1.0,)))
    assert len(numbers_of(splits, Setup(RECIPE, fraction=0.25), 0)) == 10


def test_a_setup_without_changes_gives_the_same_examples():
    splits = splits_of([0, 1, 2])
    same = training_data(splits, Setup(RECIPE), 0)
    assert same.train is splits.train
    assert same.test is splits.test


# Wrong labels


@given(st.integers(10, 60), st.floats(0.02, 0.5), st.floats(0.02, 0.5), seeds)
def test_wrong_labels_are_nested(count, one, other, seed):
    splits = splits_of(np.arange(count) % 3)
    low, high = sorted([one, other])
    some, more = (labels_of(splits, Setup(RECIPE, noise=n), seed) for n in (low, high))
    wrong = some != splits.train.targets
    assert wrong.sum() == round(low * count)
    assert torch.equal(some[wrong], more[wrong])
    assert ((some >= 0) & (some < 3)).all()


def test_every_wrong_class_is_equally_likely():
    splits = splits_of(torch.zeros(3000, dtype=torch.int64))
    counts = labels_of(splits, Setup(RECIPE, noise=0.5), 0).bincount()
    assert counts[0] == 1500
    assert abs(int(counts[1]) - 750) < 4 * (1500 / 4) ** 0.5


def test_only_training_labels_are_wrong():
    splits = splits_of([0, 1, 2] * 10)
    noisy = training_data(splits, Setup(RECIPE, fraction=0.5, noise=0.2), 0)
    assert torch.equal(noisy.test.targets, splits.test.targets)
    assert torch.equal(noisy.validation.targets, splits.validation.targets)
    right = splits.train.targets[noisy.train.inputs.flatten().long()]
    assert (noisy.train.targets != right).sum() == 3


def test_labels_without_classes_cannot_be_wrong():
    splits = splits_of(torch.arange(40.0), Numbers((0.0,), (1.0,)))
    with pytest.raises(DataError, match="labels are numbers: only classes"):
        training_data(splits, Setup(RECIPE, noise=0.1), 0)
    with pytest.raises(DataError, match="labels of 1 class cannot be wrong"):
        training_data(splits_of([0, 0], Classes(["a"])), Setup(RECIPE, noise=0.5), 0)


# Sizes


def test_all_parts_are_resized():
    digits = load_handwritten_digits()
    small = training_data(digits, Setup(RECIPE, size=(4, 6)), 0)
    for part in (small.train, small.validation, small.test):
        assert part.input_shape == (1, 4, 6)
        assert part.inputs.dtype == digits.train.inputs.dtype
    assert small.input_shape == (1, 4, 6)
    assert torch.equal(small.test.targets, digits.test.targets)


def test_what_is_no_picture_is_not_resized():
    with pytest.raises(DataError, match=r"shape \(1\) are not pictures of one size"):
        training_data(splits_of([0, 1]), Setup(RECIPE, size=(4, 4)), 0)
    boxes = torch.zeros(2, 1, 5)
    splits = splits_of(boxes, Boxes(["a"]), torch.zeros(2, 1, 8, 8))
    with pytest.raises(DataError, match="boxes have a place in the picture"):
        training_data(splits, Setup(RECIPE, size=(4, 4)), 0)


class Fetched:
    """A source that is not in memory."""

    def __init__(self, data):
        self.data = data

    def __getattr__(self, name):
        return getattr(self.data, name)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, key):
        return Fetched(self.data[key])


def test_sources_that_are_not_in_memory():
    digits = load_handwritten_digits()
    parts = [Fetched(part) for part in (digits.train, digits.validation, digits.test)]
    splits = Splits(*parts, preparation=digits.preparation, source="here")
    setup = Setup(RECIPE, fraction=0.25, noise=0.1, size=(4, 4))
    there, here = training_data(splits, setup, 1), training_data(digits, setup, 1)
    assert isinstance(there.train, Resized)
    assert there.train.input_shape == (1, 4, 4)
    assert len(there.train) == len(here.train)
    places = [3, 1, 4]
    fetched, wanted = there.train.fetch(places), here.train.fetch(places)
    assert torch.equal(fetched.inputs, wanted.inputs)
    assert torch.equal(fetched.targets, wanted.targets)
    assert torch.equal(there.train[1:3].fetch([0]).inputs, here.train[1:3].fetch([0]).inputs)
    assert there.train.fingerprint != there.train.source.fingerprint
    assert there.train.size_of(0) == (4, 4)


# Setups


@pytest.mark.parametrize(
    "options", [{"fraction": 0.0}, {"fraction": 1.5}, {"noise": -0.1}, {"noise": 1.0}]
)
def test_fractions_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"Setup: {name} must be a number in"):
        Setup(RECIPE, **options)


def test_a_size_of_nothing_is_refused():
    with pytest.raises(ValueError, match="Setup: size must be a whole number"):
        Setup(RECIPE, size=(0, 4))
