"""Splits in which all pictures of a person are in one part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.splitting import indices_of, part_size

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.dataset import Dataset

# Fewer have no pictures of two people to tell apart.
FEWEST = 2


def split_by_person(
    pictures: Dataset, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset | None, Dataset | None]:
    """Split pictures into training, validation and test parts, as `split_people` does.

    Args:
        pictures: The pictures, whose targets are numbers of people.
        validation: Fraction or number of the people for validation.
        test: Fraction or number of the people for the test.
        seed: The same seed gives the same parts.

    Raises:
        DataError: If there are too few people.
    """
    people: Any = pictures.targets
    train, *held_out = split_people(people, validation=validation, test=test, seed=seed)
    middle, last = (pictures[part] if len(part) else None for part in held_out)
    return pictures[train], middle, last


def split_people(
    people: Tensor, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Split pictures at random so that all pictures of a person are in one part.

    Args:
        people: Number of the person in each picture, ``(N)``.
        validation: Fraction (below 1) or number of the people for validation, at least two; 0
            for none.
        test: Fraction (below 1) or number of the people for the test, at least two; 0 for none.
        seed: The same seed gives the same parts.

    Returns:
        Indices of the training, validation and test pictures, each in ascending order.

    Raises:
        DataError: If there are too few people.

    Example:
        >>> import torch
        >>> people = torch.arange(10).repeat_interleave(3)
        >>> train, validation, test = split_people(people)
        >>> [len(people[part].unique()) for part in (train, validation, test)]
        [6, 2, 2]
    """
    numbers = people.cpu().numpy()
    known, codes = np.unique(numbers, return_inverse=True)
    held, middle = (
        max(FEWEST, part_size(size, len(known), name)) if size else 0
        for size, name in ((test, "test"), (validation, "validation"))
    )
    if len(known) - held - middle < FEWEST:
        raise DataError(
            f"{len(known):,} people cannot be divided into at least {FEWEST} for training, "
            f"{middle:,} for validation and {held:,} for the test, since all pictures of a "
            "person stay in one part. Either of the last two may be 0."
        )
    parts = np.zeros(len(known), int)
    order = np.random.default_rng(seed).permutation(len(known))
    parts[order[:held]], parts[order[held : held + middle]] = 2, 1
    return indices_of(parts[codes])
