"""A PyArrow data set that is scanned from its first row to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.training.rows.arrow_columns import names_of, parts_of_table
from neuropil.training.rows.values import unpack_single

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.training.rows.fields import Layout

# Rows that are read at a time.
SCANNED = 8192


@final
class ArrowStream:
    """Batches of a data set of CSV, Feather or JSON files, in the order of its rows.

    Such files can only be read from their beginning, so the rows are not shuffled.

    Args:
        dataset: The data set, of which only a few record batches are in memory.
        layout: The names of the columns of the inputs and of the target.
        batch_size: Number of rows in a batch; a single last row joins the previous batch.
    """

    def __init__(self, dataset: Any, layout: Layout, batch_size: int) -> None:
        self.dataset = dataset
        self.layout = layout
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[Any]:
        size, kept = self.batch_size, None
        for parts in self.scan():
            columns = parts if kept is None else list(map(join, kept, parts))
            # One row more than a batch stays, since it may be the last one.
            while len(columns[0]) > size + 1:
                yield self.batch([column[:size] for column in columns])
                columns = [column[size:] for column in columns]
            kept = columns
        if kept is not None and len(kept[0]):
            yield self.batch(kept)

    def scan(self) -> Iterator[list[Tensor]]:
        """Yield the needed columns of each record batch."""
        for found in self.dataset.to_batches(
            columns=names_of(self.layout),
            batch_size=SCANNED,
            batch_readahead=1,
            fragment_readahead=1,
        ):
            if found.num_rows:
                inputs, targets = parts_of_table(found, self.layout)
                yield [*inputs] if targets is None else [*inputs, targets]

    def batch(self, columns: list[Tensor]) -> Any:
        """Return columns as a batch."""
        inputs = unpack_single(tuple(columns[: len(self.layout.inputs)]))
        return inputs if self.layout.target is None else (inputs, columns[-1])


def is_arrow(data: Any) -> bool:
    """Return whether data are a PyArrow data set."""
    return all(hasattr(data, name) for name in ("get_fragments", "to_batches", "schema"))


def join(before: Tensor, after: Tensor) -> Tensor:
    """Return the rows of a column after those before it."""
    return torch.cat([before, after])
