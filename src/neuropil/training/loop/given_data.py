"""What a user gives to `Trainer.fit`: arrays, a source, rows, or an iterable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuropil.core import Network
from neuropil.training.loop.memory_examples import as_arrays, relative_weights
from neuropil.training.loop.source_examples import SourceExamples
from neuropil.training.rows.arrow_columns import parts_of_table
from neuropil.training.rows.arrow_source import ArrowSource
from neuropil.training.rows.arrow_stream import is_arrow
from neuropil.training.rows.fields import Fields, flat
from neuropil.training.rows.row_source import RowSource
from neuropil.training.rows.values import parts_of_batch, unpack_single

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.training.loop.learner import Learner


def open_data(data: Any, title: str, learner: Learner) -> Any:
    """Return data as `Arrays`, as `SourceExamples`, or unchanged if they are to be iterated.

    What an object offers decides: arrays and pairs of them are in memory; a `Source` and a set
    with ``__len__`` and ``__getitem__`` of rows are fetched by index, as are the rows of
    Parquet files; all else is iterated.

    Args:
        data: The data.
        title: Purpose of the data, for messages.
        learner: The learner.

    Raises:
        ValueError: If the data cannot be used.
    """
    fields = None if learner.custom else Fields.of(learner.module, title)
    if fields is not None and isinstance(data, tuple):  # a list is of rows or batches
        data = flat(data)
    if fields is not None and isinstance(data, Mapping):
        data = pair_of(parts_of_batch(data, fields.layout_of_names(list(data))))
    elif fields is not None and (table := as_table(data)) is not None:
        layout = fields.layout_of_names(table.schema.names)
        data = pair_of(parts_of_table(table, layout))
    arrays = as_arrays(data, title)
    if arrays is not None:
        if fields is not None:
            fields.check_count(len(arrays.inputs))
        return arrays
    source = as_source(data, fields)
    if source is None:
        return data
    if not len(source):
        raise ValueError(f"the {title} data is empty.")
    taken = len(learner.module.inputs) if isinstance(learner.module, Network) else 1
    weights = getattr(source, "weights", None)
    weights = None if weights is None else relative_weights(weights, title)
    return SourceExamples(source, title, taken, weights=weights)


def as_source(data: Any, fields: Fields | None) -> Source | None:
    """Return a source, or the source of the rows of a set, or None for other data."""
    if callable(getattr(data, "fetch", None)) and hasattr(data, "size_of"):
        return data
    if fields is not None and is_parquet(data):
        return ArrowSource(data, fields.layout_of_names(data.schema.names))
    indexed = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    if fields is None or not indexed or isinstance(data, str | bytes) or not len(data):
        return None
    first = data[0]
    layout = fields.layout(first)
    return RowSource(data, layout) if fields.is_row(first, layout) else None


def as_table(data: Any) -> Any:
    """Return a PyArrow table, or a frame of pandas or Polars as one; None for other data."""
    if hasattr(data, "to_pydict"):
        return data
    if not hasattr(data, "columns"):
        return None
    import narwhals

    frame = narwhals.from_native(data, eager_only=True, pass_through=True)
    return frame.to_arrow() if isinstance(frame, narwhals.DataFrame) else None


def is_parquet(data: Any) -> bool:
    """Return whether data are a PyArrow data set of Parquet files without a filter."""
    if not is_arrow(data):
        return False
    try:
        fragments = list(data.get_fragments())
    except ValueError:  # the rows of a filtered data set are not those of its files
        return False
    return all(hasattr(fragment, "split_by_row_group") for fragment in fragments)


def pair_of(parts: tuple[tuple[Tensor, ...], Tensor | None]) -> Any:
    """Return inputs and targets as a pair of data in memory."""
    return unpack_single(parts[0]), parts[1]
