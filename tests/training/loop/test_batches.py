"""How arrays are cut into batches, for one process and for several."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.training.loop.batches import ArrayBatches, Placement
from neuropil.training.loop.memory_examples import as_arrays


def batches(rows, size, *, order=None, rank=0, processes=1, columns=1):
    x = torch.arange(rows * columns, dtype=torch.float32).reshape(rows, columns)
    arrays = as_arrays((x, torch.arange(rows)), "training")
    place = Placement(torch.device("cpu"), torch.float32, rank, processes)
    return ArrayBatches(arrays, size, place, order)


def generator():
    return torch.Generator().manual_seed(3)


@settings(deadline=None, max_examples=60)
@given(rows=st.integers(1, 400), size=st.integers(1, 50), skip=st.integers(0, 30))
def test_every_example_comes_once_and_skipping_is_as_if_they_had_come(rows, size, skip):
    whole = list(batches(rows, size, order=generator()).epoch())
    targets = torch.cat([batch[1] for batch, _, _ in whole])
    assert sorted(targets.tolist()) == list(range(rows))
    assert all(torch.equal(x[:, 0].long(), y) for (x, y), _, _ in whole)
    assert len(whole) == batches(rows, size).count
    sizes = [joint for _, _, joint in whole]
    assert all(joint == size for joint in sizes[:-1])
    assert size == 1 or rows == 1 or sizes[-1] > 1
    rest = list(batches(rows, size, order=generator()).epoch(skip))
    assert [y.tolist() for (_, y), _, _ in rest] == [
        y.tolist() for (_, y), _, _ in whole[skip:]
    ]


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 200), size=st.integers(1, 30), processes=st.integers(2, 5))
def test_the_parts_of_the_processes_join_to_the_whole_batch(rows, size, processes):
    whole = list(batches(rows, size, order=generator()).epoch())
    parts = [
        list(batches(rows, size, order=generator(), rank=r, processes=processes).epoch())
        for r in range(processes)
    ]
    for position, ((_, y), _, joint) in enumerate(whole):
        own = [part[position] for part in parts]
        assert all(each[2] == joint and len(each[0][1]) >= 1 for each in own)
        assert torch.equal(torch.cat([batch[1][:count] for batch, count, _ in own]), y)


def test_batches_of_wide_rows_are_gathered_in_smaller_chunks():
    assert batches(2000, 10, columns=2).chunk == 64
    wide = batches(100, 10, columns=10_000)
    assert 1 <= wide.chunk < 5
    assert sum(len(y) for (_, y), _, _ in wide.epoch()) == 100


@settings(deadline=None, max_examples=30)
@given(
    size=st.integers(1, 9),
    columns=st.sampled_from([1, 3, 700]),
    skip=st.integers(0, 90),
    shuffled=st.booleans(),
)
def test_a_batch_lies_alike_in_memory_wherever_an_epoch_is_entered(
    size, columns, skip, shuffled
):
    """Where a row of numbers starts decides how the processor rounds its sum."""

    def places(skip):
        order = generator() if shuffled else None
        cut = batches(300, size, order=order, columns=columns)
        return [x.data_ptr() % 64 for (x, _), _, _ in cut.epoch(skip)]

    assert places(skip) == places(0)[skip:]


@pytest.mark.parametrize("offset", range(0, 64, 4))
def test_the_users_memory_does_not_matter(offset):
    room = np.zeros(400 + 128, dtype=np.uint8)
    start = -room.ctypes.data % 64 + offset
    values = room[start : start + 400].view(np.float32).reshape(50, 2)
    place = Placement(torch.device("cpu"), torch.float32)
    arrays = as_arrays((values, np.zeros(50)), "training")
    assert arrays is not None
    (x, _), _, _ = next(ArrayBatches(arrays, 8, place).epoch())
    assert x.data_ptr() % 64 == 0
    assert place.move(values).data_ptr() % 64 == 0
