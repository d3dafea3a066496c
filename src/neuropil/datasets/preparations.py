"""The kinds of preparation, by the name that is stored in their plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.arrays.array_preparation import ArrayPreparation
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.plain_fields import text
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
    kind = text(data, "kind")
    if kind not in KINDS:
        raise DataError(
            f"damaged preparation: unknown kind {kind!r}, known are {sorted(KINDS)}."
        )
    return KINDS[kind].from_fields(data, Target.from_json(data.get("target") or {}))
