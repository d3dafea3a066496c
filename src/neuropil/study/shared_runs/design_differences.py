"""Comparison of the designs of two studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def design_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between two designs, in words.

    Args:
        before: The design of a study, as read from JSON.
        now: Another one.

    Example:
        >>> design_differences({"seeds": 3, "recipe": {"lr": 0.1}}, {"recipe": {"lr": 0.2}})
        ['recipe.lr (then 0.1, now 0.2)', 'seeds (then 3, now absent)']
    """
    old, new = dict(leaves(before)), dict(leaves(now))
    return [
        f"{path} (then {value_at(old, path)}, now {value_at(new, path)})"
        for path in sorted({*old, *new})
        if path not in old or path not in new or old[path] != new[path]
    ]


def leaves(design: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested plain data with their paths."""
    for key, value in design.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def value_at(design: dict[str, Any], path: str) -> str:
    """Return a value for a message."""
    return shown(design[path]) if path in design else "absent"
