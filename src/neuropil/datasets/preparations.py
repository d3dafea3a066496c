"""The kinds of preparation, by the name that is stored in their plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.arrays.array_preparation import ArrayPreparation
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.plain_fields import class_of_kind
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.target import Target

if TYPE_CHECKING:
    from neuropil.datasets.preparation import Preparation

KINDS: dict[str, type[Preparation]] = {
    made.kind: made for made in (ArrayPreparation, PicturePreparation, TablePreparation)
}


def preparation_from_json(data: Any) -> Preparation:
    """Return the preparation that its `to_json` described.

    Args:
        data: What `to_json` gave.

    Raises:
        DataError: If it is damaged.
    """
    kind = class_of_kind(data, KINDS)
    return kind.from_fields(data, Target.from_json(data.get("target") or {}))
