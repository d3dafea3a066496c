"""Splits that keep groups together, and splits by time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.datasets import DataError
from neuropil.datasets.group_splitting import split_groups, split_in_time

SIZES = st.lists(st.integers(1, 30), min_size=3, max_size=40)
SHARES = st.sampled_from([0.1, 0.2, 0.35, 3])


def drawn(sizes, seed):
    """Return the group and the class of each example, in random order."""
    random = np.random.default_rng(seed)
    groups = random.permutation(np.repeat(np.arange(len(sizes)) * 7 - 5, sizes))
    return groups, random.integers(0, 3, len(groups))


def values_of(parts, values):
    """Return the distinct values in each part."""
    return [set(values[part.numpy()].tolist()) for part in parts]


@settings(max_examples=60)
@given(SIZES, SHARES, SHARES, st.integers(0, 9))
def test_groups_are_never_divided(sizes, validation, test, seed):
    groups, classes = drawn(sizes, seed)
    options = {"validation": validation, "test": test}
    if len(groups) <= sum(
        s if s >= 1 else max(1, round(s * len(groups))) for s in (validation, test)
    ):
        with pytest.raises(DataError, match="cannot be divided"):
            split_groups(groups, classes, **options, seed=seed)
        return
    parts = split_groups(groups, classes, **options, seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(groups)))
    train, middle, held = values_of(parts, groups)
    assert train
    assert middle
    assert held
    assert not train & (middle | held)
    assert not middle & held
    again = split_groups(groups, classes, **options, seed=seed)
    assert all(map(np.array_equal, parts, again))


@settings(max_examples=60)
@given(SIZES, SHARES, SHARES, st.integers(0, 9))
def test_time_order_holds(sizes, validation, test, seed):
    moments, _ = drawn(sizes, seed)
    moments = moments.astype("datetime64[s]")
    options = {"validation": validation, "test": test}
    try:
        train, middle, held = split_in_time(moments, **options)
    except DataError:
        assert len(moments) <= 3 + 3
        return
    assert moments[train].max() < moments[middle].min()
    assert moments[middle].max() < moments[held].min()
    assert len(train) + len(middle) + len(held) == len(moments)
    # A part is as close to its size as whole moments allow.
    wanted = test if test >= 1 else max(1, round(test * len(moments)))
    assert abs(len(held) - wanted) <= max(sizes)


def test_parts_of_single_examples_have_their_sizes():
    moments = np.random.default_rng(0).permutation(100)
    assert [len(part) for part in split_in_time(moments)] == [70, 10, 20]
    assert [len(part) for part in split_groups(moments)] == [70, 10, 20]
    assert sorted(moments[split_in_time(moments, validation=0)[2]].tolist()) == [
        *range(80, 100)
    ]
    assert [len(part) for part in split_groups(moments, test=0)] == [90, 10, 0]


def test_another_seed_divides_otherwise():
    groups = np.arange(200) // 4
    first, other = (split_groups(groups, seed=seed)[2].tolist() for seed in (0, 1))
    assert first != other


def test_classes_are_balanced_as_far_as_groups_allow():
    """Thirty groups of ten, each nearly of one class, one class in ten."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    classes = np.repeat((np.arange(30) % 10 == 0).astype(int), 10)
    classes ^= random.random(300) < 0.05
    for seed in range(5):
        parts = split_groups(groups, classes, validation=0.2, test=0.2, seed=seed)
        assert [len(part) for part in parts] == [180, 60, 60]
        shares = [classes[part.numpy()].mean() for part in parts]
        assert max(shares) - min(shares) < 0.1


def test_a_rare_class_is_trained_on():
    classes = np.repeat(np.arange(50) == 7, 4).astype(int)
    for seed in range(5):
        # Most of the class would be elsewhere if only the proportions counted.
        train, *_ = split_groups(
            np.repeat(np.arange(50), 4), classes, validation=0.45, test=0.45, seed=seed
        )
        assert classes[train.numpy()].any()


@pytest.mark.parametrize("split", [split_groups, split_in_time])
def test_too_few_groups_are_refused(split):
    groups = np.array([1, 2] * 20)
    with pytest.raises(
        DataError, match=r"^here: 2 distinct values in 40 rows cannot be divided"
    ):
        split(groups, where="here")
    assert [len(part) for part in split(groups, validation=0)] == [20, 0, 20]
    with pytest.raises(DataError, match="`test` must be a fraction"):
        split(groups, test=-1)
