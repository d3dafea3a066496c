"""Base class of the encoders for the columns of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from neuropil.datasets.plain_fields import PlainFields

if TYPE_CHECKING:
    import numpy as np

    from neuropil.datasets.tables.table import Table


class Column(PlainFields, ABC):
    """Base class of the encoders.

    Attributes:
        name: Name of the column.
        indicator: Whether the last feature is 1 for missing cells and 0 for others.
    """

    name: str
    indicator: bool

    @property
    @abstractmethod
    def features(self) -> list[str]:
        """Name of each number that the network gets."""

    @abstractmethod
    def encode(self, table: Table, notes: list[str]) -> np.ndarray[Any, Any]:
        """Return the cells of the column as ``(N, features)`` in single precision.

        Args:
            table: Table with the column.
            notes: Gains notes for the user.
        """
