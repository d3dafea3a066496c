"""Detection of identifier columns, such as a row index or a passenger number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTERS = frozenset([
    *("index", "idx", "row", "rows", "rowname", "rownames", "rownum", "rownumber", "rowid"),
    *("no", "nr", "lfd", "lfdnr", "sno", "slno", "srno"),
    *("serial", "serialno", "serialnumber", "obs", "obsno", "observation", "record", "case"),
    *("caseno", "sample", "sampleno", "seq", "instance", "level0", "key"),
])  # fmt: skip
"""Names, as letters and digits alone, of columns that number the rows."""
THINGS = (
    "passenger|customer|user|row|record|sample|patient|subject|case|object|item|order|"
    "transaction|student|employee|product|session|device|client|account|person|member|"
    "participant|respondent|house|household|loan|booking|ticket|invoice|image|file|instance|"
    "entry|event|document|message|animal|plant|specimen|player|match|game|movie|song|store|"
    "emp|cust|trans|txn|obs|observation|unit|part|encounter|stay|study|series|applicant"
)
NAMED = re.compile(rf"(?:{THINGS})s?(?:id|ids|no|nr|num|number|key|index|idx|uuid|guid)")
ID_WORDS = frozenset(["id", "ids", "uid", "uuid", "guid", "pk"])
SHARE = 0.95
"""Smallest share of distinct values in an identifier column."""


def is_identifier_name(name: str) -> bool:
    """Return whether a column has the name of an identifier.

    Args:
        name: Such as ``"PassengerId"`` or ``"row_number"``.
    """
    if name.casefold().startswith("unnamed:") or name.strip() in ("", "#", "№", "n°", "N°"):
        return True
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    plain = "".join(words).casefold()
    if plain in COUNTERS or NAMED.fullmatch(plain):
        return True
    return any(word.casefold() in ID_WORDS for word in words)


def tells_rows_apart(name: str, distinct: int, known: int) -> bool:
    """Return whether a column has the name of an identifier and almost no repeated values.

    Args:
        name: Name of the column, empty if it has none.
        distinct: Number of distinct values.
        known: Number of cells with a value.
    """
    return known > 1 and distinct >= SHARE * known and is_identifier_name(name)


def counts_rows(values: np.ndarray[Any, Any], rows: Sequence[int]) -> bool:
    """Return whether numbers count the rows from 0 or 1.

    Args:
        values: The column.
        rows: Row of each cell in the file: some may have been set aside.
    """
    if len(values) < 3 or values[0] not in (0, 1):
        return False
    steps = np.diff(np.asarray(rows))
    return bool((np.diff(values) == steps).all())
