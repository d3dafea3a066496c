"""Batches in shared memory: what is read is what was written, in memory of its own."""

import pytest
import torch

from neuropil.datasets import DataError
from neuropil.datasets.source import Batch
from neuropil.datasets.workers.shared_batches import BatchReader, BatchWriter


def test_a_batch_is_read_as_it_was_written():
    inputs = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4).transpose(1, 2)
    targets = torch.tensor([1.5, -2.0], dtype=torch.float64, requires_grad=True)
    writer, reader = BatchWriter(), BatchReader()
    for part in (inputs, (inputs, torch.tensor(7)), torch.empty(0, 5), inputs[:1].float()):
        found = reader.read(writer.write(Batch(part, targets)))
        torch.testing.assert_close(found.inputs, part, rtol=0, atol=0)
        assert found.targets.tolist() == [1.5, -2.0]
        assert found.mask is None


def test_shared_memory_is_used_again_while_batches_fit():
    writer, reader = BatchWriter(), BatchReader()
    found, new = [], []
    for size in (10, 10, 4, 2000, 10):
        packed = writer.write(torch.full((size,), size))
        new.append(packed.memory is not None)
        found.append(reader.read(packed))
    assert new == [True, False, False, True, False]
    assert writer.memory.is_shared()
    assert [each.tolist() for each in found] == [[n] * n for n in (10, 10, 4, 2000, 10)]


def test_full_shared_memory_is_an_error_that_says_so(monkeypatch):
    def full(_):
        raise RuntimeError("unable to allocate shared memory: No space left on device (28)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    with pytest.raises(DataError, match=r"/dev/shm\) has no room for a batch of 4.0 MiB"):
        BatchWriter().write(torch.zeros(2**20))
