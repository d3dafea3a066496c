"""Batches of a source, fetched ahead by worker processes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.datasets.batch_places import Places, places_of
from neuropil.datasets.loading import BatchLoader
from neuropil.training.loop.batches import Batches, Placement, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator

    from neuropil.training.loop.source_examples import SourceExamples


@final
@dataclass(eq=False)
class SourceBatches(Batches):
    """Batches of a source, in a new random order every epoch or in the order of the source.

    A single remaining example is added to the previous batch. With several processes, each
    fetches only its own part of every batch. A resumed epoch fetches only what is left of it.

    Args:
        examples: The examples.
        batch_size: Number of examples in a batch, over all processes.
        placement: Device and type of the batches.
        order: Generator that shuffles the examples; None keeps their order.
        workers: Number of processes that fetch batches ahead; 0 fetches in this process.
    """

    examples: SourceExamples
    batch_size: int
    placement: Placement
    order: Generator | None = None
    workers: int = 0

    def __post_init__(self) -> None:
        self.batches = len(places_of(self.examples.source, self.batch_size).bounds) - 1
        self.loader: BatchLoader | None = None
        # Which of the sources of the loader this is.
        self.part = 0

    @property
    @override
    def count(self) -> int:
        return self.batches

    @override
    def facts(self) -> dict[str, int | str | None]:
        source = self.examples.source
        return {
            "examples": len(source), "batch_size": self.batch_size, "data": source.fingerprint
        }  # fmt: skip

    @override
    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        source, order = self.examples.source, None
        if self.order is not None:
            # A source may know an order that reads less, such as one file after the other.
            own = getattr(source, "shuffled", None)
            order = (
                own(self.order) if own else torch.randperm(len(source), generator=self.order)
            )
        return self.cut(places_of(source, self.batch_size, order), skip)

    def begin_loader(self, *others: SourceBatches) -> BatchLoader:
        """Return a loader for this source, and further ones that share its workers."""
        sources = [each.examples.source for each in (self, *others)]
        most = min(getattr(source, "most_workers", self.workers) for source in sources)
        workers = min(self.workers, most, max(each.count for each in (self, *others)))
        pin = self.placement.device.type == "cuda"
        self.loader = BatchLoader(sources, workers, pin=pin)
        return self.loader

    def cut(self, places: Places, skip: int) -> Iterator[Portion]:
        """Yield this process's part of each batch, on the device of the network."""
        place = self.placement
        spans = [place.part(a, b) for a, b in pairwise(places.bounds)][skip:]
        loader = self.loader or self.begin_loader()
        loaded = loader.load((places.between(a, b) for a, b, _, _ in spans), self.part)
        for (first, last, rows, joint), batch in zip(spans, loaded, strict=True):
            parts = self.examples.parts(batch, places.between(first, last))
            inputs, targets, *weights = map(place.move, parts)
            inputs = place.cast(inputs)
            yield inputs if targets is None else (inputs, targets, *weights), rows, joint


@contextmanager
def running_workers(training: Batches, validation: Batches | None) -> Iterator[None]:
    """Let the same workers fetch training and validation batches, and end them on exit."""
    sources = [each for each in (training, validation) if isinstance(each, SourceBatches)]
    if len(sources) == 2:
        sources[1].loader, sources[1].part = sources[0].begin_loader(sources[1]), 1
    try:
        yield
    finally:
        for each in sources:
            if each.loader is not None:
                each.loader.close()
