"""Where the batches of a pass over some examples begin and end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neuropil.checks import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.source import Source

# Limits on the examples of a batch without gradients, and on its input elements.
ROWS, ELEMENTS = 512, 2**22
MOST_EQUAL = 16
"""Up to this number of distinct sizes, the examples of a batch have one size."""
WINDOW = 64
"""Examples are sorted by size within this number of batches; their order stays random."""
STEP = 32
"""Heights are alike if they are equal in these steps; then examples are sorted by width."""

LOOKED_AT = 10_000
"""Largest number of examples that are looked at to see how mixed the batches are."""
MIXED = 0.5
"""Smallest share of the variance of the targets within batches for batch normalisation."""


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


def batches_of_like_sizes(
    sizes: Sequence[Sequence[int]] | Tensor, batch_size: int, order: Tensor | None = None
) -> list[Tensor]:
    """Return the indices of the examples of each batch, every example once.

    With at most 16 distinct sizes, such as those of buckets, the examples of a batch have the
    same size, and nothing is padded. With more, the examples are sorted by size within windows
    of 64 batches. A single remaining example joins another batch of its size, if there is one:
    batch normalisation cannot train on one example.

    Args:
        sizes: The sizes of each example's axes after the first, ``(N, axes)``.
        batch_size: Largest number of examples in a batch, but for one that joins it.
        order: All indices in the order in which they are to be seen, such as
            ``torch.randperm(N)``; None for their own. The order of the batches follows from it.

    Raises:
        ValueError: If `batch_size` is not an integer of at least 1.

    Example:
        >>> from neuropil.datasets import batches_of_like_sizes
        >>> sizes = [(32, 32), (64, 32), (32, 32), (64, 32), (32, 32), (32, 32)]
        >>> [batch.tolist() for batch in batches_of_like_sizes(sizes, 2)]
        [[0, 2], [1, 3], [4, 5]]
    """
    whole(batch_size, "batch_size")
    table = np.asarray(sizes, dtype=np.int64)
    places = np.arange(len(table)) if order is None else order.cpu().numpy()
    _, kinds = np.unique(table, axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)[places]
    if kinds.max(initial=0) < MOST_EQUAL:
        batches = cut_by_kind(kinds, batch_size)
    else:
        batches = cut_by_size(table[places], batch_size)
    # A batch comes when its last example would: early and late ones have any size.
    batches.sort(key=lambda batch: batch.max())
    return [torch.from_numpy(places[np.sort(batch)]) for batch in batches]


def variety_in_batches(source: Source, batch_size: int = 64) -> float:
    """Return the share of the variance of the targets that lies within batches.

    It is near 1 if each batch is a mixture of all examples, and 0 if each holds one class. If
    the sizes vary and go with the classes, batches of like sizes hold few classes: batch
    normalisation, whose means and variances are those of a batch, then removes what tells the
    classes apart.

    Targets with several rows for each example are mixed within the examples already.

    Args:
        source: The examples; of many, 10,000 are looked at.
        batch_size: Number of examples in a batch.
    """
    targets = source.targets
    if targets is None or targets.ndim > 2 or None not in source.input_shape:
        return 1.0
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:LOOKED_AT]
    targets = targets[order]
    if targets.is_floating_point():
        values = targets.reshape(len(order), -1).double()
        values = values / values.std(0).clamp(min=1e-300)
    else:
        values = torch.nn.functional.one_hot(targets).float()
    batches = batches_of_like_sizes([source.size_of(p) for p in order.tolist()], batch_size)
    total = values.var(0, unbiased=False).sum()
    within = sum(len(b) * values[b].var(0, unbiased=False).sum() for b in batches) / len(order)
    return float(within / total) if total else 1.0


def cut_by_kind(kinds: np.ndarray[Any, Any], batch_size: int) -> list[np.ndarray[Any, Any]]:
    """Return batches of one kind each, as positions.

    Args:
        kinds: The kind of each example.
        batch_size: Largest number of examples in a batch.
    """
    by_kind = np.argsort(kinds, kind="stable")
    counts = np.bincount(kinds) if len(kinds) else []
    groups = np.split(by_kind, np.cumsum(counts)[:-1]) if len(counts) else []
    return [batch for group in groups for batch in cut(group, batch_size)]


def cut_by_size(table: np.ndarray[Any, Any], batch_size: int) -> list[np.ndarray[Any, Any]]:
    """Return batches of similar sizes, as positions.

    Args:
        table: The sizes of each example.
        batch_size: Largest number of examples in a batch.
    """
    batches = []
    for window in cut(np.arange(len(table)), WINDOW * batch_size):
        sizes = table[window]
        coarse = sizes[:, :-1] // STEP
        keys = (sizes[:, -1], *(coarse[:, axis] for axis in reversed(range(coarse.shape[1]))))
        batches += cut(window[np.lexsort(keys)], batch_size)
    return batches


def cut(places: np.ndarray[Any, Any], size: int) -> list[np.ndarray[Any, Any]]:
    """Return consecutive parts of at most `size`; a single remaining one joins the last."""
    ends = list(range(size, len(places), size))
    if size > 1 and ends and len(places) - ends[-1] == 1:
        ends.pop()
    return np.split(places, ends) if len(places) else []


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
