"""Random splits into training, validation and test parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.data_errors import DataError
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.datasets.dataset import Dataset


def split(
    dataset: Dataset,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    stratify: bool = True,
) -> tuple[Dataset, Dataset | None, Dataset | None]:
    """Split a dataset into training, validation and test parts, stratified by class.

    Args:
        dataset: The examples. If the targets are not class numbers, or there are none, the
            examples are only shuffled.
        validation: Fraction (below 1) or number of examples for validation; 0 for none.
        test: Fraction (below 1) or number of examples for the test; 0 for none.
        seed: The same seed gives the same parts.
        stratify: Whether all parts have the same proportions of the classes.

    Returns:
        The training, validation and test parts; None for a part of size 0.

    Raises:
        DataError: If there are too few examples.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Dataset, split
        >>> data = Dataset(torch.arange(10.0), [0] * 6 + [1] * 4)
        >>> train, validation, test = split(data, validation=0, test=0.5)
        >>> train.targets.tolist(), validation, test.targets.tolist()
        ([0, 0, 0, 1, 1], None, [0, 0, 0, 1, 1])
    """
    targets = torch.zeros(len(dataset)) if dataset.targets is None else dataset.targets
    parts = split_indices(
        targets, validation=validation, test=test, seed=seed, stratify=stratify
    )
    train, *held_out = (dataset[part] if len(part) else None for part in parts)
    if train is None:
        raise DataError("cannot split an empty dataset.")
    return train, held_out[0], held_out[1]


def split_indices(
    targets: Any,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    stratify: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sorted indices of the training, validation and test parts.

    One example of each of the K classes is reserved for training; a part of ``s`` examples then
    takes ``s · (n_k − 1) / (N − K)`` from a class of ``n_k`` among ``N``, rounded so that the
    part has exactly its size.

    Args:
        targets: One target per example: class numbers or names are stratified, floating-point
            numbers are not.
        validation: Fraction (below 1) or number of examples for validation; 0 for none.
        test: Fraction (below 1) or number of examples for the test; 0 for none.
        seed: The same seed gives the same parts.
        stratify: Whether all parts have the same proportions of the classes.

    Raises:
        DataError: If there are too few examples.

    Example:
        >>> from neuropil.datasets import split_indices
        >>> train, validation, test = split_indices(
        ...     [0, 0, 0, 0, 1, 1, 1, 1], validation=2, test=2
        ... )
        >>> len(train), len(validation), len(test)
        (4, 2, 2)
    """
    labels = targets.cpu().numpy() if isinstance(targets, Tensor) else np.asarray(targets)
    count = len(labels)
    held_size = part_size(test, count, "test")
    cut_size = part_size(validation, count, "validation")
    stratified = stratify and labels.ndim == 1 and labels.dtype.kind != "f"
    classes = np.unique(labels, return_inverse=True)[1] if stratified else np.zeros(count, int)
    spare = np.bincount(classes, minlength=1) - 1
    if count == 0 or held_size + cut_size > spare.sum():
        classed = f" of {len(spare):,} class{'es' * (len(spare) != 1)}" * stratified
        each = " of each class" * stratified
        raise DataError(
            f"{number_of(count, 'example')}{classed} cannot spare {cut_size:,} for validation "
            f"and {held_size:,} for the test: training needs at least one{each}. "
            "Either part may be 0."
        )
    shuffled = np.random.default_rng(seed).permutation(count)
    # Sorted by class, in shuffled order within each class.
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    starts = np.cumsum(spare + 1) - (spare + 1)
    part = np.zeros(count, int)
    for number, size in ((2, held_size), (1, cut_size)):
        taken = shares(size, spare)
        for start, amount in zip(starts, taken, strict=True):
            part[by_class[start : start + amount]] = number
        starts, spare = starts + taken, spare - taken
    return indices_of(part)


def indices_of(parts: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the indices of the training, validation and test examples.

    Args:
        parts: The part of each example, 0 to 2.
    """
    train, middle, held = (torch.from_numpy(np.flatnonzero(parts == part)) for part in range(3))
    return train, middle, held


def part_size(size: float, count: int, name: str) -> int:
    """Return the number of examples of a part, given as a fraction of `count` or a number.

    Raises:
        DataError: If the size is neither.
    """
    if isinstance(size, bool) or not size >= 0 or (size >= 1 and size != int(size)):
        raise DataError(
            f"`{name}` must be a fraction from 0 to below 1 or a whole number of examples, got "
            f"{size!r}."
        )
    if size >= 1:
        return int(size)
    return max(1, round(size * count)) if size else 0


def shares(size: int, spare: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the share of each class in `size`, by the method of largest remainders."""
    exact = spare * (size / max(1, spare.sum()))
    taken = np.floor(exact).astype(int)
    lacking = size - taken.sum()
    taken[np.argsort(taken - exact, kind="stable")[:lacking]] += 1
    return taken
