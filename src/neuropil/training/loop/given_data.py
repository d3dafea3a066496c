"""What a user gives to `Trainer.fit`: arrays, a source, rows, or an iterable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuropil.core import Network
from neuropil.training.loop.memory_examples import as_arrays
from neuropil.training.loop.source_examples import SourceExamples
from neuropil.training.rows.fields import Fields
from neuropil.training.rows.row_source import RowSource
from neuropil.training.rows.values import parts_of_batch, unpack_single

if TYPE_CHECKING:
    from neuropil.datasets.source import Source
    from neuropil.training.loop.learner import Learner


def open_data(data: Any, title: str, learner: Learner) -> Any:
    """Return data as `Arrays`, as `SourceExamples`, or unchanged if they are to be iterated.

    What an object offers decides: arrays and pairs of them are in memory; a `Source` and a set
    with ``__len__`` and ``__getitem__`` of rows are fetched by index; all else is iterated.

    Args:
        data: The data.
        title: Purpose of the data, for messages.
        learner: The learner.

    Raises:
        ValueError: If the data cannot be used.
    """
    fields = None if learner.custom else Fields.of(learner.module, title)
    if isinstance(data, Mapping) and fields is not None:
        data = columns_of(data, fields)
    arrays = as_arrays(data, title)
    if arrays is not None:
        return arrays
    source = as_source(data, fields)
    if source is None:
        return data
    if not len(source):
        raise ValueError(f"the {title} data is empty.")
    taken = len(learner.module.inputs) if isinstance(learner.module, Network) else 1
    return SourceExamples(source, title, taken)


def as_source(data: Any, fields: Fields | None) -> Source | None:
    """Return a source, or the source of the rows of a set, or None for other data."""
    if callable(getattr(data, "fetch", None)) and hasattr(data, "size_of"):
        return data
    indexed = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    if fields is None or not indexed or isinstance(data, str | bytes) or not len(data):
        return None
    first = data[0]
    layout = fields.layout(first)
    return RowSource(data, layout) if fields.is_row(first, layout) else None


def columns_of(data: Mapping[Any, Any], fields: Fields) -> Any:
    """Return a dict of columns in memory as a pair of inputs and targets."""
    layout = fields.layout_of_names(list(data))
    inputs, targets = parts_of_batch(data, layout)
    return unpack_single(inputs), targets
