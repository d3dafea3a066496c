"""Batches from iterables such as a ``DataLoader``."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, final

import numpy as np
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset
from typing_extensions import override

from neuropil.training.loop.batches import Batches, Placement, Portion, map_arrays

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner


@final
class StreamBatches(Batches):
    """Batches from an object that can be iterated repeatedly, such as a ``DataLoader``.

    With several processes, each reads all batches and takes its part.

    Args:
        data: Iterable of ``(inputs, targets)``, or of the batches of a custom step.
        placement: Device and type of the batches.
        title: Purpose of the data, for messages.

    Raises:
        ValueError: If the data cannot be iterated, or only once.
    """

    def __init__(self, data: Any, placement: Placement, title: str) -> None:
        self.data = data
        self.placement = placement
        self.title = title
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
            return len(self.data)
        except TypeError:
            return None

    @override
    def facts(self) -> dict[str, int | str | None]:
        return {"batches": self.count}

    @override
    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        batches = iter(self.data)
        skipped = sum(1 for _ in islice(batches, skip))
        return self.place(batches, empty=not skipped)

    def place(self, batches: Iterator[Any], *, empty: bool) -> Iterator[Portion]:
        """Yield this process's part of each batch, on the device of the network.

        Raises:
            ValueError: If the iterable is empty.
        """
        place = self.placement
        for batch in batches:
            empty = False
            joint = rows_of(batch)
            first, last, rows, _ = place.part(0, joint)
            if rows != joint:
                batch = map_arrays(batch, operator.itemgetter(slice(first, last)))
            batch = place.move(batch)
            if isinstance(batch, tuple) and len(batch) == 2:
                batch = place.cast(batch[0]), batch[1]
            yield batch, rows, joint
        if empty:
            raise ValueError(f"the {self.title} data contains no batches.")


def open_stream(
    learner: Learner, data: Any, title: str, batch_size: int, order: Generator | None = None
) -> StreamBatches:
    """Return the batches of an iterable, or of a map-style torch data set of examples."""
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        data = DataLoader(data, batch_size, shuffle=order is not None, generator=order)
    return StreamBatches(data, learner.placement, title)


def data_generator(data: Any) -> Generator | None:
    """Return the generator that the data shuffles with, such as that of a DataLoader."""
    generator = getattr(data, "generator", None)
    return generator if isinstance(generator, Generator) else None


def rows_of(batch: Any) -> int:
    """Return the number of examples: the length of the first array in a batch.

    Raises:
        ValueError: If the batch contains no array.
    """
    if isinstance(batch, Tensor | np.ndarray):
        return len(batch)
    if isinstance(batch, dict):
        batch = tuple(batch.values())
    if isinstance(batch, tuple | list) and batch:
        return rows_of(batch[0])
    raise ValueError(
        f"a batch must be (inputs, targets) with the examples along axis 0, got a "
        f"{type(batch).__name__}."
    )
