"""Rows in groups, and the number of examples in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator


def groups_of(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Yield rows in lists of a size; the last list may be smaller."""
    while group := list(islice(items, size)):
        yield group


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
        isinstance(batch, tuple | list)
        and len(batch) == 2
        and not isinstance(batch[0], Mapping)
    )


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
