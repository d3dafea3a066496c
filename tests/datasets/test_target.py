"""What a network is to give."""

import json

import pytest
import torch

from neuropil.datasets import Boxes, Classes, DataError, Numbers
from neuropil.datasets.preparation import read_target


def test_numbers_are_standardised_and_given_back():
    values = torch.tensor([[1.0, 100.0], [3.0, 300.0], [8.0, -50.0]])
    target = Numbers.fit(values, "here", name="y")
    standard = target.standardize(values)
    torch.testing.assert_close(standard.mean(0), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(standard.std(0, correction=0), torch.ones(2))
    restored = target.restore(standard)
    torch.testing.assert_close(restored, values.double(), rtol=1e-6, atol=1e-6)
    assert target.outputs == 2


def test_one_number_works_with_and_without_its_axis():
    target = Numbers.fit(torch.tensor([1.0, 3.0]), "here")
    assert target.standardize(torch.tensor([1.0, 3.0])).tolist() == [-1, 1]
    assert target.restore(torch.tensor([[-1.0], [1.0]])).tolist() == [[1], [3]]


def test_a_constant_column_among_others_is_left_alone():
    target = Numbers.fit(torch.tensor([[0.1, 1.0], [0.1, 3.0], [0.1, 2.0]]), "here")
    assert target.scale[0] == 1


def test_equal_targets_are_refused():
    with pytest.raises(DataError, match=r"'price' has the same value, 0\.1, in every training"):
        Numbers.fit(torch.full((7,), 0.1), "the target 'price'")


def test_classes_pass_unchanged_and_are_found_by_name():
    target = Classes(["cat", "dog"])
    assert target.collate(["dog", "cat"], "here").tolist() == [1, 0]
    numbers = target.collate(["dog"], "here")
    assert target.move(numbers, torch.eye(2, 3)[None], (8, 8)) is numbers
    with pytest.raises(
        DataError, match="here holds classes that the training data lack: 'fox'"
    ):
        target.collate(["cat", "fox"], "here")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["s10", "s2", "S1"], ("S1", "s2", "s10")),
        (["b", "a", "b"], ("a", "b")),
    ],
)
def test_labels_come_in_the_order_a_person_expects(labels, order):
    assert Classes.fit(labels, "here").classes == order


def test_one_class_is_refused():
    with pytest.raises(DataError, match="here has examples of one class only, 'cat'"):
        Classes.fit(["cat", "cat"], "here")


@pytest.mark.parametrize(
    "target",
    [
        Boxes("ab", name="y"),
        Classes("ab", name="y"),
        Numbers.fit(torch.tensor([1.0, 4.0]), "here"),
    ],
)
def test_json_gives_it_back(target):
    assert read_target({"target": json.loads(json.dumps(target.to_json()))}, "target") == target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "guesses"}, "unknown kind 'guesses', known are"),
        ({"classes": []}, "a target needs distinct classes"),
        ({"classes": ["a", "a"]}, "a target needs distinct classes"),
        ({"classes": "ab"}, "'classes' must be a list of texts"),
        ({"classes": [1, 2]}, "'classes' must be a list of texts"),
        ({"kind": "numbers", "mean": [0], "scale": [0]}, "a scale above 0"),
        (
            {"kind": "numbers", "mean": [float("nan")]},
            "'mean' must be a list of finite numbers",
        ),
        ({"name": 3}, "'name' must be a text"),
    ],
)
def test_damaged_json_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        read_target({"target": {**Classes("ab").to_json(), **change}}, "target")
