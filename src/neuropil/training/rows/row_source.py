"""A source of the rows of a set with a length and an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from neuropil.datasets.source import Batch
from neuropil.digest import digest_of
from neuropil.training.rows.values import as_columns, batch_of_rows, unpack_single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.core.shape import Shape
    from neuropil.training.rows.fields import Layout


@final
class RowSource:
    """A source of the rows of a set with ``__len__`` and ``__getitem__``.

    Rows are asked for together if the set has ``__getitems__``, as torch's and Hugging Face's
    data sets have.

    Args:
        rows: The set; ``rows[i]`` is a tuple or a dict.
        layout: Where the inputs and the target of a row are.
        places: The rows that belong to the source; None for all.
    """

    # They are known only when a row is read.
    targets = None
    names = None

    def __init__(self, rows: Any, layout: Layout, places: Sequence[int] | None = None) -> None:
        self.rows = rows
        self.layout = layout
        self.places = range(len(rows)) if places is None else places
        first, last = (self.fetch([place]) for place in (0, len(self) - 1))
        self.input_shape: Shape = tuple(as_columns(first.inputs)[0].shape[1:])
        self.fingerprint = digest_of([len(self), list(first), list(last)])

    def __len__(self) -> int:
        return len(self.places)

    def size_of(self, index: int) -> tuple[int, ...]:  # noqa: ARG002 - all have the same
        """Return the sizes of the axes of an example after the first.

        Args:
            index: The place of the example; rows have the same sizes.
        """
        return tuple(length or 1 for length in self.input_shape[1:])

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        several: Any = getattr(self.rows, "__getitems__", None)
        places = [self.places[place] for place in indices]
        found = several(places) if several else [self.rows[place] for place in places]
        inputs, targets = batch_of_rows(found, self.layout, places)
        return Batch(unpack_single(inputs), targets)

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> RowSource:
        """Return the source of some of the rows.

        Args:
            key: A slice, or their places.
        """
        chosen = range(len(self))[key] if isinstance(key, slice) else [int(k) for k in key]
        return RowSource(self.rows, self.layout, [self.places[place] for place in chosen])
