"""Batches from iterables: of batches, such as a ``DataLoader``, or of rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, final

from torch import Generator
from torch.utils.data import DataLoader, Dataset, IterableDataset
from typing_extensions import override

from neuropil.digest import digest_of
from neuropil.training.loop.batches import Batches, Placement, Portion, map_arrays
from neuropil.training.loop.shards import own_shard
from neuropil.training.rows.arrow_stream import ArrowStream, is_arrow
from neuropil.training.rows.fields import TARGETS, Fields, Layout
from neuropil.training.rows.grouping import groups_of, is_pair, row_groups, rows_of
from neuropil.training.rows.values import batch_of_rows, parts_of_batch, unpack_single

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner
    from neuropil.training.processes import Processes


@final
class StreamBatches(Batches):
    """Batches from an object that can be iterated repeatedly.

    With several processes, each reads its own shard if the data have shards; or else it reads
    everything, and takes and converts its part of every batch.

    Args:
        data: Iterable of ``(inputs, targets)``, of tuples or dicts that `Fields` describes, or
            of single rows of these.
        placement: Device and type of the batches.
        title: Purpose of the data, for messages.
        processes: The processes that train together.
        fields: Finds inputs and targets; None passes batches unchanged to a custom step.
        batch_size: Number of rows in a batch, if the data are rows.

    Raises:
        ValueError: If the data cannot be iterated, or only once.
    """

    def __init__(
        self,
        data: Any,
        placement: Placement,
        title: str,
        processes: Processes,
        fields: Fields | None,
        batch_size: int,
    ) -> None:
        self.data = data
        self.placement = placement
        self.title = title
        self.processes = processes
        self.fields = fields
        self.batch_size = batch_size
        self.layout: Layout | None = None
        self.yields_rows = False
        if not isinstance(data, Iterable) or isinstance(data, str | bytes | dict):
            raise ValueError(
                f"the {title} data must be (inputs, targets), a Dataset or an iterable of "
                f"rows or batches, got a {type(data).__name__}."
            )
        if isinstance(data, Iterator):
            raise ValueError(
                f"the {title} data is a {type(data).__name__}, which can be read only once: "
                f"give a list, a DataLoader, or an object whose __iter__ starts anew."
            )

    @property
    @override
    def count(self) -> int | None:
        try:
            items = len(self.data)
        except TypeError:
            return None
        unknown = self.fields is not None and self.layout is None
        if unknown and not isinstance(self.data, DataLoader):
            # Only once: beginning anew may draw from the user's generator.
            for first in self.data:
                self.look_at(first)
                break
        if not self.yields_rows:
            return items
        single = items % self.batch_size == 1 and 1 < self.batch_size < items
        return -(-items // self.batch_size) - single

    @override
    def facts(self) -> dict[str, int | str | None]:
        return {"batches": self.count}

    @override
    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        items = iter(self.data)
        first = list(islice(items, 1))
        if not first:
            raise ValueError(f"the {self.title} data contains no batches.")
        self.look_at(first[0])
        items = chain(first, items)
        if self.yields_rows:
            items = row_groups(items, self.batch_size)
        shared = self.place_shard(first[0])
        if shared is not None:
            return islice(shared, skip, None)
        skipped = sum(len(batch) if self.yields_rows else 1 for batch in islice(items, skip))
        return self.place_rows(items, skipped) if self.yields_rows else self.place(items)

    def look_at(self, first: Any) -> None:
        """Find the inputs and the target of the items, and whether they are rows."""
        if self.fields is not None and self.layout is None:
            self.layout = self.fields.layout(first)
            self.yields_rows = self.fields.is_row(first, self.layout)

    def place_rows(self, groups: Iterator[list[Any]], done: int) -> Iterator[Portion]:
        """Yield this process's part of each group of rows as a batch.

        Args:
            groups: The rows of each batch.
            done: Number of rows before them.
        """
        for group in groups:
            joint = len(group)
            first, last, rows, _ = self.placement.part(0, joint)
            batch = self.convert(group[first:last], done + first)
            yield self.deliver(batch), rows, joint
            done += joint

    def place(self, batches: Iterator[Any]) -> Iterator[Portion]:
        """Yield this process's part of each batch, on the device of the network."""
        for item in batches:
            batch = self.convert(item)
            joint = rows_of(batch)
            first, last, rows, _ = self.placement.part(0, joint)
            if rows != joint:
                batch = map_arrays(batch, operator.itemgetter(slice(first, last)))
            yield self.deliver(batch), rows, joint

    def place_shard(self, first: Any) -> Iterator[Portion] | None:
        """Return the batches of this process's own shard, or None if all read the same.

        Args:
            first: The first item of all data.
        """
        processes, size = self.processes, self.batch_size
        shard = own_shard(self.data, processes)
        if shard is None:
            return None
        _, _, rows, _ = self.placement.part(0, size)
        groups = groups_of(iter(shard), max(1, rows)) if self.yields_rows else iter(shard)
        opening = next(groups, None)
        batch = None if opening is None else self.convert(opening)
        beginnings = processes.gather(None if batch is None else digest_of(batch))
        if len({*beginnings}) == 1:
            return None
        spare = self.convert([first] if self.yields_rows else first)
        return self.deliver_shard(batch, groups, spare)

    def deliver_shard(self, batch: Any, groups: Iterator[Any], spare: Any) -> Iterator[Portion]:
        """Yield the batches of this process until the shards of all are at their end.

        Args:
            batch: The first batch, or None if the shard is empty.
            groups: The items of the further ones.
            spare: A batch whose first example is used, with weight 0, at the end of the shard.
        """
        done = 0
        while True:
            rows = 0 if batch is None else rows_of(batch)
            joint = sum(self.processes.gather(rows))
            if not joint:
                return
            spare = batch if rows else map_arrays(spare, operator.itemgetter(slice(0, 1)))
            yield self.deliver(spare), rows, joint
            done += rows
            group = next(groups, None)
            batch = None if group is None else self.convert(group, done)

    def convert(self, item: Any, number: int = 0) -> Any:
        """Return an item, or several rows, as a batch.

        Args:
            item: The item, or a list of rows.
            number: The number of the first row, for messages.
        """
        layout = self.layout
        if layout is None or not (self.yields_rows or not is_pair(item)):
            return item
        if self.yields_rows:
            parts = batch_of_rows(item, layout, range(number, number + len(item)))
        else:
            parts = parts_of_batch(item, layout)
        inputs = unpack_single(parts[0])
        return inputs if parts[1] is None else (inputs, parts[1])

    def deliver(self, batch: Any) -> Any:
        """Return a batch on the device of the network, with inputs of its type.

        Raises:
            ValueError: If a loss needs targets and there are none.
        """
        batch = self.placement.move(batch)
        if isinstance(batch, tuple) and len(batch) == 2:
            batch = self.placement.cast(batch[0]), batch[1]
        elif self.fields is not None:
            raise ValueError(
                f"the {self.title} data has no targets: give batches (inputs, targets), or "
                f"dicts with an entry {', '.join(TARGETS[:-1])} or {TARGETS[-1]}."
            )
        return batch


def open_stream(
    learner: Learner, data: Any, title: str, batch_size: int, order: Generator | None = None
) -> StreamBatches:
    """Return the batches of an iterable, or of rows that a custom step takes."""
    fields = None if learner.custom else Fields.of(learner.module, title)
    if fields is not None and is_arrow(data):
        data = ArrowStream(data, fields.layout_of_names(data.schema.names), batch_size)
    elif isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        data = DataLoader(data, batch_size, shuffle=order is not None, generator=order)
    place, processes = learner.placement, learner.processes
    return StreamBatches(data, place, title, processes, fields, batch_size)


def data_generator(data: Any) -> Generator | None:
    """Return the generator that the data shuffles with, such as that of a DataLoader."""
    generator = getattr(data, "generator", None)
    return generator if isinstance(generator, Generator) else None
