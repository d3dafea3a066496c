"""Classic networks by their names on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil import classic
from neuropil.core.name_lookup import normalize_name
from neuropil.lazy import public_names

if TYPE_CHECKING:
    from neuropil.classic.base import ClassicNetwork


def names() -> list[str]:
    """Return the names of all classic networks on the command line, without loading them."""
    return [normalize_name(name) for name in public_names(classic)]


def class_named(text: str | None) -> type[ClassicNetwork] | None:
    """Return the class of the classic network named by ``--network``; None if it is not one."""
    name = (text or "").partition("(")[0].strip()
    if ">>" in (text or "") or not name.isidentifier():
        return None
    found = {normalize_name(known): known for known in public_names(classic)}
    kind = found.get(normalize_name(name))
    return None if kind is None else getattr(classic, kind)
