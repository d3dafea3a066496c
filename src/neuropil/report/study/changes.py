"""The changes of a study: their order, and their seeds as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.study.recommendation import mostly_diverged
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def by_gain(variants: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return changes with the largest gain first.

    Those without a gain come last, and before them those of which most trainings diverged.

    Example:
        >>> [v["gain"] for v in by_gain([{"gain": None}, {"gain": -1.0}, {"gain": 2.0}])]
        [2.0, -1.0, None]
    """

    def place(each: Mapping[str, Any]) -> tuple[bool, bool, float]:
        return each["gain"] is not None, not mostly_diverged(each), each["gain"] or 0.0

    return sorted(variants, key=place, reverse=True)


def seeds_in_words(row: Mapping[str, Any]) -> str:
    """Return the number of seeds in words, or how many of them failed.

    Example:
        >>> seeds_in_words({"seeds": 5, "failed": 0}), seeds_in_words({"seeds": 2, "failed": 3})
        ('5 seeds', '3 of 5 diverged')
    """
    failed = row.get("failed") or 0
    if failed:
        return f"{failed} of {row['seeds'] + failed} diverged"
    return number_of(row["seeds"], "seed")


def seeds_text(row: Mapping[str, Any]) -> str:
    """Return the number of seeds that finished, of all if some failed.

    Example:
        >>> seeds_text({"seeds": 5, "failed": 0}), seeds_text({"seeds": 2, "failed": 3})
        ('5', '2 of 5')
    """
    failed = row.get("failed") or 0
    return f"{row['seeds']} of {row['seeds'] + failed}" if failed else str(row["seeds"])
