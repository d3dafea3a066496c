"""The changes of a study: their order, and their seeds as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def by_gain(variants: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return changes with the largest gain first; those without a gain come last.

    Example:
        >>> [v["gain"] for v in by_gain([{"gain": None}, {"gain": -1.0}, {"gain": 2.0}])]
        [2.0, -1.0, None]
    """
    return sorted(
        variants, key=lambda v: (v["gain"] is not None, v["gain"] or 0.0), reverse=True
    )


def seeds_text(row: Mapping[str, Any]) -> str:
    """Return the number of seeds that finished, of all if some failed.

    Example:
        >>> seeds_text({"seeds": 5, "failed": 0}), seeds_text({"seeds": 2, "failed": 3})
        ('5', '2 of 5')
    """
    failed = row.get("failed") or 0
    return f"{row['seeds']} of {row['seeds'] + failed}" if failed else str(row["seeds"])
