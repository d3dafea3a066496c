"""What a network is to give: classes by name, or numbers in their own units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Self, final

import torch
from torch import Tensor

from neuropil.core.moments import ROUNDING, moments
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed, natural_key
from neuropil.datasets.plain_fields import number_tuple, text, text_tuple
from neuropil.datasets.tables.cells import as_number, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@final
@dataclass(frozen=True)
class Target:
    """What a network is to give: classes by name, or numbers in their own units.

    Numbers are standardised for training, ``z = (y − mean) / scale``, and given back as ``y = z
    · scale + mean``.

    Args:
        task: ``"classification"`` or ``"regression"``.
        name: Name of the target column, if it has one.
        classes: Name of each class, by class number; regression has none.
        mean: Mean of each number over the training examples; classification has none.
        scale: Standard deviation of each number over the training examples, never zero.

    Raises:
        DataError: If these do not fit together.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Target
        >>> price = Target.of_numbers(torch.tensor([10.0, 20.0, 30.0, 40.0]), name="price")
        >>> price.mean, price.standardize(torch.tensor([25.0]))
        ((25.0,), tensor([0.]))
        >>> price.restore(torch.tensor([0.0]))
        tensor([25.], dtype=torch.float64)
    """

    task: str
    name: str | None = None
    classes: tuple[str, ...] | None = None
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.task == "classification":
            sound = self.classes is not None and len(set(self.classes)) == len(self.classes) > 0
        else:
            sound = self.task == "regression" and len(self.mean) == len(self.scale) > 0
            sound = sound and all(scale > 0 for scale in self.scale)
        if not sound:
            raise DataError(
                "a target needs distinct classes, or a mean and a scale above 0 for each "
                f"number; got {self}."
            )

    @classmethod
    def of_classes(cls, classes: Sequence[str], *, name: str | None = None) -> Self:
        """Return the target of a classification.

        Args:
            classes: Name of each class, by class number.
            name: Name of the target column, if it has one.
        """
        return cls("classification", name, tuple(classes))

    @classmethod
    def of_labels(
        cls,
        labels: Iterable[str],
        where: str,
        *,
        order: Sequence[str] | None = None,
        name: str | None = None,
    ) -> Self:
        """Return the target of a classification whose classes are the distinct labels.

        Args:
            labels: The training examples' labels.
            where: What holds them, for the error.
            order: All classes in their order; None for the order of numbers, or natural order.
            name: Name of the target column, if it has one.

        Raises:
            DataError: If there is only one class.
        """
        found = set(labels)
        if len(found) < 2:
            raise DataError(
                f"{where} has examples of one class only, {min(found, default='')!r}: two are "
                "needed to tell apart."
            )
        if order is None:
            numeric = all(map(is_number, found))
            # 01 and 1 are equal numbers: their names settle the order.
            order = sorted(
                found,
                key=lambda name: (exact_number(name) if numeric else 0, natural_key(name)),
            )
        return cls.of_classes(order, name=name)

    @classmethod
    def of_numbers(cls, values: Tensor, *, name: str | None = None) -> Self:
        """Return the target of a regression.

        Args:
            values: The training examples' targets, ``(N)`` or ``(N, k)``.
            name: Name of the target column, if it has one.

        Raises:
            DataError: If every example has the same target.
        """
        columns = values.double().reshape(len(values), -1)
        mean, deviation = (value[0] for value in moments(columns, [0]))
        constant = deviation <= ROUNDING * mean.abs()
        if constant.all():
            raise DataError(
                f"the target{f' {name!r}' if name else ''} has the same value, "
                f"{mean[0].item():g}, in every training example: there is nothing to learn."
            )
        scale = torch.where(constant, 1.0, deviation)
        return cls("regression", name, None, tuple(mean.tolist()), tuple(scale.tolist()))

    @property
    def outputs(self) -> int:
        """How many numbers the network gives: one a class, or one a regression target."""
        return len(self.mean) if self.classes is None else len(self.classes)

    def standardize(self, targets: Tensor) -> Tensor:
        """Return regression targets with mean 0 and deviation 1; class numbers unchanged.

        The mean is taken off in double precision; the result is in single precision.

        Args:
            targets: Targets in their own units, ``(N)`` or ``(N, k)``.
        """
        if self.classes is not None:
            return targets
        exact = targets.double()
        return ((exact - exact.new_tensor(self.mean)) / exact.new_tensor(self.scale)).float()

    def restore(self, outputs: Tensor) -> Tensor:
        """Return a regression network's outputs in the targets' own units; classes unchanged.

        Numbers far from zero keep their digits: the result is in double precision.

        Args:
            outputs: What the network gave, ``(N)`` or ``(N, k)``.
        """
        if self.classes is not None:
            return outputs
        exact = outputs.double()
        return exact * exact.new_tensor(self.scale) + exact.new_tensor(self.mean)

    def encode_classes(self, labels: Sequence[str], where: str) -> Tensor:
        """Return class numbers for class names.

        Args:
            labels: One class name per example.
            where: What holds them, for the error.

        Raises:
            DataError: If a name is no class of this target.
        """
        numbers = {name: number for number, name in enumerate(self.classes or ())}
        if unknown := sorted(set(labels) - set(numbers)):
            raise DataError(
                f"{where} holds classes that the training data lack: "
                f"{listed(map(repr, unknown))}; known are {listed(map(repr, numbers), 10)}."
            )
        return torch.tensor([numbers[label] for label in labels], dtype=torch.int64)

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        return {
            "task": self.task,
            "name": self.name,
            "classes": None if self.classes is None else list(self.classes),
            "mean": list(self.mean),
            "scale": list(self.scale),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the target that `to_json` described.

        Args:
            data: What `to_json` gave.

        Raises:
            DataError: If it is damaged.
        """
        return cls(
            text(data, "task"),
            None if data.get("name") is None else text(data, "name"),
            None if data.get("classes") is None else text_tuple(data, "classes"),
            number_tuple(data, "mean"),
            number_tuple(data, "scale"),
        )


def exact_number(label: str) -> Decimal:
    """Return the number that a label is, to its last digit: integers may have 64 bits."""
    try:
        return Decimal(label)
    except InvalidOperation:
        return Decimal(as_number(label))
