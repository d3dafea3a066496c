"""Cutting examples into parts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.datasets import DataError, Dataset, split, split_indices

CLASS_SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(CLASS_SIZES, st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 5))
def test_the_parts_are_a_partition_in_equal_shares(sizes, validation, test, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    wanted = [max(1, round(s * len(labels))) if s else 0 for s in (validation, test)]
    spare = len(labels) - len(sizes)
    if sum(wanted) > spare:
        with pytest.raises(DataError, match="cannot spare"):
            split_indices(labels, validation=validation, test=test, seed=seed)
        return
    parts = split_indices(labels, validation=validation, test=test, seed=seed)
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(len(labels)))
    assert [len(part) for part in parts[1:]] == wanted
    assert len(np.unique(labels[parts[0].numpy()])) == len(sizes)
    share = wanted[1] / max(1, spare)
    for number, size in enumerate(sizes):
        held_out = (labels[parts[2].numpy()] == number).sum()
        assert abs(held_out - share * (size - 1)) < 1


def test_a_seed_fixes_the_split_and_another_changes_it():
    labels = np.arange(100) % 4
    first, same, other = (split_indices(labels, seed=seed) for seed in (7, 7, 8))
    assert all(map(torch.equal, first, same))
    assert not torch.equal(first[2], other[2])


def test_numbers_and_unstratified_classes_are_only_shuffled():
    train, validation, test = split_indices(np.linspace(0, 1, 10), validation=2, test=3)
    assert (len(train), len(validation), len(test)) == (5, 2, 3)
    # Ten classes of one example each could not be stratified.
    assert len(split_indices(np.arange(10), test=3, validation=0, stratify=False)[2]) == 3


def test_names_of_classes_are_stratified_too():
    test = split_indices(["cat"] * 10 + ["dog"] * 10, validation=0, test=0.5)[2]
    assert (test < 10).sum() == 5


def test_a_dataset_is_split_with_its_names():
    data = Dataset(torch.arange(10.0), names=[str(i) for i in range(10)])
    train, validation, test = split(data, validation=0, test=0.2)
    assert validation is None
    assert test is not None
    assert [float(name) for name in test.names or []] == test.inputs.tolist()
    assert len(train) == 8


@pytest.mark.parametrize("size", [-0.1, 1.5, True])
def test_a_part_is_a_share_or_a_number(size):
    with pytest.raises(DataError, match="`test` must be a fraction from 0 to below 1 or"):
        split_indices(np.zeros(10), test=size)


def test_too_few_examples_are_named():
    with pytest.raises(
        DataError, match="3 examples of 3 classes cannot spare 1 for validation"
    ):
        split_indices([0, 1, 2], validation=1, test=0)
    with pytest.raises(DataError, match=r"^1 example of 1 class cannot spare"):
        split_indices([0])
    with pytest.raises(DataError, match="0 examples cannot spare"):
        split(Dataset(torch.zeros(0, 1)))
