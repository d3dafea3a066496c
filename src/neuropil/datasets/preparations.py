"""Table of the preparations by kind, and their construction from plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.plain_fields import class_of_kind
from neuropil.lazy import import_name

if TYPE_CHECKING:
    from neuropil.datasets.preparation import Preparation

KINDS = {
    "arrays": "arrays.array_preparation.ArrayPreparation",
    "pictures": "pictures.picture_preparation.PicturePreparation",
    "table": "tables.table_preparation.TablePreparation",
}
"""Module and class of each kind; one is imported when it is needed."""


def preparation_from_json(data: Any) -> Preparation:
    """Return a preparation from plain data.

    Args:
        data: Result of `Preparation.to_json`.

    Raises:
        DataError: If the data are damaged.
    """
    return import_name(f"neuropil.datasets.{class_of_kind(data, KINDS)}").from_fields(data)
