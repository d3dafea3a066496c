"""Table of the preparations by kind, and their construction from plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.arrays.array_preparation import ArrayPreparation
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.plain_fields import class_of_kind
from neuropil.datasets.tables.table_preparation import TablePreparation

if TYPE_CHECKING:
    from neuropil.datasets.preparation import Preparation

KINDS: dict[str, type[Preparation]] = {
    made.kind: made for made in (ArrayPreparation, PicturePreparation, TablePreparation)
}


def preparation_from_json(data: Any) -> Preparation:
    """Return a preparation from plain data.

    Args:
        data: Result of `Preparation.to_json`.

    Raises:
        DataError: If the data are damaged.
    """
    return class_of_kind(data, KINDS).from_fields(data)
