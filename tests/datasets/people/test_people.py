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


def write_table(folder, header, rows):
    table = folder / "people.csv"
    table.write_text("\n".join([header, *rows]))
    return table


def test_a_table_of_pictures_and_people(tmp_path):
    write_people(tmp_path, NAMES)
    rows = [f"{name}/{number}.png,{name},{number}" for name in NAMES for number in range(3)]
    table = write_table(tmp_path, "file,who,number", rows)
    splits = datasets.open(table, task="verification", target="who", test=2)
    assert [len(part) for part in splits.parts.values()] == [12, 6, 6]
    assert splits.target == Identities("who")
    found, _ = datasets.read_for_evaluation(splits.preparation, table)
    assert found.targets.tolist() == [k // 3 for k in range(24)]


def pairs(same="1", other="0"):
    """Return rows that join the three pictures of each person, and part Ada from Ben."""
    rows = [f"{n}/0.png,{n}/{k}.png,{same}" for n in NAMES for k in (1, 2)]
    return [*rows, f"Ada/1.png,Ben/2.png,{other}"]


@pytest.mark.parametrize("words", [("1", "0"), ("same", "different"), ("True", "False")])
def test_a_table_of_pairs(tmp_path, words):
    write_people(tmp_path, NAMES)
    table = write_table(tmp_path, "a,b,same", pairs(*words))
    splits = datasets.open(table, task="verification")
    for part in splits.parts.values():
        people = {}
        for name, number in zip(part.names, part.targets.tolist(), strict=True):
            people.setdefault(name.split("/")[0], set()).add(number)
        assert all(len(numbers) == 1 for numbers in people.values())
        assert len(set.union(*people.values())) == len(people)
    assert any("24 pictures of 8 people" in note for note in splits.notes)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Ada/0.png,Ada/2.png,0", "Ada/0.png and Ada/2.png are said to show two people"),
        ("Ada/0.png,Ada/2.png,maybe", "row 19, column 'same': 'maybe' must be 1 for"),
    ],
)
def test_pairs_that_cannot_be_used(tmp_path, row, message):
    write_people(tmp_path, NAMES)
    table = write_table(tmp_path, "a,b,same", [*pairs(), row])
    with pytest.raises(DataError, match=message):
        datasets.open(table, task="verification")


def test_people_are_not_split_by_a_column(tmp_path):
    write_people(tmp_path, NAMES)
    table = write_table(tmp_path, "a,b,same", pairs())
    with pytest.raises(DataError, match="`split_by` does not apply to people"):
        datasets.open(table, task="verification", split_by="a")
