"""Target of verification: who is in a picture, where other people are met later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import natural_key
from neuropil.datasets.plain_fields import optional, text
from neuropil.datasets.target import Target
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@final
@dataclass(frozen=True)
class Identities(Target):
    """Who is in each picture, as numbers that mean the same person within one part of the data.

    A network learns which pictures show the same person; the people of the other parts, and
    those whom it meets later, are others. So neither it nor its run keeps the names.

    Args:
        name: Name of the column of a table with the people, if there is one.

    Example:
        >>> from neuropil.datasets import Identities
        >>> people = Identities.fit(["Ada", "Ada", "Grace"], "here")
        >>> people.collate(["Grace", "Ada", "Grace"], "here")
        tensor([1, 0, 1])
        >>> people.describe(people.collate(["Grace", "Ada", "Grace"], "here"))
        '2 people with 1 to 2 pictures each'
    """

    kind = "identities"
    readers: ClassVar = {"name": optional(text)}

    name: str | None = None

    @classmethod
    @override
    def fit(cls, labels: Iterable[str], where: str, *, name: str | None = None) -> Self:
        """Return the target of people.

        Args:
            labels: The person in each training picture.
            where: Their source, for the error.
            name: Name of the column of a table, if there is one.

        Raises:
            DataError: If there is one person only, or nobody has two pictures.
        """
        given = list(labels)
        people = set(given)
        if len(people) < 2:
            raise DataError(
                f"{where} has pictures of one person only, {min(people, default='')!r}: at "
                "least two people are needed, each in a folder of their own."
            )
        if len(people) == len(given):
            raise DataError(
                f"{where} has one picture of each of {len(people):,} people: at least two of "
                "a person are needed to learn what stays the same."
            )
        return cls(name)

    @property
    @override
    def outputs(self) -> int:
        """Number of outputs for one label, a number."""
        return 1

    @override
    def collate(self, labels: Sequence[Any], where: str) -> Tensor:
        """Return the number of the person in each picture, ``(N)``, in natural order of names.

        Args:
            labels: The person in each picture.
            where: Their source, unused.
        """
        names = sorted(set(labels), key=natural_key)
        numbers = {name: number for number, name in enumerate(names)}
        return torch.tensor([numbers[label] for label in labels], dtype=torch.int64)

    @override
    def describe(self, targets: Tensor) -> str:
        counts = targets.unique(return_counts=True)[1]
        few, many = int(counts.min()), int(counts.max())
        each = number_of(few, "picture") if few == many else f"{few} to {many:,} pictures"
        return f"{len(counts):,} people with {each} each"
