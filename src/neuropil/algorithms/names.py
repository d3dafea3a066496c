"""Finding a thing by the name that a person typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from neuropil.core.expression import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


def look_up(name: str, table: Mapping[str, T], kind: str) -> T:
    """Return the entry of that name; case, ``_``, ``-`` and spaces do not matter.

    Args:
        name: What was typed.
        table: The entries by name.
        kind: What they are, for the error: "algorithm".

    Raises:
        ValueError: If there is none; the nearest name and all others are in the message.

    Example:
        >>> look_up("RMS-prop", {"adam": 1, "rmsprop": 2}, "algorithm")
        2
        >>> look_up("adma", {"adam": 1, "rmsprop": 2}, "algorithm")
        Traceback (most recent call last):
        ...
        ValueError: There is no algorithm 'adma'. Did you mean 'adam'? Known: adam, rmsprop.
    """
    found = {squeezed(known): entry for known, entry in table.items()}
    if squeezed(name) not in found:
        suggestion = nearest(name, table)
        known = ", ".join(table)
        raise ValueError(f"There is no {kind} {name!r}.{suggestion} Known: {known}.")
    return found[squeezed(name)]


def squeezed(name: str) -> str:
    """Return what is left of a name without its typography."""
    return name.lower().translate(dict.fromkeys(map(ord, "_- ")))
