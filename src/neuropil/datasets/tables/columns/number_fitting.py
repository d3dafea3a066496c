"""Precision and scale of a column of numbers, and marks among them for missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import EXACT

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

HUGE, TINY = 1e30, 1e-30
"""Values beyond these are scaled before the conversion to single precision."""
ROUNDING = 1e-4
"""Largest rounding error of single precision, as a fraction of the standard deviation."""
MARKS = frozenset(sign * (10.0**digits - 1) for sign in (1, -1) for digits in range(2, 7))
"""Numbers such as 99 and −999, which instruments and surveys write for missing values."""
FAR = 10
"""Smallest distance of such a mark from all other values, as a multiple of their range."""


def precise_scale(known: np.ndarray[Any, Any], median: float) -> tuple[float, float]:
    """Return the offset and scale with which single precision can hold the values.

    Args:
        known: Values of the training rows.
        median: Their median.

    Returns:
        0 and 1 if single precision can hold the values unchanged.
    """
    size = float(np.abs(known).max())
    huge = size > HUGE and np.median(np.abs(known)) > HUGE
    scale = size if huge or 0 < size < TINY else 1.0
    unit = known / scale
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.abs(unit - unit.astype(np.float32)).max()
    # An infinite value is refused when it is encoded.
    centred = np.isfinite(lost) and lost > ROUNDING * np.std(unit - median / scale)
    return median if centred else 0.0, scale


def is_inexact(values: np.ndarray[Any, Any], cells: pa.StringArray) -> bool:
    """Return whether different integers of a column become the same floating-point number."""
    present = ~np.isnan(values)
    known = values[present]
    if not len(known) or np.abs(known).max() < EXACT:
        return False
    return pc.count_distinct(cells.filter(pa.array(present))).as_py() > len(np.unique(known))


def check_marks(name: str, values: np.ndarray[Any, Any], table: Table) -> None:
    """Refuse numbers such as −999 that are far from all others and occur more than once.

    Raises:
        DataError: If there are such numbers.
    """
    known = values[~np.isnan(values)]
    least, most = known.min(), known.max()
    for mark in MARKS.intersection((least, most)):
        others = known[known != mark]
        times = len(known) - len(others)
        if times < 2 or times > len(others) or len(np.unique(others[:1000])) < 3:
            continue
        gap = min(abs(others.min() - mark), abs(others.max() - mark))
        if gap > FAR * max(np.ptp(others), 1e-9 * gap):
            place = int(np.flatnonzero(values == mark)[0])
            raise DataError(
                f"{table.source}, column {name!r}, row {table.rows[place]}: "
                f"{table.text(name)[place].as_py()!r} ({times - 1:,} more like it) among "
                f"numbers from {others.min():.6g} to {others.max():.6g} looks like a mark for "
                "a missing value: leave such cells empty."
            )
