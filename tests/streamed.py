"""A source that pretends not to fit in memory: it gives only a few examples at a time."""

import torch

from neuropil.datasets import Splits
from neuropil.datasets.source import Batch

MOST = 1024


class Streamed:
    """The examples of a data set, of which no more than some can be fetched at once."""

    def __init__(self, data):
        self.data = data
        self.targets, self.names = data.targets, data.names
        self.input_shape, self.fingerprint = data.input_shape, data.fingerprint

    def __len__(self):
        return len(self.data)

    def size_of(self, index):
        return self.data.size_of(index)

    def fetch(self, indices):
        assert len(indices) <= MOST
        return Batch(*self.data.fetch(torch.as_tensor(list(indices), dtype=torch.int64)))

    def __getitem__(self, key):
        return Streamed(self.data[key])


def streamed(splits):
    """Return splits whose parts are not in memory."""
    parts = (splits.train, splits.validation, splits.test)
    return Splits(
        *(None if part is None else Streamed(part) for part in parts),
        preparation=splits.preparation,
        source=splits.source,
        notes=splits.notes,
    )
