"""The kinds of preparation, and how any of them is read back from plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.arrays.array_preparation import ArrayPreparation
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.plain_fields import class_of_kind
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.target import Target

if TYPE_CHECKING:
    from neuropil.datasets.preparation import Preparation

KINDS = {kind.kind: kind for kind in (ArrayPreparation, PicturePreparation, TablePreparation)}


def read_preparation(data: Any) -> Preparation:
    """Return the preparation that its `to_json` described.

    Args:
        data: What `to_json` gave.

    Raises:
        DataError: If it is damaged.

    Example:
        >>> from neuropil.datasets import ArrayPreparation, Classes
        >>> pair = ArrayPreparation((2,), Classes(["a", "b"]))
        >>> read_preparation(pair.to_json()) == pair
        True
    """
    kind = class_of_kind(data, KINDS)
    return kind.from_fields(data, Target.from_json(data.get("target") or {}))
