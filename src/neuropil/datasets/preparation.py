"""How raw input becomes what a network takes: plain data that a run keeps for later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.target import Target


class Preparation(ABC):
    """How raw input becomes what a network takes.

    A run keeps it as plain data, so that new input is treated exactly as the training data
    were.
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
            raw: What the kind of preparation takes.
            notes: A list that gains a line for each thing a person should know.
        """

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """Return everything but kind and target as plain data."""

    @classmethod
    @abstractmethod
    def from_fields(cls, data: dict[str, Any], target: Target) -> Self:
        """Return the preparation that `fields` described."""

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data that JSON can hold."""
        return {"kind": self.kind, "target": self.target.to_json(), **self.fields()}
