"""Batches from iterables: of batches, such as a ``DataLoader``, or of rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, final

import numpy as np
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset
from typing_extensions import override

from neuropil.training.loop.batches import Batches, Placement, Portion, map_arrays
from neuropil.training.rows.arrow_stream import ArrowStream, is_arrow
from neuropil.training.rows.fields import Fields, Layout
from neuropil.training.rows.values import batch_of_rows, parts_of_batch, unpack_single

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner


@final
class StreamBatches(Batches):
    """Batches from an object that can be iterated repeatedly.

    With several processes, each reads everything, and takes and converts its part of every
    batch.

    Args:
        data: Iterable of ``(inputs, targets)``, of tuples or dicts that `Fields` describes, or
            of single rows of these.
        placement: Device and type of the batches.
        title: Purpose of the data, for messages.
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
        fields: Fields | None = None,
        batch_size: int = 1,
    ) -> None:
        self.data = data
        self.placement = placement
        self.title = title
        self.fields = fields
        self.batch_size = batch_size
        self.layout: Layout | None = None
        self.yields_rows = False
        if not isinstance(data, Iterable) or isinstance(data, str | bytes | dict):
            raise ValueError(
                f"the {title} data must be (inputs, targets), a Dataset or an iterable of "
                f"batches, got a {type(data).__name__}."
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
        if self.layout is None and not isinstance(self.data, DataLoader):
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
        place = self.placement
        for group in groups:
            joint = len(group)
            first, last, rows, _ = place.part(0, joint)
            numbers = range(done + first, done + last)
            pair = batch_of_rows(group[first:last], self.known_layout, numbers)
            yield self.finish(*pair), rows, joint
            done += joint

    def place(self, batches: Iterator[Any]) -> Iterator[Portion]:
        """Yield this process's part of each batch, on the device of the network."""
        place = self.placement
        for batch in batches:
            if self.fields is not None and not is_pair(batch):
                inputs, targets = parts_of_batch(batch, self.known_layout)
                given = unpack_single(inputs)
                batch = given if targets is None else (given, targets)
            joint = rows_of(batch)
            first, last, rows, _ = place.part(0, joint)
            if rows != joint:
                batch = map_arrays(batch, operator.itemgetter(slice(first, last)))
            batch = place.move(batch)
            if isinstance(batch, tuple) and len(batch) == 2:
                batch = place.cast(batch[0]), batch[1]
            yield batch, rows, joint

    @property
    def known_layout(self) -> Layout:
        """Where the inputs and the target are, once an item has been seen."""
        return self.layout or Layout(((None,),), None)

    def finish(self, inputs: tuple[Tensor, ...], targets: Tensor | None) -> Any:
        """Return inputs and targets as a batch on the device of the network."""
        place = self.placement
        given = place.cast(place.move(unpack_single(inputs)))
        return given if targets is None else (given, place.move(targets))


def open_stream(
    learner: Learner, data: Any, title: str, batch_size: int, order: Generator | None = None
) -> StreamBatches:
    """Return the batches of an iterable, of a PyArrow data set, or for a custom step of rows."""
    fields = None if learner.custom else Fields.of(learner.module, title)
    if fields is not None and is_arrow(data):
        data = ArrowStream(data, fields.layout_of_names(data.schema.names), batch_size)
    elif isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        data = DataLoader(data, batch_size, shuffle=order is not None, generator=order)
    return StreamBatches(data, learner.placement, title, fields, batch_size)


def row_groups(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Yield rows in lists of a size; a single remaining row joins the last list."""
    group = list(islice(items, size))
    while group:
        following = list(islice(items, size))
        if len(following) == 1 < size:
            group, following = group + following, []
        yield group
        group = following


def is_pair(batch: Any) -> bool:
    """Return whether a batch is already inputs and targets, or inputs alone."""
    return isinstance(batch, Tensor | np.ndarray) or (
        isinstance(batch, tuple | list) and len(batch) == 2
    )


def data_generator(data: Any) -> Generator | None:
    """Return the generator that the data shuffles with, such as that of a DataLoader."""
    generator = getattr(data, "generator", None)
    return generator if isinstance(generator, Generator) else None


def rows_of(batch: Any) -> int:
    """Return the number of examples: the length of the first array in a batch.

    Raises:
        ValueError: If the batch contains no array.
    """
    if isinstance(batch, Tensor | np.ndarray) and batch.ndim:
        return len(batch)
    if isinstance(batch, dict):
        batch = tuple(batch.values())
    if isinstance(batch, tuple | list) and batch:
        return rows_of(batch[0])
    got = "single number" if isinstance(batch, Tensor) else type(batch).__name__
    raise ValueError(
        f"a batch must be (inputs, targets) with the examples along axis 0, got a {got}."
    )
