"""Splits in which examples of one value are in one part: by groups, and by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.splitting import indices_of, part_size

if TYPE_CHECKING:
    from torch import Tensor

Array = np.ndarray[Any, Any]

DRAWS = 100
"""Largest number of random orders of the groups, of which the best is used."""
WORK = 20_000_000
"""Largest number of examples and groups in all of these orders."""


def split_groups(
    groups: Array,
    classes: Array | None = None,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    where: str = "the groups",
) -> tuple[Tensor, Tensor, Tensor]:
    """Split examples at random, so that no group is in two parts.

    The groups are put in several random orders; the last ones of an order are the test, those
    before them are for validation. The order is used whose parts come closest to their sizes
    with the same proportions of the classes, ``Σ_pk |n_pk − s_p n_k|``, and whose training part
    lacks the fewest classes.

    Args:
        groups: Group of each example, ``(N)``.
        classes: Class number of each example, ``(N)``; None if there are no classes.
        validation: Fraction (below 1) or number of examples for validation; 0 for none.
        test: Fraction (below 1) or number of examples for the test; 0 for none.
        seed: The same seed gives the same parts.
        where: Name of the groups, for the error.

    Returns:
        Indices of the training, validation and test examples, each in ascending order.

    Raises:
        DataError: If there are fewer groups than parts.
    """
    _, codes = np.unique(groups, return_inverse=True)
    sizes = np.bincount(codes, minlength=1)
    kinds = np.zeros(len(codes), int) if classes is None else classes
    count = int(kinds.max(initial=0)) + 1
    pairs, times = np.unique(codes * count + kinds, return_counts=True)
    of_group, of_class = pairs // count, pairs % count
    totals = np.bincount(of_class, times, count)
    wanted = part_sizes(len(codes), validation, test)
    check_count(len(sizes), wanted, where)
    shares = np.array(wanted)[:, None] / max(1, len(codes)) * totals
    random = np.random.default_rng(seed)
    best, least = np.zeros(len(sizes), int), np.inf
    for _ in range(max(1, min(DRAWS, WORK // (len(codes) + len(sizes))))):
        order = random.permutation(len(sizes))
        parts = np.empty(len(sizes), int)
        parts[order] = cut(sizes[order], wanted)
        found = np.bincount(parts[of_group] * count + of_class, times, 3 * count)
        found = found.reshape(3, count)
        lost = (
            np.abs(found - shares).sum() + len(codes) * ((found[0] == 0) & (totals > 0)).sum()
        )
        if lost < least:
            best, least = parts, lost
    return indices_of(best[codes])


def split_in_time(
    moments: Array, *, validation: float = 0.1, test: float = 0.2, where: str = "the dates"
) -> tuple[Tensor, Tensor, Tensor]:
    """Split examples by time: the earliest for training, the latest for the test.

    Examples of the same moment are in one part, so that all parts are separate in time.

    Args:
        moments: Date and time of each example, ``(N)``.
        validation: Fraction (below 1) or number of examples for validation; 0 for none.
        test: Fraction (below 1) or number of examples for the test; 0 for none.
        where: Name of the dates, for the error.

    Returns:
        Indices of the training, validation and test examples, each in ascending order.

    Raises:
        DataError: If there are fewer moments than parts.
    """
    _, codes = np.unique(moments, return_inverse=True)
    sizes = np.bincount(codes, minlength=1)
    wanted = part_sizes(len(codes), validation, test)
    check_count(len(sizes), wanted, where)
    return indices_of(cut(sizes, wanted)[codes])


def part_sizes(count: int, validation: float, test: float) -> tuple[int, int, int]:
    """Return the wanted numbers of training, validation and test examples."""
    held, middle = part_size(test, count, "test"), part_size(validation, count, "validation")
    return count - held - middle, middle, held


def check_count(groups: int, wanted: tuple[int, int, int], where: str) -> None:
    """Refuse fewer groups than parts, and parts that leave nothing for training.

    Raises:
        DataError: If there are too few groups or examples.
    """
    parts = [
        name for name, size in zip(("validation", "test"), wanted[1:], strict=True) if size
    ]
    if groups <= len(parts) or wanted[0] < 1:
        raise DataError(
            f"{where}: {groups:,} distinct values in {sum(wanted):,} rows cannot be divided "
            f"into training, {wanted[1]:,} rows for validation and {wanted[2]:,} for the test, "
            "since rows of one value stay together: ask for smaller parts, or 0 for none."
        )


def cut(sizes: Array, wanted: tuple[int, int, int]) -> Array:
    """Return the part, 0 to 2, of each group in order, as close to the wanted sizes as can be.

    Args:
        sizes: Number of examples of each group, in order.
        wanted: Numbers of training, validation and test examples.
    """
    after = np.append(sizes[::-1].cumsum()[::-1], 0)  # examples of a group and those after it
    end = len(sizes)
    parts = np.zeros(end, int)
    for number in (2, 1):
        if not wanted[number]:
            continue
        least = 1 + (number == 2 and wanted[1] > 0)
        start = least + int(np.abs(after[least:end] - after[end] - wanted[number]).argmin())
        parts[start:end] = number
        end = start
    return parts
