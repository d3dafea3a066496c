"""Where the batches of a pass over some examples begin and end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from neuropil.datasets.like_sizes import batches_of_like_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.source import Source

# Limits on the examples of a batch without gradients, and on its input elements.
ROWS, ELEMENTS = 512, 2**22


class Places(NamedTuple):
    """The batches of a pass.

    Attributes:
        order: The places of the examples in the order of the pass; None is their own order.
        bounds: The start of each batch in that order, and the end.
    """

    order: Tensor | None
    bounds: list[int]

    def between(self, start: int, stop: int) -> Sequence[int]:
        """Return the places of some examples.

        Args:
            start: The first, counted in the order of the pass.
            stop: The end.
        """
        return range(start, stop) if self.order is None else self.order[start:stop].tolist()


def places_of(source: Source, batch_size: int, order: Tensor | None = None) -> Places:
    """Return the batches of a pass; examples of a batch have like sizes, if sizes vary.

    Args:
        source: The examples.
        batch_size: Number of examples in a batch.
        order: A permutation of the examples; None keeps their order.
    """
    ends = bounds(len(source), batch_size)
    if None not in source.input_shape:
        return Places(order, ends)
    sizes = [source.size_of(index) for index in range(len(source))]
    cut = batches_of_like_sizes(sizes, batch_size, order)
    ends = torch.tensor([0, *map(len, cut)]).cumsum(0).tolist()
    return Places(torch.cat(cut), ends)


def bounds(examples: int, batch_size: int) -> list[int]:
    """Return the start of each batch, and the end; one remaining example joins the last."""
    starts = [*range(0, examples, batch_size), examples]
    if batch_size > 1 and len(starts) > 2 and starts[-1] - starts[-2] == 1:
        del starts[-2]
    return starts


def rows_at_once(source: Source) -> int:
    """Return the number of examples that are evaluated at once, small enough for memory."""
    shape = source.input_shape
    if None in shape:
        sizes = (math.prod(source.size_of(index)) for index in range(len(source)))
        elements = (shape[0] or 1) * max(sizes, default=1)
    else:
        elements = math.prod(length or 1 for length in shape)
    return max(1, min(ROWS, ELEMENTS // max(1, elements)))
