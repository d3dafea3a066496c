"""Base class of preparations, which convert raw input to the input of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.target import Target


class Preparation(ABC):
    """Conversion of raw input to the input of a network.

    A run stores it as plain data, so that new input is converted exactly like the training
    data.
    """

    kind: ClassVar[str]
    shape: tuple[int, ...]
    target: Target

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example, without the batch axis."""
        return self.shape

    @abstractmethod
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return raw input as a batch for the network.

        Args:
            raw: Raw input of the type that the preparation takes.
            notes: A list that gains notes for the user.
        """

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """Return all fields but kind and target as plain data."""

    @classmethod
    @abstractmethod
    def from_fields(cls, data: dict[str, Any], target: Target) -> Self:
        """Return the preparation with the given `fields`."""

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data that JSON can hold."""
        return {"kind": self.kind, "target": self.target.to_json(), **self.fields()}
