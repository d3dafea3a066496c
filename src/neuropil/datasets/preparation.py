"""Base class of preparations, which convert raw input to the input of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.plain_fields import PlainFields, class_of_kind
from neuropil.lazy import import_name

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.shape import Shape
    from neuropil.datasets.source import Source
    from neuropil.datasets.target import Target

TARGETS = {
    "boxes": "annotations.boxes_target.Boxes",
    "classes": "target.Classes",
    "identities": "people.identities_target.Identities",
    "masks": "masks.masks_target.Masks",
    "numbers": "target.Numbers",
    "points": "points.points_target.Points",
}
"""Module and class of each kind of target; one is imported when it is needed."""


class Preparation(PlainFields, ABC):
    """Conversion of raw input to the input of a network.

    A run stores it as plain data, so that new input is converted exactly like the training
    data.
    """

    target: Target

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """Shape of one example, without the batch axis; None for a size that varies."""

    @property
    def pads(self) -> bool:
        """Whether examples keep their own size, so that a batch is padded and has a mask."""
        return False

    def describe(self, train: Source) -> str:
        """Return what is worth knowing of the inputs beside their shape, in words.

        Args:
            train: The training examples.
        """
        if None not in self.input_shape:
            return ""
        sizes = np.array([train.size_of(index) for index in range(len(train))])
        low, middle, high = (
            "×".join(f"{side:.0f}" for side in each)
            for each in (sizes.min(0), np.median(sizes, axis=0), sizes.max(0))
        )
        if low == high:
            return f"all of size {low}"
        return f"sizes {low} to {high}, median {middle}"

    @abstractmethod
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return raw input as a batch for the network.

        Args:
            raw: Raw input of the type that the preparation takes.
            notes: A list that gains notes for the user.
        """


def read_target(data: Any, name: str) -> Target:
    """Return a field that must be a target.

    Args:
        data: Plain data with the result of `Target.to_json`.
        name: Name of the field.

    Raises:
        DataError: If the target is damaged.
    """
    plain = data.get(name) or {}
    return import_name(f"neuropil.datasets.{class_of_kind(plain, TARGETS)}").from_fields(plain)
