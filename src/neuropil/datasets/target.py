"""Targets: classes by name, or numbers in their own units."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.moments import ROUNDING, moments
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import natural_key
from neuropil.datasets.plain_fields import (
    PlainFields,
    number_tuple,
    optional,
    text,
    text_tuple,
)
from neuropil.datasets.tables.cells import as_number, is_number
from neuropil.text import counts_in_words, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NUMBERS = 6
"""Numbers without names that are described one by one."""


class Target(PlainFields, ABC):
    """Base class of targets, which convert labels to a tensor.

    Attributes:
        name: Name of the target column, if it has one.
    """

    name: str | None

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of network outputs for one label."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each target column; empty if they have none."""
        return () if self.name is None else (self.name,)

    @classmethod
    @abstractmethod
    def fit(cls, labels: Any, where: str, *, name: str | None = None) -> Self:
        """Return the target of the training labels.

        Args:
            labels: The labels of the training examples.
            where: Their source, for the error.
            name: Name of the target column, if it has one.

        Raises:
            DataError: If all labels are the same.
        """

    @abstractmethod
    def collate(self, labels: Any, where: str) -> Tensor:
        """Return labels as one tensor with the examples along axis 0.

        Args:
            labels: One label per example.
            where: Their source, for the error.

        Raises:
            DataError: If a label does not belong to this target.
        """

    def collate_resized(
        self,
        labels: Any,  # noqa: ARG002 - for labels of one value per pixel
        where: str,  # noqa: ARG002
        own: Any,  # noqa: ARG002
        sizes: Any,  # noqa: ARG002
    ) -> Tensor | None:
        """Return labels of resized pictures as one tensor, for labels of a value per pixel.

        By default None: labels are collated, and then moved.

        Args:
            labels: One label per example.
            where: Their source, for the error.
            own: Height and width of each picture file, ``(N, 2)``.
            sizes: Height and width to which it is resized, ``(N, 2)``, or one size for all.

        Raises:
            DataError: If a label does not belong to this target.
        """
        return None

    def crop(self, targets: Tensor, size: tuple[int, int]) -> Tensor:  # noqa: ARG002 - as above
        """Return targets that have a value per pixel for pictures of one size.

        By default they are unchanged.

        Args:
            targets: Some rows of the result of `collate`.
            size: Height and width of the pictures.
        """
        return targets

    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:  # noqa: ARG002 - for labels that have a place
        """Return targets after a change of their pictures; by default unchanged.

        Args:
            targets: Result of `collate`.
            matrix: ``(N, 2, 3)``, from old to new picture coordinates: in pixels, x to the
                right before y down, from (0, 0) at the corner of the first pixel.
            size: Height and width of the new picture.
        """
        return targets

    def lost(self, targets: Tensor, moved: Tensor) -> str | None:  # noqa: ARG002 - as `move`
        """Return a note about targets that a move lost; by default None.

        Args:
            targets: The targets.
            moved: Result of `move`.
        """
        return None

    def count(self, targets: Tensor) -> list[int] | None:  # noqa: ARG002 - for labels with classes
        """Return the number of labels of each class; None for labels without classes.

        Args:
            targets: Result of `collate`.
        """
        return None

    @abstractmethod
    def describe(self, targets: Tensor) -> str:
        """Return a description of labels in words: how many of each class, or their range.

        Args:
            targets: Result of `collate`, at least one.
        """


@final
@dataclass(frozen=True)
class Classes(Target):
    """One class for each example.

    Args:
        classes: Name of each class, by class number.
        name: Name of the target column, if it has one.

    Raises:
        DataError: If `classes` is empty, or has the same name twice.

    Example:
        >>> from neuropil.datasets import Classes
        >>> Classes.fit(["dog", "cat", "dog"], "here").classes
        ('cat', 'dog')
        >>> Classes(["cat", "dog"]).collate(["dog", "cat"], "here")
        tensor([1, 0])
    """

    kind = "classes"
    readers: ClassVar = {"name": optional(text), "classes": text_tuple}

    classes: Sequence[str]
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", distinct_names(self.classes, self))

    @classmethod
    @override
    def fit(
        cls,
        labels: Iterable[str],
        where: str,
        *,
        name: str | None = None,
        order: Sequence[str] | None = None,
    ) -> Self:
        """Return the target whose classes are the distinct labels.

        Args:
            labels: The labels of the training examples.
            where: Their source, for the error.
            name: Name of the target column, if it has one.
            order: All classes in order; None for numerical or natural order.

        Raises:
            DataError: If there is only one class.
        """
        found = set(labels)
        if len(found) < 2:
            raise DataError(
                f"{where} has examples of one class only, {min(found, default='')!r}: at least "
                "two classes are needed."
            )
        if order is None:
            numeric = all(map(is_number, found))
            # 01 and 1 are equal numbers: their names settle the order.
            order = sorted(
                found,
                key=lambda name: (exact_number(name) if numeric else 0, natural_key(name)),
            )
        return cls(order, name)

    @property
    @override
    def outputs(self) -> int:
        return len(self.classes)

    @override
    def collate(self, labels: Sequence[str], where: str) -> Tensor:
        """Return class numbers ``(N)`` for class names.

        Args:
            labels: One class name per example.
            where: Their source, for the error.

        Raises:
            DataError: If a name is not a class of this target.
        """
        numbers = {name: number for number, name in enumerate(self.classes)}
        if unknown := sorted(set(labels) - set(numbers)):
            raise DataError(
                f"{where} holds classes that the training data lack: "
                f"{some_of(map(repr, unknown))}; known are {some_of(map(repr, numbers), 10)}."
            )
        return torch.tensor([numbers[label] for label in labels], dtype=torch.int64)

    @override
    def count(self, targets: Tensor) -> list[int]:
        return targets.flatten().long().bincount(minlength=len(self.classes)).tolist()

    @override
    def describe(self, targets: Tensor) -> str:
        return counts_in_words(self.classes, self.count(targets))


@final
@dataclass(frozen=True)
class Numbers(Target):
    """One or several numbers for each example.

    They are standardised for training, ``z = (y − mean) / scale``, and predictions are
    converted back, ``y = z · scale + mean``.

    Args:
        mean: Mean of each number over the training examples.
        scale: Standard deviation of each number over the training examples, never zero.
        name: Name of the target column, if there is one.
        columns: Name of the column of each number, if there are several.

    Raises:
        DataError: If there is not one mean, one scale above 0, and one name or none for each
            number.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Numbers
        >>> price = Numbers.fit(torch.tensor([10.0, 20.0, 30.0, 40.0]), "here", name="price")
        >>> price.mean, price.standardize(torch.tensor([25.0]))
        ((25.0,), tensor([0.]))
        >>> price.restore(torch.tensor([0.0]))
        tensor([25.], dtype=torch.float64)
    """

    kind = "numbers"
    readers: ClassVar = {
        "name": optional(text),
        "mean": number_tuple,
        "scale": number_tuple,
        "columns": lambda data, name: text_tuple(data, name) if data.get(name) else (),
    }

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    name: str | None = None
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sound = len(self.mean) == len(self.scale) > 0
        named = len(self.columns) in (0, len(self.mean))
        if not sound or not named or not all(scale > 0 for scale in self.scale):
            raise DataError(
                "a target needs a mean and a scale above 0 for each number, and all names or "
                f"none; got {self}."
            )

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return self.columns or super().names

    @classmethod
    @override
    def fit(
        cls,
        labels: Tensor,
        where: str,
        *,
        name: str | None = None,
        columns: tuple[str, ...] = (),
    ) -> Self:
        """Return the target with the mean and deviation of numbers.

        Args:
            labels: The training examples' numbers, ``(N)`` or ``(N, k)``.
            where: Their source, for the error.
            name: Name of the target column, if there is one.
            columns: Name of the column of each number, if there are several.

        Raises:
            DataError: If all examples have the same numbers.
        """
        numbers = labels.double().reshape(len(labels), -1)
        mean, deviation = (value[0] for value in moments(numbers, [0]))
        constant = deviation <= ROUNDING * mean.abs()
        if constant.all():
            raise DataError(
                f"{where} has the same value, {mean[0].item():g}, in every training example: "
                "there is nothing to learn."
            )
        scale = torch.where(constant, 1.0, deviation)
        return cls(tuple(mean.tolist()), tuple(scale.tolist()), name, columns)

    @property
    @override
    def outputs(self) -> int:
        return len(self.mean)

    @override
    def collate(self, labels: Any, where: str) -> Tensor:
        """Return numbers ``(N)`` or ``(N, k)`` in double precision."""
        return torch.as_tensor(labels).double()

    @override
    def describe(self, targets: Tensor) -> str:
        numbers = targets.double().reshape(len(targets), -1)
        names = self.columns or [""] * min(numbers.shape[1], MOST_NUMBERS)
        each = [
            f"{repr(name) + ' ' if name else ''}"
            f"{number_text(low, deviation)} to {number_text(high, deviation)} "
            f"(mean {with_digits(mean, 4, deviation)}, standard deviation {deviation:.4g})"
            for name, low, high, mean, deviation in zip(
                names,
                *(values.tolist() for values in numbers.aminmax(dim=0)),
                *(values[0].tolist() for values in moments(numbers, [0])),
                strict=False,
            )
        ]
        more = numbers.shape[1] - len(each)
        return "; ".join(each) + (f"; {more} more" if more else "")

    def standardize(self, targets: Tensor) -> Tensor:
        """Return targets with mean 0 and deviation 1.

        The mean is subtracted in double precision; the result is in single precision.

        Args:
            targets: Targets in their own units, ``(N)`` or ``(N, k)``.
        """
        exact = targets.double()
        return ((exact - exact.new_tensor(self.mean)) / exact.new_tensor(self.scale)).float()

    def restore(self, outputs: Tensor) -> Tensor:
        """Return the outputs of a network in the units of the targets.

        The result is in double precision, so that numbers far from zero keep their digits.

        Args:
            outputs: Standardised values, ``(N)`` or ``(N, k)``.
        """
        exact = outputs.double()
        return exact * exact.new_tensor(self.scale) + exact.new_tensor(self.mean)


def distinct_names(classes: Sequence[str], target: Target) -> tuple[str, ...]:
    """Return the names of the classes of a target.

    Args:
        classes: Name of each class.
        target: The target, for the error.

    Raises:
        DataError: If there are none, or two are the same.
    """
    if not len(set(classes)) == len(classes) > 0:
        raise DataError(f"a target needs distinct classes; got {target}.")
    return tuple(classes)


def exact_number(label: str) -> Decimal:
    """Return the exact value of a numeric label, since integers may have 64 bits."""
    try:
        return Decimal(label)
    except InvalidOperation:
        return Decimal(as_number(label))


def number_text(value: float, deviation: float) -> str:
    """Return a number of the data: a whole number in full, others with at least six digits."""
    if abs(value) < 1e15 and value == round(value):
        return f"{value:.0f}"
    return with_digits(value, 6, deviation)


def with_digits(value: float, fewest: int, deviation: float) -> str:
    """Return a number with significant digits that tell it from others of its kind.

    Args:
        value: The number.
        fewest: Number of digits; more are written if three of the deviation need them.
        deviation: The standard deviation of such numbers.
    """
    # Numbers far from zero that lie close together would all be written 1e+09.
    ahead = math.log10(abs(value)) - math.log10(deviation) if value and deviation else 0
    return f"{value:.{math.ceil(min(17, max(fewest, 3 + ahead)))}g}"
