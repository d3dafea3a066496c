"""Batches of a source, fetched here and in workers."""

import multiprocessing

import pytest
import torch

from neuropil.datasets import DataError, Dataset
from neuropil.datasets.loading import BatchLoader, load_batches
from neuropil.datasets.source import Batch, Source

BATCHES = [[2, 0], [1, 4, 3], [5]]


class Counted:
    """A source whose inputs say in how many threads they were fetched; some cannot be read."""

    def __init__(self, error: Exception | None = None) -> None:
        self.targets = torch.arange(6)
        self.names = None
        self.input_shape = (1,)
        self.fingerprint = "counted"
        self.error = error

    def __len__(self) -> int:
        return 6

    def size_of(self, index):
        return ()

    def fetch(self, indices):
        if self.error is not None and 4 in indices:
            raise self.error
        threads = torch.full((len(indices), 1), torch.get_num_threads())
        return Batch(threads, self.targets[indices], torch.ones(len(indices), 1))

    def __getitem__(self, key):
        return self


def test_a_dataset_is_a_source_in_memory():
    data = Dataset(torch.arange(24.0).reshape(3, 2, 4), [0, 1, 1])
    assert isinstance(data, Source)
    assert (data.input_shape, data.size_of(1)) == ((2, 4), (4,))
    batch = data.fetch([2, 0])
    assert batch.mask is None
    assert batch.targets is not None
    assert (batch.inputs[:, 0, 0].tolist(), batch.targets.tolist()) == ([16, 0], [1, 0])
    assert Dataset([[1.0]]).fetch([0]).targets is None


def test_the_fingerprint_of_a_dataset_follows_its_numbers():
    data = Dataset([[1.0], [2.0]], [0, 1])
    others = (Dataset([[1.0], [2.0]], [1, 0]), Dataset([[1.0], [3.0]], [0, 1]), data[:1])
    assert data.fingerprint == Dataset([[1.0], [2.0]], [0, 1]).fingerprint
    assert len({each.fingerprint for each in (data, *others)}) == 4


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_come_in_order_with_any_number_of_workers(workers):
    data = Dataset(torch.arange(6.0).reshape(6, 1), torch.arange(6))
    found = list(load_batches(data, BATCHES, workers=workers))
    assert [batch.inputs.flatten().tolist() for batch in found] == BATCHES
    assert [batch.targets.tolist() for batch in found if batch.targets is not None] == BATCHES


def test_workers_use_one_thread_and_stay_between_passes():
    loader = BatchLoader([Counted()], 1)
    first = next(loader.load(BATCHES))  # the rest of this pass is dropped
    assert first.inputs.flatten().tolist() == [1, 1]
    assert first.mask is not None
    before = multiprocessing.active_children()
    assert [len(batch.inputs) for batch in loader.load(BATCHES)] == [2, 3, 1]
    assert multiprocessing.active_children() == before
    del loader
    assert not any(process.is_alive() for process in before)


def test_a_new_pass_ends_the_previous_one():
    loader = BatchLoader([Counted(), Counted()], 2)
    first = loader.load(BATCHES * 9)
    next(first)
    second = loader.load(BATCHES, part=1)
    assert len(next(second).inputs) == 2
    assert list(first) == []
    assert [len(batch.inputs) for batch in second] == [3, 1]


def test_workers_draw_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    list(load_batches(Counted(), BATCHES, workers=1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_a_worker_is_the_same_error_here(workers):
    found = load_batches(Counted(DataError("cat.png is damaged.")), BATCHES, workers=workers)
    next(found)
    with pytest.raises(DataError) as error:
        next(found)
    assert str(error.value) == "cat.png is damaged."
    assert getattr(error.value, "__notes__", []) == []
    assert error.value.__cause__ is None


class OddError(Exception):
    """An error that cannot be made from its message, and so cannot be sent."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize("error", [KeyError("four"), OddError(1, 2)])
def test_other_errors_say_where_they_were_raised(error):
    with pytest.raises((KeyError, RuntimeError)) as caught:
        list(load_batches(Counted(error), BATCHES, workers=1))
    assert str(error) in str(caught.value)
    assert isinstance(caught.value, RuntimeError) or "fetch" in caught.value.__notes__[0]
