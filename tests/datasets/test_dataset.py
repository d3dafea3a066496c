"""Examples in memory."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from neuropil.datasets import DataError, Dataset


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.uint8, torch.uint8),
        (np.int32, torch.int64),
        (np.float64, torch.float32),
        (np.float16, torch.float32),
        (">f4", torch.float32),
    ],
)
def test_inputs_get_a_type_that_networks_take(given, kept):
    data = Dataset(np.arange(6).reshape(3, 2).astype(given))
    assert data.inputs.dtype == kept
    assert data.inputs.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_tensors_are_kept_and_not_copied():
    inputs, targets = (
        torch.zeros(3, 2, dtype=torch.float64),
        torch.zeros(3, dtype=torch.float64),
    )
    data = Dataset(inputs, targets)
    assert data.inputs is inputs
    assert data.targets is targets


@pytest.mark.parametrize(
    "labels", [[True, False], np.array([1, 0], np.int8), torch.tensor([1, 0])]
)
def test_class_numbers_become_int64(labels):
    data = Dataset(torch.zeros(2, 1), labels)
    assert data.targets is not None
    assert data.targets.dtype == torch.int64
    assert data.targets.tolist() == [1, 0]


@pytest.mark.parametrize(
    "key",
    [slice(1, 3), [1, 2], torch.tensor([1, 2]), np.array([1, 2]), np.array([0, 1, 1, 0], bool)],
)
def test_any_index_gives_a_dataset(key):
    data = Dataset(torch.arange(4.0), torch.arange(4), names=list("abcd"))
    part = data[key]
    assert isinstance(part, Dataset)
    assert (part.inputs.tolist(), part.names) == ([1, 2], ["b", "c"])
    assert part.targets is not None
    assert part.targets.tolist() == [1, 2]


def test_a_number_gives_a_pair_so_that_a_data_loader_works():
    data = Dataset(torch.arange(4.0), torch.arange(4))
    assert data[-1] == (torch.tensor(3.0), torch.tensor(3))
    inputs, targets = next(iter(DataLoader(data, batch_size=4)))
    assert (inputs.tolist(), targets.tolist()) == ([0, 1, 2, 3], [0, 1, 2, 3])


def test_arrays_that_cannot_be_written_or_run_backwards_are_copied():
    array = np.arange(4.0, dtype=np.float32)
    array.flags.writeable = False
    assert Dataset(array[::-1]).inputs.tolist() == [3, 2, 1, 0]
    assert Dataset(array).inputs.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), torch.zeros(2)), "got 3 inputs and 2 targets"),
        ((np.array(["a"]),), "inputs must be numbers, got an array of <U1"),
        ((1.0,), "inputs must have the examples along axis 0"),
        ((torch.zeros(1), 1), "targets must have the examples along axis 0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        Dataset(*arguments)


def test_moving_keeps_everything():
    data = Dataset(torch.zeros(2, 1), [0, 1], names=["a", "b"]).to("meta")
    assert data.inputs.device.type == "meta"
    assert data.names == ["a", "b"]


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (None, "no targets"),
        ([0, 1], "2 classes"),
        ([0.5, 1], "one target value"),
        ([[0.5, 1]] * 2, "2 target values"),
    ],
)
def test_repr_says_what_it_holds(targets, words):
    assert (
        repr(Dataset(torch.zeros(2, 3, 4), targets))
        == f"Dataset(2 examples of shape (3, 4), {words})"
    )
