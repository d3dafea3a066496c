"""A PyArrow data set, larger than memory, whose row groups are read when they are needed."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.source import Batch
from neuropil.digest import digest_of
from neuropil.training.rows.arrow_columns import names_of, parts_of_table
from neuropil.training.rows.values import unpack_single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator

    from neuropil.core.shape import Shape
    from neuropil.training.rows.fields import Layout

# Row groups whose rows are mixed with each other, and that are therefore in memory together.
MIXED = 4


@final
class ArrowSource:
    """A source of the rows of Parquet files, opened by ``pyarrow.dataset.dataset``.

    A pass takes the row groups in random order, and the rows of four of them at a time in
    random order. Only these are in memory: row groups of ten thousand rows or so mix well and
    take little.

    Args:
        dataset: The data set; all its fragments are Parquet files.
        layout: The names of the columns of the inputs and of the target.
    """

    # They are known only when a row group is read.
    targets = None
    names = None
    # Another process would read the same row groups once more.
    most_workers = 1

    def __init__(self, dataset: Any, layout: Layout) -> None:
        self.layout = layout
        self.schema = dataset.schema
        self.blocks = [
            block
            for fragment in dataset.get_fragments()
            for block in fragment.split_by_row_group()
        ]
        counts = [sum(group.num_rows for group in block.row_groups) for block in self.blocks]
        self.starts: list[int] = np.cumsum([0, *counts]).tolist()
        self.read: OrderedDict[int, tuple[tuple[Tensor, ...], Tensor | None]] = OrderedDict()
        sizes = [group.total_byte_size for block in self.blocks for group in block.row_groups]
        first = self.fetch([0]) if len(self) else Batch(torch.empty(0, 0), None)
        self.fingerprint = digest_of([str(self.schema), counts, sizes, list(first)])
        inputs: Any = first.inputs
        self.input_shape: Shape = tuple(
            (inputs[0] if isinstance(inputs, tuple) else inputs).shape[1:]
        )

    def __len__(self) -> int:
        return self.starts[-1]

    def size_of(self, index: int) -> tuple[int, ...]:  # noqa: ARG002 - all have the same
        """Return the sizes of the axes of an example after the first.

        Args:
            index: The place of the example; rows have the same sizes.
        """
        return tuple(length or 1 for length in self.input_shape[1:])

    def shuffled(self, generator: Generator) -> Tensor:
        """Return an order of the rows that needs few row groups at a time.

        Args:
            generator: Generator of the order.
        """
        parts = []
        for blocks in torch.randperm(len(self.blocks), generator=generator).split(MIXED):
            rows = torch.cat(
                [torch.arange(self.starts[b], self.starts[b + 1]) for b in blocks.tolist()]
            )
            parts.append(rows[torch.randperm(len(rows), generator=generator)])
        return torch.cat(parts)

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        places = np.asarray(indices, dtype=np.int64)
        owners = np.searchsorted(self.starts, places, side="right") - 1
        order, taken = [], []
        for block in np.unique(owners).tolist():
            own = np.flatnonzero(owners == block)
            rows = torch.from_numpy(places[own] - self.starts[block])
            inputs, targets = self.block(block)
            order.append(own)
            taken.append([part[rows] for part in (*inputs, *listed(targets))])
        back = torch.from_numpy(np.argsort(np.concatenate(order)))
        columns = [torch.cat(parts)[back] for parts in zip(*taken, strict=True)]
        count = len(self.layout.inputs)
        targets = columns[count] if len(columns) > count else None
        return Batch(unpack_single(tuple(columns[:count])), targets)

    def block(self, number: int) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Return the inputs and the targets of a row group, from memory or from its file."""
        if number in self.read:
            self.read.move_to_end(number)
            return self.read[number]
        while len(self.read) >= MIXED:
            self.read.popitem(last=False)
        # Without threads, so that a forked process can read too.
        table = self.blocks[number].to_table(
            schema=self.schema, columns=names_of(self.layout), use_threads=False
        )
        self.read[number] = parts_of_table(table, self.layout)
        return self.read[number]

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> ArrowSource:
        """Refuse to take a part, which would have row groups of its own.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a part of a PyArrow data set is opened by PyArrow: dataset.filter(…).")


def listed(targets: Tensor | None) -> list[Tensor]:
    """Return targets as a list, empty if there are none."""
    return [] if targets is None else [targets]
