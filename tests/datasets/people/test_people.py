"""Folders of people: the people are divided, and no name is kept."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.people.people_writers import write_people

from neuropil import datasets
from neuropil.datasets import DataError, Identities
from neuropil.datasets.people.people_splits import split_people
from neuropil.datasets.preparation import read_target

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal"]


def test_a_folder_of_people_is_divided_by_person(tmp_path):
    splits = datasets.open(write_people(tmp_path / "people", NAMES), task="verification")
    parts = splits.train, splits.validation, splits.test
    people = [{name.split("/")[0] for name in part.names} for part in parts]
    assert [len(own) for own in people] == [4, 2, 2]
    assert set.union(*people) == set(NAMES)
    assert all(len(part) == 3 * len(own) for part, own in zip(parts, people, strict=True))


def test_the_same_folder_has_classes_for_another_task(tmp_path):
    splits = datasets.open(write_people(tmp_path / "people", NAMES))
    assert splits.target.kind == "classes"


def test_a_run_keeps_no_name(tmp_path):
    splits = datasets.open(write_people(tmp_path / "people", NAMES), task="verification")
    plain = splits.preparation.to_json()
    assert not any(name in json.dumps(plain) for name in NAMES)
    assert read_target(plain, "target") == splits.target


def test_parts_of_their_own(tmp_path):
    for number, (part, people) in enumerate({"train": NAMES[:4], "test": NAMES[4:]}.items()):
        write_people(tmp_path / part, people, first=number)
    splits = datasets.open(tmp_path, task="verification", validation=0)
    assert splits.validation is None
    assert splits.target.describe(splits.train.targets) == "4 people with 3 pictures each"
    assert len(splits.test.targets.unique()) == 4


def test_nobody_is_in_two_parts(tmp_path):
    write_people(tmp_path / "train", NAMES[:4])
    write_people(tmp_path / "test", NAMES[3:], first=1)
    with pytest.raises(DataError, match=r"'Dan' is in test and in train: .* into one part"):
        datasets.open(tmp_path, task="verification")


def test_pictures_that_cannot_teach(tmp_path):
    with pytest.raises(DataError, match="pictures of one person only, 'Ada'"):
        datasets.open(write_people(tmp_path / "one", ["Ada"]), task="verification")
    with pytest.raises(DataError, match="one picture of each of 8 people"):
        datasets.open(write_people(tmp_path / "two", NAMES, pictures=1), task="verification")
    with pytest.raises(DataError, match="5 people cannot be divided into at least 2 for"):
        datasets.open(write_people(tmp_path / "few", NAMES[:5]), task="verification")


def test_new_pictures_may_show_new_people(tmp_path):
    splits = datasets.open(write_people(tmp_path / "people", NAMES), task="verification")
    other = write_people(tmp_path / "others", ["Zoe", "Yan"], first=9)
    found, _ = datasets.read_for_evaluation(splits.preparation, other)
    assert found.targets.tolist() == [0, 0, 0, 1, 1, 1]


def test_names_in_natural_order():
    numbers = Identities().collate(["s10", "s2", "s10", "s1"], "here")
    assert numbers.tolist() == [2, 1, 2, 0]


@given(
    st.lists(st.integers(0, 11), min_size=30, max_size=60),
    st.sampled_from([0, 2, 0.1, 0.2]),
    st.sampled_from([0, 2, 0.2]),
)
def test_every_person_is_in_one_part(people, validation, test):
    numbers = torch.tensor([*people, *range(12)])
    parts = split_people(numbers, validation=validation, test=test)
    seen = [set(numbers[part].tolist()) for part in parts]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 12
    assert torch.cat(parts).sort().values.tolist() == list(range(len(numbers)))
    sizes = [len(own) for own in seen[1:]]
    assert sizes == [2 if size else 0 for size in (validation, test)]
